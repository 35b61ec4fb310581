"""The merchant's console."""

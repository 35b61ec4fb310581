"""The order in which candidates are shown."""

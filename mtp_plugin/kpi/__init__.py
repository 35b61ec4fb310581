"""Figures of the shop over time, and what is unusual about them."""

"""Alerts: what is unusual, since when, why probably, whom it is told, and what is done about it."""

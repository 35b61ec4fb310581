"""Webhooks: what shop systems and other services post to us, signed."""

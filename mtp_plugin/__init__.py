"""Micro-targeted personalisation for Flask shops.

Three files tell the rest: this one, :mod:`mtp_plugin.pipeline` (the path as code) and :mod:`mtp_plugin.records` (what its
stages hand to each other).
"""

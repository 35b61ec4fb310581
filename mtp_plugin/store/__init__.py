"""The outside world behind :mod:`mtp_plugin.ports`: SQL tables, Redis, folders of models, and plain memory.

:func:`mtp_plugin.store.open.open_stores` chooses among them by the settings; nobody else needs to know which.
"""

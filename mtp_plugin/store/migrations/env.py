"""Alembic's entry: runs on the connection, and within the transaction, that ``migrate`` hands over."""

from __future__ import annotations

from alembic import context

from mtp_plugin.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()

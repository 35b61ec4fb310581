"""Brings a database to the tables this code needs, with Alembic but without an ini file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

from ..errors import SetupError
from .engine import PAGE_WRITE_S, allow

HEAD = "0016"
"""The revision this code needs; kept here so that a start need not load Alembic to see that all is well."""

VERSION_TABLE = "mtp_schema_version"
MIGRATION_S = 1800.0
"""Longest silence during one step of a migration, which may rewrite a large table or wait for another worker's."""

LOCK = 0x6D74705F
"""Key of PostgreSQL's advisory lock that migrations hold."""


def upgrade(engine: Engine, revision: str = HEAD) -> None:
    """Bring the database to *revision*; safe when many workers do so at once, and does nothing when it is there.

    :raises SetupError: the database is newer than this code
    """
    with engine.connect() as connection:
        allow(connection, PAGE_WRITE_S)
        found = current(connection)
    if found == revision:
        return
    if found is not None and found > revision:
        raise SetupError(
            f"the database has tables of revision {found}, this version of mtp-plugin knows {HEAD}: "
            "install the version that made them, or a newer one"
        )
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            allow(connection, MIGRATION_S)
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if current(connection) != revision:
            _run(connection, revision)


def current(connection: Connection) -> str | None:
    """The revision of this database, ``None`` when it has no tables yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  a constant


def head() -> str:
    """The newest revision among the migration files."""
    from alembic.script import ScriptDirectory

    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None  # noqa: S101  there are migrations
    return found


def _run(connection: Connection, revision: str) -> None:
    from alembic import command

    command.upgrade(_config(connection=connection), revision)


def _config(**attributes: Any) -> Any:
    from alembic.config import Config

    config = Config(attributes={"version_table": VERSION_TABLE, **attributes})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config

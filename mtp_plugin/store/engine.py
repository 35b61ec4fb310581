"""Opens SQLite and PostgreSQL so that a commit is durable and a wait is bounded."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from ..errors import SettingError, UnavailableError
from ..patience import is_awaited, left
from .ahead import Ahead

SETTING = "MTP_DATABASE_URL"

BUSY_MS = 10_000
"""How long a writer waits for another process's transaction on SQLite."""

PAGE_BUSY_MS = 2_000
"""How long it waits when a visitor waits with it."""

WORK_MS = 30_000
"""Longest statement outside of a page's rendering."""

PAGE_WRITE_S = 10.0
"""Longest silence of PostgreSQL during a write that a visitor waits for."""

PING_S = 2.0
"""Longest silence of PostgreSQL when asked whether an idle connection still lives."""

GRACE_S = 0.5
"""How much longer than the server's own limit we wait for the server to say so."""

PAGE_GRACE_S = 0.02
"""The same where a page waits."""

POOL = 10
CONNECT_S = 2
"""Least that libpq takes as a timeout."""


def open_engine(
    url: str | URL, budget_ms: float, *, autocommit: bool = False, hopeless: Callable[[], bool] = lambda: False
) -> Engine:
    """An engine on a SQLite file or a PostgreSQL database; connects when first used.

    SQLite keeps a write-ahead log and syncs each commit (``synchronous=FULL``). On PostgreSQL a statement that takes
    longer than *budget_ms* is cancelled.

    :param url: ``sqlite:///...``, ``postgresql://...`` or ``postgresql+psycopg://...``
    :param autocommit: each statement is its own transaction, without the round trips to begin and end one
    :param hopeless: asked by who waits for PostgreSQL whether it is known meanwhile that it does not answer
    :raises SettingError: no file is named, or PostgreSQL's driver is not installed
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise SettingError(SETTING, str(url), "name a file, such as sqlite:////var/lib/shop/mtp.sqlite")
        return _open_sqlite(parsed)
    if find_spec("psycopg") is None:
        raise SettingError(SETTING, parsed.render_as_string(), "pip install 'mtp-plugin[postgres]'")
    return _open_postgres(parsed.set(drivername="postgresql+psycopg"), budget_ms, autocommit, hopeless)


def _open_postgres(url: URL, budget_ms: float, autocommit: bool, hopeless: Callable[[], bool]) -> Engine:
    options = f"-c statement_timeout={math.ceil(budget_ms)} -c timezone=UTC -c client_encoding=UTF8"
    extra = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    engine = create_engine(
        url,
        connect_args={"connect_timeout": CONNECT_S, "options": options, "application_name": "mtp"},
        pool_size=POOL,
        max_overflow=2 * POOL,
        pool_timeout=min(CONNECT_S, budget_ms / 1000) if autocommit else CONNECT_S,
        pool_pre_ping=not autocommit,
        **extra,
    )
    _bound(engine, budget_ms / 1000, PAGE_GRACE_S if autocommit else GRACE_S, hopeless)
    return engine


def _bound(engine: Engine, seconds: float, grace: float, hopeless: Callable[[], bool]) -> None:
    """Bound every wait: *seconds* while a connection is in use, less when it is asked whether it lives.

    Where somebody waits a thread connects, and what it takes too long for is the next one's.
    """
    from psycopg.errors import ConnectionTimeout

    from .bounded_connection import BoundedConnection, Unanswered

    ahead: Ahead[Any] = Ahead(lambda connection: connection.close())

    def connected(args: Any, named: Any) -> BoundedConnection:
        try:
            connection = BoundedConnection.connect(*args, **named)
        except ConnectionTimeout as error:
            raise Unanswered(str(error)) from error
        connection.hopeless = hopeless
        connection.take_arrays()
        return connection

    def connect(dialect: object, record: object, args: Any, named: Any) -> Any:
        if not is_awaited():
            return connected(args, named)
        connection = ahead.get(lambda: connected(args, named), left(seconds), hopeless)
        if connection is None:
            raise Unanswered("no connection in time")
        return connection

    def taken(connection: Any, *others: object) -> None:
        connection.patience = left(seconds) + grace

    def returned(connection: Any, *others: object) -> None:
        if connection is not None:
            connection.patience = PING_S

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "engine_disposed", lambda disposed: ahead.close())
    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", returned)


def allow(connection: Connection, seconds: float) -> None:
    """Let PostgreSQL be silent on this connection for so long at most, until it goes back to the pool."""
    if connection.dialect.name == "postgresql":
        bare: Any = connection.connection.driver_connection
        bare.patience = seconds


def is_silence(error: BaseException) -> bool:
    """Whether PostgreSQL did not answer in time, as the driver says it or whoever translated that."""
    told: Any = error.__cause__ if isinstance(error, UnavailableError) else error
    return getattr(getattr(told, "orig", told), "silent", False)


def _open_sqlite(url: URL) -> Engine:
    engine = create_engine(url, pool_size=POOL, max_overflow=2 * POOL, pool_timeout=PAGE_BUSY_MS / 1000)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def open_sqlite(path: str) -> sqlite3.Connection:
    """A bare connection with our settings, usable from any one thread at a time."""
    connection = sqlite3.connect(path, check_same_thread=False, timeout=PAGE_BUSY_MS / 1000)
    _prepare(connection)
    return connection


def _prepare(connection: Any, record: object = None) -> None:
    # No implicit transactions: with them the driver would begin too late to lock, and commit around DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={PAGE_BUSY_MS}")
    _write_ahead(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=FAST", "cache_size=-16000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Switching a new file to the log does not wait for others who are switching it: try again."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin(connection: Connection) -> None:
    # A writer takes the lock at once: one that read first and locks later fails when another wrote in between.
    options = connection.get_execution_options()
    if options.get("immediate"):
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(options.get('busy_ms', BUSY_MS))}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate") else "BEGIN")

"""One database as the stores use it: made and migrated on first use, per process, its faults translated."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Row, make_url, text
from sqlalchemy.exc import DataError as BadData
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..errors import UnavailableError
from ..fork import after_fork
from ..patience import LONGEST_S, is_awaited, is_bounded, is_patient, is_resent, left
from .breaker import Breaker, first_line
from .doubt import Doubt
from .engine import BUSY_MS, GRACE_S, PAGE_BUSY_MS, PAGE_WRITE_S, WORK_MS, allow, is_silence, open_engine
from .migrate import current, upgrade

AnyRow = Row[*tuple[Any, ...]]

PING = text("SELECT 1")
SUSPECT_S = 0.5
"""A server that says nothing for so long when it is asked whether it is there stands still."""
BUGS = (IntegrityError, ProgrammingError, BadData)
"""Errors that waiting does not mend go through as they are."""


class Database:
    """A SQLite file or a PostgreSQL database.

    :param url: SQLAlchemy URL
    :param budget_ms: longest statement of a page's rendering (PostgreSQL)
    :raises SettingError: the URL cannot work here
    """

    def __init__(self, url: str, budget_ms: float) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = open_engine(self.url, WORK_MS, hopeless=self._is_hopeless)
        self._quick = self._engine if self.is_sqlite else open_engine(self.url, budget_ms, autocommit=True)
        name = self.url.render_as_string(hide_password=True)
        self._budget_s = budget_ms / 1000
        self._doubt = Doubt(f"database {name}", self._is_well)
        self._stuck = Doubt(f"database {name}, at all,", self._answers)
        self._breaker, self._locked = Breaker(f"database {name}"), Breaker(f"the write lock of database {name}")
        self._inherited: list[object] = []
        driver: Any = self._engine.dialect.dbapi
        self._faults = (DBAPIError, PoolTimeout, driver.Error)
        self._bugs = (*BUGS, driver.IntegrityError, driver.ProgrammingError, driver.DataError)
        self._reset()
        after_fork(self._reset_in_child)

    def _reset(self) -> None:
        self._lock, self._ready = threading.Lock(), False

    def _reset_in_child(self) -> None:
        # The parent goes on with its connections: the child forgets them without a word to the server.
        for engine in {self._engine, self._quick}:
            self._inherited.append(engine.pool)
            engine.dispose(close=False)
        self._reset()

    @property
    def engine(self) -> Engine:
        """For work; migrated. Raises :class:`UnavailableError` when it cannot be reached."""
        if not self._ready:
            self._open()
        return self._engine

    @property
    def quick(self) -> Engine:
        """For what a page waits for."""
        if not self._ready:
            self._open()
        return self._quick

    def _open(self) -> None:
        with self._lock:
            if self._ready:
                return
            self._make_folder()
            with self.translated():
                upgrade(self._engine)
                if not self.is_sqlite:
                    _rows(self._quick, PING, None)  # the first connection tells much that no page is to wait for
            self._ready = True

    def _make_folder(self) -> None:
        if not self.is_sqlite:
            return
        folder = Path(str(self.url.database)).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(f"the folder of the database cannot be made: {error}") from error

    @contextmanager
    def translated(self, *, page: bool = False) -> Iterator[None]:
        """Turns faults of the driver and the pool into :class:`UnavailableError`.

        After a lost connection it refuses at once for a moment: pages must not queue for a dead server.

        :param page: who asked had little time, so that silence says nothing about those who have more
        """
        if not self._breaker.admits():
            raise UnavailableError(f"the database could not be reached a moment ago: {self._breaker.trouble}")
        try:
            yield
        except self._bugs:
            raise
        except self._faults as error:
            if _is_lost(error) and not (page and is_silence(error)):
                self._breaker.failed(error)
            raise UnavailableError(f"the database cannot be used now: {first_line(error)}") from error
        else:
            self._breaker.succeeded()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with; within the time of a block it is as :meth:`glance`."""
        if is_bounded() and not self.is_sqlite:
            began = self._require_in_time()
            try:
                with self.translated(page=True), self._quick.connect() as connection:
                    yield connection
            finally:
                self._judge(began)
            return
        engine = self.engine
        with self.translated(), engine.connect() as connection:
            yield connection

    def glance(self, query: Executable, values: Mapping[str, Any] | None = None) -> Sequence[AnyRow]:
        """The rows of one quick query that a page waits for.

        When PostgreSQL is late (or away), the page that found out is the only one that waited: until a thread has
        seen it in time again the others are refused at once. Who is patient is not.
        """
        if self.is_sqlite:
            return self._glance(self.quick, query, values)
        if is_patient():
            with self._not_for_ever():
                return self._glance(self.engine, query, values)
        began = self._require_in_time()
        try:
            rows = self._glance(self._quick, query, values)
        except UnavailableError as error:
            self._doubt.rise(str(error))
            raise
        self._judge(began)
        return rows

    def _require_in_time(self) -> float:
        """For somebody who waits: whether to ask at all; gives the time, by ``time.monotonic``.

        :raises UnavailableError: the database is known to be late, or there is no time left
        """
        if self._doubt.raised:
            raise UnavailableError("the database answers too late now")
        if left(self._budget_s) <= 0:
            raise UnavailableError("there was no time left to ask the database")
        if not self._ready:
            self._doubt.rise("it is not open yet")
            if not self._doubt.wait(left(self._budget_s)):
                raise UnavailableError("the database is not open yet")
        return time.monotonic()

    def _judge(self, began: float) -> None:
        """Who finds the database late raises the doubt."""
        if (took := time.monotonic() - began) > self._budget_s:
            self._doubt.rise(f"an answer took {took * 1000:.0f} ms")

    @contextmanager
    def _not_for_ever(self) -> Iterator[None]:
        """Of the requests that take late answers, those of the moment in which a server stands still wait; then none.

        Otherwise all threads of a process would soon wait for it, and nobody would be left for pages.
        """
        if self.is_sqlite or not is_awaited():
            yield
            return
        if self._stuck.raised and (is_resent() or not self._stuck.wait(LONGEST_S)):
            raise UnavailableError("the database does not answer now")
        try:
            yield
        except UnavailableError as error:
            if is_silence(error):
                self._stuck.rise(str(error))
            raise

    def _is_hopeless(self) -> bool:
        return self._stuck.raised and is_resent()

    def _is_well(self) -> bool:
        """Whether PostgreSQL answers within the budget, asked on a connection that is there already."""
        try:
            self._ping()
            took = self._ping()
        except Exception as error:  # whatever it is, it is not well
            if is_silence(error):
                self._stuck.rise(first_line(error))
            return False
        return took <= self._budget_s

    def _answers(self) -> bool:
        """Whether PostgreSQL answers, however late."""
        try:
            self._ping()
        except Exception:  # whatever it is, it does not
            return False
        return True

    def _ping(self) -> float:
        """The seconds that PostgreSQL takes to answer; raises what the driver raises."""
        with self.translated(page=True), self.quick.connect() as connection:
            allow(connection, max(SUSPECT_S, self._budget_s))
            began = time.monotonic()
            connection.execute(PING)
            return time.monotonic() - began

    def _glance(self, engine: Engine, query: Executable, values: Mapping[str, Any] | None) -> Sequence[AnyRow]:
        with self.translated(page=engine is self._quick):
            try:
                return _rows(engine, query, values)
            except DBAPIError as error:
                if not error.connection_invalidated or is_silence(error):
                    raise
                # The server was restarted since we last asked; the pool has thrown its dead connections away.
                return _rows(engine, query, values)

    @contextmanager
    def writing(self, *, page: bool = False) -> Iterator[Connection]:
        """A transaction that may write: committed at the end, rolled back on an error.

        :param page: a visitor waits for it: it waits less for others and for the server
        """
        options = {"immediate": True, "busy_ms": PAGE_BUSY_MS if page else BUSY_MS}
        with self._not_for_ever():
            engine = self.engine
            with self.translated(), self._turn_to_write(page), engine.connect() as plain:
                connection = plain.execution_options(**options)
                allow(connection, PAGE_WRITE_S if page else WORK_MS / 1000 + GRACE_S)
                with connection.begin():
                    yield connection

    @contextmanager
    def _turn_to_write(self, page: bool) -> Iterator[None]:
        """While another process keeps SQLite's one lock, pages must not queue for it; reading goes on meanwhile."""
        if page and not self._locked.admits():
            raise UnavailableError(f"the database could not be written a moment ago: {self._locked.trouble}")
        try:
            yield
        except self._faults as error:
            if _is_busy(error):
                self._locked.failed(error)
            raise
        else:
            self._locked.succeeded()

    def revision(self) -> str | None:
        """Which tables the database has now."""
        with self.reading() as connection:
            return current(connection)

    def probe(self) -> str:
        """``""`` when the database answers, else what is wrong."""
        try:
            self.glance(PING)
        except UnavailableError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Close all connections; a later use opens new ones."""
        self._doubt.close()
        self._stuck.close()
        for engine in {self._engine, self._quick}:
            engine.dispose()


def _rows(engine: Engine, query: Executable, values: Mapping[str, Any] | None) -> Sequence[AnyRow]:
    with engine.connect() as connection:
        return connection.execute(query, values).all()


def _is_lost(error: BaseException) -> bool:
    """Whether it is the connection that failed, not one statement on it; on a full disk SQLite still reads."""
    if _sqlite_code(error) == sqlite3.SQLITE_FULL:
        return False
    return isinstance(error, DBAPIError) and (error.connection_invalidated or error.statement is None)


def _is_busy(error: BaseException) -> bool:
    """Whether another process kept SQLite's lock for too long."""
    return _sqlite_code(error) == sqlite3.SQLITE_BUSY


def _sqlite_code(error: BaseException) -> int:
    """SQLite's primary code of an error, 0 of any other."""
    return int(getattr(getattr(error, "orig", error), "sqlite_errorcode", 0)) & 0xFF

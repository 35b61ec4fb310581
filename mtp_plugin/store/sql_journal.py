"""The journal in SQLite or PostgreSQL: events and the profiles folded from them in one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, text

from ..errors import SetupError, UnavailableError
from ..fork import after_fork
from ..records import ACTIONS, Event, FoldFunction, Interactions, Profile
from . import partitions
from .batch import Batch, Stored, Work, apply, fold_anew
from .database import Database
from .engine import allow, open_sqlite
from .migrate import MIGRATION_S
from .numbering import settled
from .postgres_work import PostgresWork
from .replica import Replica
from .rows import COLUMNS, bytes_profile, row_event, row_interactions
from .schema import event, message_seen, profile, stale_profile
from .sqlite_work import PROFILE, SqliteWork
from .turns import Turns
from .words import storable

AGAIN = frozenset({"23505", "40001", "40P01"})
"""SQL states after which the same transaction can succeed: unique violation, serialisation failure, deadlock."""

TRIES = 5
RIVALS_S = 60.0
"""For how long after another writer was in the way others are reckoned with."""
EXPIRE = 5000
"""Events deleted in one transaction: few enough that writers wait for tens of milliseconds only."""
REBUILD = 100
"""Profiles folded anew in one transaction: few enough that writers wait for tens of milliseconds only."""

PROFILES = select(profile.c.profile_id, profile.c.last_seq, profile.c.body).where(
    profile.c.profile_id.in_(bindparam("ids", expanding=True)), profile.c.last_seq > 0
)
EVENT_COLUMNS = [event.c[name] for name in COLUMNS.split(", ")]

MOST = 2**63 - 1
"""A number above that of any event."""
INTERACTIONS = (
    select(event.c.profile_id, event.c.name, event.c.happened_at, event.c.body, event.c.seq)
    .where(event.c.seq > bindparam("last"), event.c.seq <= bindparam("until"), event.c.name.in_(sorted(ACTIONS)))
    .order_by(event.c.seq)
    .limit(bindparam("batch"))
)


class SqlJournal:
    """Implements :class:`mtp_plugin.ports.Journal`.

    :param window_s: seconds for which at least, and twice that at most, a repeated ``dedupe_key`` is recognised
    :param replica: where reading many events is done, if it can be
    """

    def __init__(self, database: Database, window_s: float, replica: Replica | None = None) -> None:
        if window_s <= 0:
            raise ValueError(f"window_s must be positive seconds, not {window_s}")
        self._database, self._window_s, self._replica = database, window_s, replica
        self._turns = Turns(self._commit_group)
        self._rivals_until = float("-inf")
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._inherited = getattr(self, "_readers", None)  # the parent's: neither used nor closed
        self._readers: deque[sqlite3.Connection] = deque()

    # ------------------------------------------------------------------------------------------- writing

    def record(self, events: Sequence[Event], fold: FoldFunction) -> list[bool]:
        return self.commit(Batch(events, fold, self._window_s)).new if events else []

    def batch(self, events: Sequence[Event], fold: FoldFunction) -> Batch:
        """The events made ready for :meth:`commit`."""
        return Batch(events, fold, self._window_s)

    def commit(self, batch: Batch) -> Batch:
        """Record a batch; afterwards it knows which events were new and which profiles changed."""
        self._turns.take(batch)
        return batch

    def _commit_group(self, batches: Sequence[Batch]) -> list[BaseException | None]:
        try:
            self._in_work(partial(apply, batches), page=True)
        except UnavailableError:
            raise
        except Exception as error:
            # One of them cannot be folded or stored, and it must not take the others with it.
            return [error] if len(batches) == 1 else [self._error_of(batch) for batch in batches]
        return [None] * len(batches)

    def _error_of(self, batch: Batch) -> BaseException | None:
        try:
            self._in_work(partial(apply, [batch]), page=True)
        except Exception as error:
            return error
        return None

    def _in_work(self, job: Callable[[Work], Any], *, page: bool = False) -> Any:
        """Do *job* in one transaction, again if another writer was in the way."""
        for left in reversed(range(TRIES)):
            try:
                with self._database.writing(page=page) as connection:
                    return job(self._work(connection))
            except Exception as error:
                if not left or _sqlstate(error) not in AGAIN:
                    raise
                self._rivals_until = time.monotonic() + RIVALS_S

    def _work(self, connection: Connection) -> Work:
        bare = connection.connection.driver_connection
        if self._database.is_sqlite:
            return SqliteWork(bare)
        return PostgresWork(bare, rivals=time.monotonic() < self._rivals_until)

    def erase(self, profile_id: str) -> int:
        return self.erase_all(profile_id)[0]

    def erase_all(self, profile_id: str, *, stale: bool = False) -> tuple[int, int]:
        """Delete a visitor's events and profile; gives the number of events and that of the last one."""
        if not storable(profile_id):
            return 0, 0

        def erase(work: Work) -> tuple[int, int]:
            before = work.inspect([profile_id], (), (), 0).profiles.get(profile_id)
            gone = work.erase(profile_id)
            if stale:
                work.mark_stale([profile_id])
            return gone, before.last_seq if before else 0

        erased: tuple[int, int] = self._in_work(erase, page=True)
        return erased

    def rebuild(self, fold: FoldFunction, *, progress: Callable[[int], None] | None = None) -> int:
        done = 0
        for ids in self.visitors(REBUILD):
            done += len(self.rebuild_some(ids, fold))
            if progress:
                progress(done)
        return done

    def rebuild_some(self, profile_ids: Sequence[str], fold: FoldFunction, stale: bool = False) -> dict[str, Stored]:
        """Fold these profiles anew in one transaction; gives them as stored."""
        found: dict[str, Stored] = self._in_work(lambda work: fold_anew(work, profile_ids, fold, stale))
        return found

    # ------------------------------------------------------------------------------- copies kept elsewhere

    def mark_stale(self, profile_ids: Sequence[str]) -> None:
        """Note that copies of these profiles may be behind."""
        self._in_work(lambda work: work.mark_stale(profile_ids), page=True)

    def stale(self) -> Iterator[tuple[list[int], list[str]]]:
        """Notes of copies that may be behind, in groups: their numbers, and the profiles they name."""
        while True:
            query = select(stale_profile).order_by(stale_profile.c.id).limit(500)
            with self._database.reading() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            yield [row.id for row in rows], sorted({row.profile_id for row in rows})

    def forget_stale(self, numbers: Sequence[int]) -> None:
        """Delete these notes."""
        with self._database.writing() as connection:
            connection.execute(delete(stale_profile).where(stale_profile.c.id.in_(numbers)))

    def purge(self, before: float, *, dry: bool = False) -> int:
        """Forget the keys of events received so long *before* that their window is over."""
        bucket = int(before // self._window_s)
        if dry:
            query = select(func.count()).select_from(message_seen).where(message_seen.c.bucket < bucket)
            with self._database.reading() as connection:
                return connection.execute(query).scalar_one()
        self._make_months(before)
        with self._database.writing() as connection:
            return connection.execute(delete(message_seen).where(message_seen.c.bucket < bucket)).rowcount

    def expire(self, before: float, *, dry: bool = False) -> int:
        old = event.c.received_at < before
        if dry:
            with self._database.reading() as connection:
                return connection.execute(select(func.count()).select_from(event).where(old)).scalar_one()
        gone, some = self._drop_months(before), select(event.c.seq).where(old).limit(EXPIRE)
        while True:
            with self._database.writing() as connection:
                count = connection.execute(delete(event).where(event.c.seq.in_(some))).rowcount
            gone += count
            if count < EXPIRE:
                return gone

    def _drop_months(self, before: float) -> int:
        """Where events are in a table a month: drop whole ones, and make those to come."""
        if self._database.is_sqlite:
            return 0
        with self._database.reading() as connection:
            tables = partitions.over(connection, before) if partitions.is_split(connection) else []
        gone = 0
        for table in tables:
            with self._database.writing() as connection:
                gone += partitions.drop(connection, table)
        return gone

    def partition(self, now: float) -> bool:
        """Put events into a table a month, or make the months to come where they are; gives whether it was done now.

        :raises SetupError: the database is no PostgreSQL
        """
        if self._database.is_sqlite:
            raise SetupError("SQLite has one table for all events: set MTP_DATABASE_URL to a PostgreSQL")
        with self._database.writing() as connection:
            if partitions.is_split(connection):
                partitions.make_months(connection, now)
                return False
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            allow(connection, MIGRATION_S)
            partitions.split(connection, now)
            partitions.make_months(connection, now)
        return True

    def _make_months(self, now: float) -> None:
        if self._database.is_sqlite:
            return
        with self._database.writing() as connection:
            if partitions.is_split(connection):
                partitions.make_months(connection, now)

    def idle(self, before: float, *, batch: int = 1000) -> Iterator[list[str]]:
        last = ""
        while True:
            query = (
                select(event.c.profile_id)
                .where(event.c.profile_id > last)
                .group_by(event.c.profile_id)
                .having(func.max(event.c.received_at) < before)
                .order_by(event.c.profile_id)
                .limit(batch)
            )
            with self._database.reading() as connection:
                names = list(connection.execute(query).scalars())
            if not names:
                return
            last = names[-1]
            yield names

    # ------------------------------------------------------------------------------------------- reading

    def profiles(self, profile_ids: Sequence[str]) -> list[Profile | None]:
        found = self.stored(profile_ids)
        return [bytes_profile(found[name].body) if name in found else None for name in profile_ids]

    def stored(self, profile_ids: Sequence[str]) -> dict[str, Stored]:
        """The profiles as they are stored, those that exist."""
        names = [name for name in profile_ids if storable(name)]
        if self._database.is_sqlite:
            return self._stored_sqlite(names)
        rows = self._database.glance(PROFILES, {"ids": names})
        return {row[0]: Stored(row[1], row[2]) for row in rows}

    def _stored_sqlite(self, profile_ids: Sequence[str]) -> dict[str, Stored]:
        path = str(self._database.engine.url.database)
        with self._database.translated():
            reader = self._reader(path)
            rows = [reader.execute(PROFILE, (name,)).fetchone() for name in profile_ids]
            self._readers.append(reader)
        return {name: Stored(*row) for name, row in zip(profile_ids, rows, strict=True) if row}

    def _reader(self, path: str) -> sqlite3.Connection:
        """A connection for each thread that reads at the same time; a pool would cost more than the query."""
        try:
            return self._readers.pop()
        except IndexError:
            return open_sqlite(path)

    def events_of(self, profile_id: str) -> Iterator[Event]:
        if not storable(profile_id):
            return
        for events in self._pages(self._database, 5000, event.c.profile_id == profile_id):
            yield from events

    def scan(
        self, *, since: float | None = None, until: float | None = None, names: Sequence[str] = (), batch: int = 5000
    ) -> Iterator[list[Event]]:
        conditions: list[Any] = []
        if since is not None:
            conditions.append(event.c.happened_at >= since)
        if until is not None:
            conditions.append(event.c.happened_at < until)
        if names:
            conditions.append(event.c.name.in_(names))
        yield from self._pages(self._for_many(), batch, *conditions)

    def _pages(self, database: Database, size: int, *conditions: Any) -> Iterator[list[Event]]:
        last = 0
        while True:
            query = select(*EVENT_COLUMNS).where(event.c.seq > last, *conditions).order_by(event.c.seq).limit(size)
            with database.reading() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            last = rows[-1][0]
            yield [row_event(row) for row in rows]

    def interactions(self, *, after: int = 0, until: int | None = None, batch: int = 10_000) -> Iterator[Interactions]:
        last, end, database = after, MOST if until is None else until, self._for_many()
        while True:
            with database.reading() as connection:
                rows = connection.execute(INTERACTIONS, {"last": last, "until": end, "batch": batch}).all()
            if not rows:
                return
            last = rows[-1][-1]
            yield row_interactions(rows)

    def _for_many(self) -> Database:
        """Where to read many events from: the replica, if all that is committed can be read there."""
        if self._replica is not None and self._replica.follows(self._database):
            return self._replica
        return self._database

    def count(self) -> int:
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(event)).scalar_one()

    def count_visitors(self, since: float, until: float) -> int:
        query = select(func.count(event.c.profile_id.distinct())).where(
            event.c.happened_at >= since, event.c.happened_at < until
        )
        with self._for_many().reading() as connection:
            return connection.execute(query).scalar_one()

    def last_number(self) -> int:
        with self._database.reading() as connection:
            return settled(connection, is_sqlite=self._database.is_sqlite)

    def tail(self, after: int, *, names: Sequence[str] = (), limit: int = 1000) -> tuple[list[tuple[int, Event]], int]:
        with self._database.reading() as connection:
            end = settled(connection, is_sqlite=self._database.is_sqlite)
            wanted = [event.c.seq > after, event.c.seq <= end]
            if names:
                wanted.append(event.c.name.in_(names))
            rows = connection.execute(select(*EVENT_COLUMNS).where(*wanted).order_by(event.c.seq).limit(limit)).all()
        return [(row[0], row_event(row)) for row in rows], rows[-1][0] if len(rows) == limit else max(end, after)

    def profile_ids(self, *, batch: int = 5000) -> Iterator[list[str]]:
        return self._names(profile.c.profile_id, batch, profile.c.last_seq > 0)

    def visitors(self, batch: int) -> Iterator[list[str]]:
        """Ids of all who have events, whether or not there is a profile."""
        return self._names(event.c.profile_id, batch)

    def _names(self, column: Any, size: int, *conditions: Any) -> Iterator[list[str]]:
        last = ""
        while True:
            query = select(column).distinct().where(column > last, *conditions).order_by(column).limit(size)
            with self._database.reading() as connection:
                names = list(connection.execute(query).scalars())
            if not names:
                return
            last = names[-1]
            yield names

    def close(self) -> None:
        """Close what only reads; the database is closed by who opened it."""
        while self._readers:
            self._readers.pop().close()


def _sqlstate(error: BaseException | None) -> str | None:
    while error is not None:
        state = getattr(error, "sqlstate", None)
        if state:
            return str(state)
        error = error.__cause__
    return None

"""What bandits have learnt, in SQLite or PostgreSQL: sums that only ever grow by upserts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..ports import Advance, BanditSum
from .chunks import chunks
from .database import Database
from .schema import bandit_sum as table
from .schema import bandit_version, cursor
from .words import storable

SOME = 500
"""Rows of one statement."""
KEY = ("policy", "segment_id", "arm", "day", "cell")
VERSION = select(bandit_version.c.version).where(bandit_version.c.id == 1)


class _Unchanged(Exception):
    """Takes a transaction back that would change nothing."""


class SqlBandits:
    """Implements :class:`mtp_plugin.ports.BanditState`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        return int(self._database.glance(VERSION)[0][0])

    def sums(self, policy: str) -> list[BanditSum]:
        query = select(table).where(table.c.policy == policy)
        with self._database.reading() as connection:
            return [BanditSum(*row) for row in connection.execute(query)]

    def add(self, sums: Sequence[BanditSum], *, advance: Advance | None = None, now: float = 0.0) -> bool:
        try:
            with self._database.writing() as connection:
                if sums:
                    _next_version(connection)  # first: it is what others wait for
                if advance and not self._moved(connection, advance, now):
                    raise _Unchanged
                self._added(connection, sums)
        except _Unchanged:
            return False
        return True

    def _moved(self, connection: Connection, advance: Advance, now: float) -> bool:
        if not advance.before:
            row = {"name": advance.name, "position": "", "moved_at": now}
            connection.execute(self._insert(cursor).values(row).on_conflict_do_nothing())
        here = update(cursor).where(cursor.c.name == advance.name, cursor.c.position == advance.before)
        return connection.execute(here.values(position=advance.after, moved_at=now)).rowcount == 1

    def _added(self, connection: Connection, sums: Sequence[BanditSum]) -> None:
        together: dict[tuple[Any, ...], float] = {}
        for one in sums:
            key = (one.policy, one.segment_id, one.arm, one.day, one.cell)
            if storable(one.segment_id) and storable(one.arm):
                together[key] = together.get(key, 0.0) + one.value
        rows = [dict(zip(KEY, key, strict=True), value=value) for key, value in sorted(together.items())]
        for some in chunks(rows, SOME):
            new = self._insert(table).values(list(some))
            more = {"value": table.c.value + new.excluded.value}
            connection.execute(new.on_conflict_do_update(index_elements=list(KEY), set_=more))

    def settle(self, policy: str, before: int, discount: float) -> int:
        old = (table.c.policy == policy) & (table.c.day < before)
        try:
            with self._database.writing() as connection:
                _next_version(connection)
                rows = [BanditSum(*row) for row in connection.execute(select(table).where(old))]
                if not rows:
                    raise _Unchanged
                connection.execute(delete(table).where(old))
                self._added(connection, [one.moved(before, discount) for one in rows])
        except _Unchanged:
            return 0
        return len(rows)

    def reset(self, policy: str) -> int:
        with self._database.writing() as connection:
            _next_version(connection)
            return connection.execute(delete(table).where(table.c.policy == policy)).rowcount

    def _insert(self, into: Any) -> Any:
        return sqlite.insert(into) if self._database.is_sqlite else postgresql.insert(into)


def _next_version(connection: Connection) -> None:
    connection.execute(update(bandit_version).values(version=bandit_version.c.version + 1))

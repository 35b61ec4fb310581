"""A journal's transaction on SQLite: the lock on the whole file is held already, so plain statements do.

Many rows go into one statement: each step of a statement lets other threads have the interpreter, and waiting to get it
back from a busy one costs more than the step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from ..records import Event
from .batch import Found, SeenKey, Stored
from .rows import COLUMNS, EventRow, row_event

PROFILE = "SELECT last_seq, body FROM mtp_profile WHERE profile_id = ?"
PROFILES = "SELECT profile_id, last_seq, body FROM mtp_profile WHERE profile_id IN ({})"
SEEN = "SELECT key FROM mtp_message_seen WHERE bucket IN (?, ?) AND key IN ({})"
PERMANENT = "SELECT event_id FROM mtp_event WHERE permanent AND event_id IN ({})"
LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'mtp_event'"
ADD_EVENTS = f"INSERT INTO mtp_event ({COLUMNS}) VALUES {{}}"  # noqa: S608  constants
ADD_SEEN = "INSERT INTO mtp_message_seen (bucket, key) VALUES {}"
PUT_PROFILES = (
    "INSERT INTO mtp_profile (profile_id, last_seq, body) VALUES {} "
    "ON CONFLICT (profile_id) DO UPDATE SET last_seq = excluded.last_seq, body = excluded.body"
)
ADD_STALE = "INSERT INTO mtp_stale_profile (profile_id) VALUES (?)"
HISTORY = f"SELECT {COLUMNS} FROM mtp_event WHERE profile_id = ? ORDER BY seq"  # noqa: S608  constants

MOST = 256
"""Most rows of one statement; a power of two, as are all numbers of rows, so that few statements are ever prepared."""


class SqliteWork:
    """Implements :class:`mtp_plugin.store.batch.Work` on a connection in ``BEGIN IMMEDIATE``."""

    def __init__(self, connection: Any) -> None:
        self._cursor: sqlite3.Cursor = connection.cursor()

    def inspect(
        self, profile_ids: Sequence[str], keys: Sequence[SeenKey], event_ids: Sequence[bytes], count: int
    ) -> Found:
        profiles = {name: Stored(*rest) for name, *rest in self._among(PROFILES, profile_ids)}
        repeated = {row[0] for row in self._among(PERMANENT, event_ids)}
        for bucket in {bucket for bucket, _ in keys}:
            own = sorted([key for of, key in keys if of == bucket])  # neighbours in the file are found faster
            repeated.update(row[0] for row in self._among(SEEN, own, bucket, bucket - 1))
        first = (self._cursor.execute(LAST).fetchone() or (0,))[0] + 1
        return Found(profiles, frozenset(repeated), range(first, first + count))

    def _among(self, statement: str, values: Sequence[Any], *others: Any) -> Iterator[Any]:
        for some in _parts(values):
            yield from self._cursor.execute(_filled(statement, 0, len(some)), (*others, *some)).fetchall()

    def _add(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        for some in _parts(rows):
            self._cursor.execute(_filled(statement, len(some[0]), len(some)), tuple(chain.from_iterable(some)))

    def append(self, rows: Sequence[EventRow], keys: Sequence[SeenKey]) -> None:
        self._add(ADD_EVENTS, rows)
        self._add(ADD_SEEN, sorted(keys))

    def put(self, profiles: Mapping[str, Stored]) -> None:
        self._add(PUT_PROFILES, [(name, *stored) for name, stored in profiles.items()])

    def erase(self, profile_id: str) -> int:
        gone = self._cursor.execute("DELETE FROM mtp_event WHERE profile_id = ?", (profile_id,)).rowcount
        self._cursor.execute("DELETE FROM mtp_profile WHERE profile_id = ?", (profile_id,))
        self._cursor.execute("DELETE FROM mtp_segment_member WHERE profile_id = ?", (profile_id,))
        return gone

    def mark_stale(self, profile_ids: Sequence[str]) -> None:
        self._cursor.executemany(ADD_STALE, [(name,) for name in profile_ids])

    def history(self, profile_ids: Sequence[str]) -> dict[str, list[tuple[int, Event]]]:
        found = {}
        for profile_id in profile_ids:
            rows = self._cursor.execute(HISTORY, (profile_id,)).fetchall()
            if rows:
                found[profile_id] = [(row[0], row_event(row)) for row in rows]
        return found


def _parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The rows in parts whose sizes are powers of two."""
    start = 0
    while left := len(rows) - start:
        size = min(MOST, 1 << (left.bit_length() - 1))
        yield rows[start : start + size]
        start += size


@lru_cache(maxsize=64)
def _filled(statement: str, columns: int, rows: int) -> str:
    """The statement with marks for so many rows; without *columns* a row is one value of a list."""
    mark = f"({', '.join('?' * columns)})" if columns else "?"
    return statement.format(", ".join([mark] * rows))

"""A journal's transaction on SQLite: the lock on the whole file is held already, so plain statements do."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from ..records import Event
from .batch import Found, SeenKey, Stored
from .rows import COLUMNS, EventRow, row_event

PROFILE = "SELECT last_seq, body FROM mtp_profile WHERE profile_id = ?"
SEEN = "SELECT 1 FROM mtp_message_seen WHERE bucket IN (?, ?) AND key = ?"
PERMANENT = "SELECT 1 FROM mtp_event WHERE permanent AND event_id = ?"
LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'mtp_event'"
ADD_EVENT = f"INSERT INTO mtp_event ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  constants
ADD_SEEN = "INSERT INTO mtp_message_seen (bucket, key) VALUES (?, ?)"
PUT_PROFILE = (
    "INSERT INTO mtp_profile (profile_id, last_seq, body) VALUES (?, ?, ?) "
    "ON CONFLICT (profile_id) DO UPDATE SET last_seq = excluded.last_seq, body = excluded.body"
)
ADD_STALE = "INSERT INTO mtp_stale_profile (profile_id) VALUES (?)"
HISTORY = f"SELECT {COLUMNS} FROM mtp_event WHERE profile_id = ? ORDER BY seq"  # noqa: S608  constants


class SqliteWork:
    """Implements :class:`mtp_plugin.store.batch.Work` on a connection in ``BEGIN IMMEDIATE``."""

    def __init__(self, connection: Any) -> None:
        self._cursor: sqlite3.Cursor = connection.cursor()

    def inspect(
        self, profile_ids: Sequence[str], keys: Sequence[SeenKey], event_ids: Sequence[bytes], count: int
    ) -> Found:
        one = self._one
        profiles = {name: Stored(*row) for name in profile_ids if (row := one(PROFILE, (name,)))}
        repeated = {key for bucket, key in keys if one(SEEN, (bucket, bucket - 1, key))}
        repeated.update(event_id for event_id in event_ids if one(PERMANENT, (event_id,)))
        first = (one(LAST, ()) or (0,))[0] + 1
        return Found(profiles, frozenset(repeated), range(first, first + count))

    def _one(self, statement: str, values: tuple[Any, ...]) -> Any:
        return self._cursor.execute(statement, values).fetchone()

    def append(self, rows: Sequence[EventRow], keys: Sequence[SeenKey]) -> None:
        self._cursor.executemany(ADD_EVENT, rows)
        self._cursor.executemany(ADD_SEEN, keys)

    def put(self, profiles: Mapping[str, Stored]) -> None:
        self._cursor.executemany(PUT_PROFILE, [(name, *stored) for name, stored in profiles.items()])

    def erase(self, profile_id: str) -> int:
        gone = self._cursor.execute("DELETE FROM mtp_event WHERE profile_id = ?", (profile_id,)).rowcount
        self._cursor.execute("DELETE FROM mtp_profile WHERE profile_id = ?", (profile_id,))
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

"""A journal's transaction on PostgreSQL: two round trips, rows locked in sorted order, bulk by arrays or COPY."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..records import Event
from .arrays import Array, BytesArray, NumberArray, TextArray
from .batch import Found, SeenKey, Stored
from .numbering import ANNOUNCE
from .rows import COLUMNS, EventRow, row_event

COPY_FROM = 50
"""Rows from which COPY costs less than arrays, by more than its own round trip."""

MAKE_PROFILES = (
    "INSERT INTO mtp_profile (profile_id, last_seq, body) "
    "SELECT new.profile_id, 0, '' FROM unnest(%b) AS new (profile_id) "
    "WHERE NOT EXISTS (SELECT FROM mtp_profile AS known WHERE known.profile_id = new.profile_id) ORDER BY 1 "
    "ON CONFLICT DO NOTHING"
)
LOCK_PROFILES = (
    "SELECT profile_id, last_seq, body FROM mtp_profile WHERE profile_id = ANY(%b) ORDER BY profile_id FOR UPDATE"
)
# Key by key, which the limit asks for: left to itself PostgreSQL likes to read all keys of a window, and there is no
# telling it how many there are, as a new window has no statistics yet.
SEEN = (
    "SELECT sent.key FROM unnest(%b) AS sent (key), LATERAL (SELECT FROM mtp_message_seen AS seen "
    "WHERE seen.bucket = ANY(%b) AND seen.key = sent.key LIMIT 1) AS known"
)
PERMANENT = "SELECT event_id FROM mtp_event WHERE permanent AND event_id = ANY(%b)"
NUMBERS = "SELECT array_agg(nextval('mtp_event_seq_seq')) FROM generate_series(1, %s)"
SEEN_TYPES = ("bigint", "bytea")
TYPES = ("bigint", "bytea", "text", "text", "float8", "float8", "bool", "text", "text")
ADD_EVENTS = f"INSERT INTO mtp_event ({COLUMNS}) SELECT * FROM unnest({', '.join(f'%b::{t}[]' for t in TYPES)})"  # noqa: S608
COPY_EVENTS = f"COPY mtp_event ({COLUMNS}) FROM STDIN (FORMAT BINARY)"
COPY_SEEN = "COPY mtp_message_seen (bucket, key) FROM STDIN (FORMAT BINARY)"
ADD_SEEN = "INSERT INTO mtp_message_seen (bucket, key) SELECT * FROM unnest(%b::bigint[], %b::bytea[])"
PUT_PROFILES = (
    "UPDATE mtp_profile SET last_seq = new.last_seq, body = new.body "
    "FROM unnest(%b, %b, %b) AS new (profile_id, last_seq, body) "
    "WHERE mtp_profile.profile_id = new.profile_id"
)
ADD_PROFILES = (
    "INSERT INTO mtp_profile (profile_id, last_seq, body) SELECT * FROM unnest(%b, %b, %b) ON CONFLICT DO NOTHING"
)
DROP_PROFILES = "DELETE FROM mtp_profile WHERE profile_id = ANY(%b)"
ADD_STALE = "INSERT INTO mtp_stale_profile (profile_id) SELECT unnest(%s::text[])"
HISTORY = f"SELECT {COLUMNS} FROM mtp_event WHERE profile_id = ANY(%s) ORDER BY seq"  # noqa: S608  constants


class Contended(Exception):
    """Another writer was faster; do the whole transaction again."""

    sqlstate = "40001"


class PostgresWork:
    """Implements :class:`mtp_plugin.store.batch.Work` on a psycopg connection in a transaction.

    :param rivals: others are making profiles, too: those of new visitors are made before anything is folded, which
        costs each another write, but whoever comes second waits and need not do everything again
    """

    def __init__(self, connection: Any, *, rivals: bool = False) -> None:
        self._connection, self._rivals = connection, rivals
        self._known: frozenset[str] = frozenset()
        self._empty: frozenset[str] = frozenset()

    def inspect(
        self, profile_ids: Sequence[str], keys: Sequence[SeenKey], event_ids: Sequence[bytes], count: int
    ) -> Found:
        ids, execute = TextArray.of_texts(profile_ids), self._connection.execute
        buckets = NumberArray.of_numbers({near for bucket, _ in keys for near in (bucket, bucket - 1)})
        marks = BytesArray.of(sorted([key for _, key in keys]))  # neighbours in the index are found faster
        with self._connection.pipeline():
            # The profile's lock comes before everything else: what is read after it is what the last writer left.
            # Binary: a profile's bytes as text would be twice as many, to be written and read digit by digit.
            if self._rivals and count:
                execute(MAKE_PROFILES, (ids,))
            profiles = execute(LOCK_PROFILES, (ids,), binary=True)
            seen = execute(SEEN, (marks, buckets), binary=True) if keys else ()
            lasting = execute(PERMANENT, (BytesArray.of(event_ids),), binary=True) if event_ids else ()
            if count:
                execute(ANNOUNCE)
            numbers = execute(NUMBERS, (count,), binary=True)
        locked = {row[0]: Stored(row[1], row[2]) for row in profiles}
        self._known = frozenset(locked)
        self._empty = frozenset([name for name, stored in locked.items() if not stored.last_seq])
        repeated = frozenset(bytes(row[0]) for rows in (seen, lasting) for row in rows)
        return Found(locked, repeated, sorted(numbers.fetchone()[0] or ()))

    def append(self, rows: Sequence[EventRow], keys: Sequence[SeenKey]) -> None:
        self._add(rows, ADD_EVENTS, COPY_EVENTS, TYPES)
        # In order, so that two writers of the same keys wait for each other and do not lock each other out.
        self._add(sorted(keys), ADD_SEEN, COPY_SEEN, SEEN_TYPES)

    def _add(self, rows: Sequence[Sequence[Any]], insert: str, copy_in: str, types: Sequence[str]) -> None:
        if len(rows) < COPY_FROM:
            if rows:
                self._connection.execute(insert, [list(column) for column in zip(*rows, strict=True)])
            return
        with self._connection.cursor() as cursor, cursor.copy(copy_in) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def put(self, profiles: Mapping[str, Stored]) -> None:
        if unused := self._empty - profiles.keys():  # of whom there was nothing new
            self._connection.execute(DROP_PROFILES, (TextArray.of_texts(unused),))
        old = {name: stored for name, stored in profiles.items() if name in self._known}
        new = {name: profiles[name] for name in sorted(profiles.keys() - self._known)}
        if old:
            self._connection.execute(PUT_PROFILES, _columns(old))
        # What was not there could not be locked: if somebody else has made it since, nothing of ours may stand.
        if new and self._connection.execute(ADD_PROFILES, _columns(new)).rowcount < len(new):
            raise Contended("another writer made the same profile")

    def erase(self, profile_id: str) -> int:
        gone = self._connection.execute("DELETE FROM mtp_event WHERE profile_id = %s", (profile_id,)).rowcount
        self._connection.execute("DELETE FROM mtp_profile WHERE profile_id = %s", (profile_id,))
        self._connection.execute("DELETE FROM mtp_segment_member WHERE profile_id = %s", (profile_id,))
        return int(gone)

    def mark_stale(self, profile_ids: Sequence[str]) -> None:
        self._connection.execute(ADD_STALE, (list(profile_ids),))

    def history(self, profile_ids: Sequence[str]) -> dict[str, list[tuple[int, Event]]]:
        found: dict[str, list[tuple[int, Event]]] = {}
        for row in self._connection.execute(HISTORY, (list(profile_ids),)):
            event = row_event(row)
            found.setdefault(event.profile_id, []).append((row[0], event))
        return found


def _columns(profiles: Mapping[str, Stored]) -> tuple[Array, Array, Array]:
    numbers, bodies = zip(*profiles.values(), strict=True)
    return TextArray.of_texts(profiles), NumberArray.of_numbers(numbers), BytesArray.of(bodies)

"""Up to which number events can be read: PostgreSQL's writers number rows before they commit.

A writer on PostgreSQL says before it takes numbers that all of its own will be above one that was given out already, by
an advisory lock that it shares with others and that ends with its transaction, however that ends. So who reads knows
below which number nobody is at work, for however long a transaction stays open.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text

from .schema import event

TAG = 0x6D74
"""The highest 16 of the 64 bits of a lock's key; the rest is the number."""
BITS = 48

ANNOUNCE = (
    f"SELECT pg_advisory_xact_lock_shared({TAG}::bigint << {BITS} | last_value - (NOT is_called)::int) "  # noqa: S608
    "FROM mtp_event_seq_seq"
)
"""Before numbers are taken, in the same transaction: they will be above the last that was given out by now."""
AT_WORK = text(
    f"SELECT min((classid::bigint << 32 | objid::bigint) & {(1 << BITS) - 1}) FROM pg_locks "  # noqa: S608  constants
    f"WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> {BITS - 32} = {TAG} "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
"""The number above which somebody may be at work; nothing when nobody is."""


def settled(connection: Connection, *, is_sqlite: bool) -> int:
    """The last number before which nothing can come; rows up to it are seen by a statement that comes after."""
    last = int(connection.execute(select(func.max(event.c.seq))).scalar() or 0)
    if is_sqlite:
        return last
    # Whoever holds one of the numbers so far was announced before this is asked, or has committed.
    above = connection.execute(AT_WORK).scalar()
    return last if above is None else min(last, int(above))

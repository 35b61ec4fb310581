"""Events of PostgreSQL in a table a month, so that old ones go by dropping a table and writing fills small indexes.

A database has one table until ``flask mtp partition-events`` splits it. Months are those of ``received_at``, in UTC.
The numbers of events go on as before; that a permanent event is there once is seen to by its profile's lock, for an
index over all months cannot be unique without the time in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

AHEAD = 3
"""Months made beforehand: the job that makes more runs daily."""
REST = "mtp_event_rest"
"""Takes what no month takes, such as events of a clock that runs ahead."""
BEFORE = "mtp_event_before"
"""Everything from before the table was split."""

KIND = text("SELECT relkind::text FROM pg_class WHERE oid = to_regclass('mtp_event')")
INDEXES = text(
    "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE i.indrelid = 'mtp_event'::regclass AND NOT i.indisprimary ORDER BY 1"
)
PRIMARY = text("SELECT conname FROM pg_constraint WHERE conrelid = 'mtp_event'::regclass AND contype = 'p'")
PARTS = text(
    "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid "
    "WHERE h.inhparent = 'mtp_event'::regclass ORDER BY 1"
)
UNTIL = re.compile(r"TO \('([^']+)'\)")


class Month(NamedTuple):
    """A month: its table, and from when (inclusive) to when (exclusive) it goes, seconds since 1970."""

    table: str
    start: int
    end: int


def months(after: float, count: int) -> Iterator[Month]:
    """The month of *after* and those that follow it.

    >>> [month.table for month in months(1_795_000_000.0, 3)]
    ['mtp_event_p202611', 'mtp_event_p202612', 'mtp_event_p202701']
    """
    moment = datetime.fromtimestamp(after, UTC)
    year, number = moment.year, moment.month
    for _ in range(count):
        following = (year + 1, 1) if number == 12 else (year, number + 1)
        start, end = (int(datetime(*at, 1, tzinfo=UTC).timestamp()) for at in ((year, number), following))
        yield Month(f"mtp_event_p{year}{number:02d}", start, end)
        year, number = following


def is_split(connection: Connection) -> bool:
    """Whether events are in a table a month."""
    return connection.execute(KIND).scalar() == "p"


def split(connection: Connection, now: float) -> None:
    """Put the one table under a new one as its first part, and make months from the next one on.

    Nothing is copied; PostgreSQL reads the table once and makes its new primary key. Writers wait meanwhile.
    """
    connection.execute(text("LOCK TABLE mtp_event IN ACCESS EXCLUSIVE MODE"))
    newest = connection.execute(text("SELECT max(received_at) FROM mtp_event")).scalar() or 0.0
    bound = next(months(max(now, newest), 1)).end
    for primary in connection.execute(PRIMARY).scalars().all():
        connection.execute(text(f"ALTER TABLE mtp_event DROP CONSTRAINT {primary}"))
    indexes = connection.execute(INDEXES).all()
    connection.execute(text(f"ALTER TABLE mtp_event RENAME TO {BEFORE}"))
    kept = "INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING STORAGE"
    connection.execute(text(f"CREATE TABLE mtp_event (LIKE {BEFORE} {kept}) PARTITION BY RANGE (received_at)"))
    connection.execute(text("ALTER TABLE mtp_event ADD CONSTRAINT mtp_event_pkey PRIMARY KEY (seq, received_at)"))
    connection.execute(text("ALTER SEQUENCE mtp_event_seq_seq OWNED BY mtp_event.seq"))
    for name, definition in indexes:
        if definition.startswith("CREATE UNIQUE"):
            connection.execute(text(f"DROP INDEX {name}"))
        else:
            connection.execute(text(f"ALTER INDEX {name} RENAME TO {name}_before"))
        connection.exec_driver_sql(definition.replace("CREATE UNIQUE", "CREATE", 1).replace("%", "%%"))
    connection.execute(text(f"ALTER TABLE mtp_event ATTACH PARTITION {BEFORE} FOR VALUES FROM (MINVALUE) TO ({bound})"))
    connection.execute(text(f"CREATE TABLE {REST} PARTITION OF mtp_event DEFAULT"))
    make_months(connection, now)


def make_months(connection: Connection, now: float) -> list[str]:
    """Make the months to come that are not there; gives their tables."""
    parts = connection.execute(PARTS).all()
    there = {name for name, _ in parts}
    covered = max((end for _, bound in parts if (end := _end(bound)) is not None), default=0)
    made = [month for month in months(now, AHEAD + 1) if month.table not in there and month.start >= covered]
    for table, start, end in made:
        connection.execute(text(f"CREATE TABLE {table} (LIKE mtp_event INCLUDING ALL)"))
        moved = f"DELETE FROM {REST} WHERE received_at >= {start} AND received_at < {end} RETURNING *"  # noqa: S608
        connection.execute(text(f"WITH moved AS ({moved}) INSERT INTO {table} SELECT * FROM moved"))  # noqa: S608
        connection.execute(text(f"ALTER TABLE mtp_event ATTACH PARTITION {table} FOR VALUES FROM ({start}) TO ({end})"))
    return [month.table for month in made]


def over(connection: Connection, before: float) -> list[str]:
    """The tables all of whose events were received before this time."""
    parts = connection.execute(PARTS).all()
    return [name for name, bound in parts if (end := _end(bound)) is not None and end <= before]


def drop(connection: Connection, table: str) -> int:
    """Drop a month; gives how many events it had."""
    count = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  a name of ours
    connection.execute(text(f"DROP TABLE {table}"))
    return int(count)


def _end(bound: str) -> float | None:
    found = UNTIL.search(bound)
    return float(found[1]) if found else None

"""Visits and views of the whole shop by day: where the funnel begins, before any block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from ..kpi.days import HOUR_S, DayOf
from .chunks import chunks
from .database import Database
from .numbering import settled
from .reaching import hold, marked, reach, reading_again, take
from .schema import event, kpi_shop
from .words import storable

CURSOR = "kpi-visits"
VIEW = "Product Viewed"
SOME = 400


class KpiVisits:
    """The half of :class:`mtp_plugin.store.sql_kpi.SqlKpis` that reads events.

    A visitor counts once a day: with the first event of the day that is read. So every event is looked at once, and the
    earlier ones of those who come again the same day.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @reading_again
    def add_visits(self, limit: int, day_of: DayOf) -> int:
        columns = event.c.seq, event.c.name, event.c.profile_id, event.c.happened_at
        with self._database.reading() as connection:
            mark = marked(connection, CURSOR)
            last = mark[0]
            end = settled(connection, is_sqlite=self._database.is_sqlite)
            query = select(*columns).where(event.c.seq > last, event.c.seq <= end).order_by(event.c.seq).limit(limit)
            rows = connection.execute(query).all()
            if not rows:
                return 0
            came = [(day_of(int(at // HOUR_S)), name, who) for _, name, who, at in rows]
            visits = {(day, who) for day, _, who in came}
            visits -= _before(connection, {who for _, who in visits}, last, min(row[3] for row in rows), day_of)
        views = Counter(day for day, name, _ in came if name == VIEW)
        with self._database.writing() as connection:
            # An erasure in between has held the mark, too.
            take(connection, CURSOR, mark)
            self._add(connection, Counter(day for day, _ in visits), views)
            reach(connection, CURSOR, rows[-1][0])
        return len(rows)

    def erase_events(self, profile_ids: Sequence[str], day_of: DayOf) -> int:
        visits, views, gone = Counter[int](), Counter[int](), 0
        with self._database.writing() as connection:
            last = hold(connection, CURSOR)
            for who in filter(storable, dict.fromkeys(profile_ids)):
                query = select(event.c.name, event.c.happened_at).where(event.c.profile_id == who, event.c.seq <= last)
                came = [(name, day_of(int(at // HOUR_S))) for name, at in connection.execute(query)]
                visits.subtract(dict.fromkeys((day for _, day in came), 1))
                views.subtract(Counter(day for name, day in came if name == VIEW))
                gone += connection.execute(delete(event).where(event.c.profile_id == who)).rowcount
            self._add(connection, visits, views)
        return gone

    def _add(self, connection: Connection, visits: Counter[int], views: Counter[int]) -> None:
        rows = [
            {"day": day, "orders": 0.0, "revenue": 0.0, "refunds": 0.0, "visits": visits[day], "views": views[day]}
            for day in sorted(visits.keys() | views.keys())
        ]
        if not rows:
            return
        new: Any = sqlite.insert(kpi_shop) if self._database.is_sqlite else postgresql.insert(kpi_shop)
        more = {name: kpi_shop.c[name] + new.excluded[name] for name in ("visits", "views")}
        connection.execute(new.on_conflict_do_update(index_elements=["day"], set_=more), rows)


def _before(
    connection: Connection, visitors: Iterable[str], last: int, since: float, day_of: DayOf
) -> set[tuple[int, str]]:
    """The days on which these visitors were counted already."""
    found: set[tuple[int, str]] = set()
    # A day has no more than 25 hours: what is earlier is of another one.
    recent = event.c.seq <= last, event.c.happened_at >= since - 25 * HOUR_S
    hour = func.floor(event.c.happened_at / HOUR_S)
    for some in chunks(sorted(visitors), SOME):
        query = select(event.c.profile_id, hour).where(event.c.profile_id.in_(some), *recent).distinct()
        found |= {(day_of(int(at)), who) for who, at in connection.execute(query)}
    return found

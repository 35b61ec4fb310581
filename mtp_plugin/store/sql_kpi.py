"""Sums over slates by hour and day, in SQLite or PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Integer, Table, cast, delete, func, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite

from ..kpi.days import HOUR_S
from ..kpi.measures import SUMS
from ..kpi.sketch import REGISTERS, Registers, estimates
from ..ports import KpiRow, ShopDay
from ..records import Event, FloatArray
from .chunks import chunks
from .kpi_columns import BITS, NAMES
from .kpi_counts import KpiCounts
from .kpi_sketches import read_sketches
from .kpi_tables import CUBES, DAY, EXPERIMENT, HOUR, POSITION
from .kpi_visits import KpiVisits
from .rows import row_event
from .schema import (
    ORDERS,
    event,
    kpi,
    kpi_dirty,
    kpi_experiment,
    kpi_group,
    kpi_position,
    kpi_shop,
    kpi_sketch,
    outcome,
    slate,
    slate_profile,
)
from .sql_journal import EVENT_COLUMNS
from .words import storable

SOME = 400
SHOP = ShopDay.__struct_fields__


class SqlKpis(KpiCounts, KpiVisits):
    """Implements :class:`mtp_plugin.ports.KpiBook`."""

    # ------------------------------------------------------------------------------------------- what is to be done

    def oldest(self) -> float | None:
        with self._database.reading() as connection:
            return connection.execute(select(func.min(slate.c.created_at))).scalar()

    def orders(self, since: float, until: float) -> list[Event]:
        # In so many words, or the index of orders is not taken.
        query = select(*EVENT_COLUMNS).where(text(ORDERS), event.c.happened_at >= since, event.c.happened_at < until)
        with self._database.reading() as connection:
            return [row_event(row) for row in connection.execute(query.order_by(event.c.seq))]

    def mark(self, hours: Iterable[int], at: float) -> None:
        rows = [{"hour": hour, "at": at} for hour in sorted(set(hours))]
        if not rows:
            return
        new: Any = sqlite.insert(kpi_dirty) if self._database.is_sqlite else postgresql.insert(kpi_dirty)
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=["hour"], set_={"at": new.excluded.at}), rows)

    def marked(self) -> dict[int, float]:
        with self._database.reading() as connection:
            return {row.hour: row.at for row in connection.execute(select(kpi_dirty))}

    def unmark(self, hours: Iterable[int], before: float) -> None:
        with self._database.writing() as connection:
            for some in chunks(sorted(set(hours)), SOME):
                connection.execute(delete(kpi_dirty).where(kpi_dirty.c.hour.in_(some), kpi_dirty.c.at < before))

    def of_visitors(self, profile_ids: Sequence[str]) -> set[int]:
        hour = cast(func.floor(slate.c.created_at / HOUR_S), Integer)
        found: set[int] = set()
        with self._database.reading() as connection:
            for name in filter(storable, profile_ids):
                own = select(slate_profile.c.recommendation_id).where(slate_profile.c.profile_id == name)
                part = select(outcome.c.recommendation_id).where(outcome.c.profile_id == name)
                query = select(hour).where(or_(slate.c.recommendation_id.in_(own), slate.c.recommendation_id.in_(part)))
                found.update(connection.execute(query.distinct()).scalars())
        return found

    # --------------------------------------------------------------------------------------------------------- reading

    def totals(
        self, first: int, last: int, by: Sequence[str] = (), where: Mapping[str, str] | None = None
    ) -> list[KpiRow]:
        return self._read(kpi, NAMES, first, last, by, where or {})

    def days(self, dimension: str, first: int, last: int) -> dict[tuple[str, int], FloatArray]:
        columns = [kpi_group.c[name] for name in ("key", "day", *SUMS)]
        query = select(*columns).where(*_days(kpi_group.c.day, first, last), kpi_group.c.dimension == dimension)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return {}
        sums = np.array([row[2:] for row in rows], np.float64)
        return {(row[0], row[1]): sums[place] for place, row in enumerate(rows)}

    def products(self, dimension: str, first: int, last: int) -> dict[str, float]:
        cells, registers = self._registers(dimension, first, last)
        starts = [place for place, (key, _) in enumerate(cells) if not place or key != cells[place - 1][0]]
        if not starts:
            return {}
        parts = pairwise((*starts, len(cells)))
        about = estimates(np.array([registers[start:end].max(axis=0) for start, end in parts])).tolist()
        return {cells[start][0]: one for start, one in zip(starts, about, strict=True)}

    def products_by_day(self, dimension: str, first: int, last: int) -> dict[tuple[str, int], float]:
        cells, registers = self._registers(dimension, first, last)
        return dict(zip(cells, estimates(registers).tolist(), strict=True))

    def _registers(self, dimension: str, first: int, last: int) -> tuple[list[tuple[str, int]], Registers]:
        """Groups and days in order, and the registers of each."""
        with self._database.reading() as connection:
            rows = sorted(read_sketches(connection, dimension, first, last))
        registers = np.frombuffer(b"".join(row[2] for row in rows), np.uint8).reshape(len(rows), REGISTERS)
        return [row[:2] for row in rows], registers

    def few(self, first: int, last: int, least: int, where: Mapping[str, str] | None = None) -> set[str]:
        return {cell[0] for cell in self._few(first, last, least, where or {}, daily=False)}

    def few_by_day(
        self, first: int, last: int, least: int, where: Mapping[str, str] | None = None
    ) -> set[tuple[str, int]]:
        return {(cell[0], cell[1]) for cell in self._few(first, last, least, where or {}, daily=True)}

    def _few(self, first: int, last: int, least: int, where: Mapping[str, str], *, daily: bool) -> set[tuple[Any, ...]]:
        """Segments, or segments and days, that fewer known visitors had."""
        if where:
            table, name, day = kpi, kpi.c.segment_id, kpi.c.at
            within = [kpi.c.span == DAY, *(kpi.c[key] == value for key, value in where.items())]
        else:
            table, name, day = kpi_group, kpi_group.c.key, kpi_group.c.day
            within = [kpi_group.c.dimension == "segment_id"]
        within += [*_days(day, first, last), name != ""]
        keys = (name, day) if daily else (name,)
        counts = select(*keys, func.max(table.c.known)).where(*within).group_by(*keys)
        with self._database.reading() as connection:
            # Who has enough visitors in one cell has them together; only the others are looked at closely.
            rows = connection.execute(counts).all()
            people = dict.fromkeys((tuple(cell) for *cell, most in rows if 0 < most < least), 0)
            for some in chunks(sorted({cell[0] for cell in people}), SOME):
                marks = select(*keys, table.c.people).where(*within, name.in_(some))
                for *cell, marked in connection.execute(marks.where(table.c.people.is_not(None))):
                    if tuple(cell) in people:
                        people[tuple(cell)] |= int.from_bytes(marked, "big")
        return {cell for cell, marked in people.items() if _about(marked.bit_count()) < least}

    def experiments(self, first: int, last: int, by: Sequence[str] = ()) -> list[KpiRow]:
        return self._read(kpi_experiment, EXPERIMENT, first, last, by, {})

    def positions(self, first: int, last: int) -> list[KpiRow]:
        return self._read(kpi_position, POSITION, first, last, POSITION, {})

    def _read(
        self, table: Table, names: Sequence[str], first: int, last: int, by: Sequence[str], where: Mapping[str, str]
    ) -> list[KpiRow]:
        unknown = [name for name in (*by, *where) if name not in (*names, "day")]
        if unknown:
            raise ValueError(f"there is no {unknown[0]!r} among {', '.join((*names, 'day'))}")
        keys = [table.c.at if name == "day" else table.c[name] for name in by]
        within = [table.c.span == DAY, table.c.at >= first, table.c.at < last]
        within += [table.c[name] == value for name, value in where.items()]
        query = select(*keys, *(func.coalesce(func.sum(table.c[name]), 0.0) for name in SUMS)).where(*within)
        with self._database.reading() as connection:
            found = {
                tuple(map(str, row[: len(keys)])): dict(zip(SUMS, map(float, row[len(keys) :]), strict=True))
                for row in connection.execute(query.group_by(*keys).order_by(*keys) if keys else query)
            }
        return [KpiRow(of=cell, sums=sums) for cell, sums in found.items()]

    # ----------------------------------------------------------------------------------------------- the whole shop

    def put_shop(self, day: ShopDay) -> None:
        values = {name: getattr(day, name) for name in ("orders", "revenue", "refunds", "gini")}
        new: Any = sqlite.insert(kpi_shop) if self._database.is_sqlite else postgresql.insert(kpi_shop)
        with self._database.writing() as connection:
            row = new.values(day=day.day, **values)
            connection.execute(row.on_conflict_do_update(index_elements=["day"], set_=values))

    def shop(self, first: int, last: int) -> list[ShopDay]:
        query = select(*(kpi_shop.c[name] for name in SHOP)).where(kpi_shop.c.day >= first, kpi_shop.c.day < last)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(kpi_shop.c.day))
            return [ShopDay(**dict(zip(SHOP, row, strict=True))) for row in rows]

    def purge(self, *, hours_before: int, days_before: int) -> int:
        gone = 0
        with self._database.writing() as connection:
            for table, _ in CUBES:
                for span, before in ((HOUR, hours_before), (DAY, days_before)):
                    old = delete(table).where(table.c.span == span, table.c.at < before)
                    gone += connection.execute(old).rowcount
            for daily in (kpi_group, kpi_sketch, kpi_shop):
                gone += connection.execute(delete(daily).where(daily.c.day < days_before)).rowcount
        return gone


def _days(column: Any, first: int, last: int) -> tuple[Any, Any]:
    return column >= first, column < last


def _about(bits: int) -> float:
    """How many visitors set so many bits, by linear counting (Whang et al. 1990)."""
    return -BITS * math.log(1 - bits / BITS) if bits < BITS else math.inf

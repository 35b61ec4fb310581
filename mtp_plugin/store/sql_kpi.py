"""Sums over slates by hour and day, counted by the database."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection, Integer, Table, and_, case, cast, delete, func, insert, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite

from ..kpi.measures import BUCKETS_MS, SUMS, bucket
from ..ports import KpiRow, ShopDay
from ..records import Event
from .chunks import chunks
from .database import Database
from .rows import row_event
from .schema import ORDERS, event, kpi, kpi_dirty, kpi_experiment, kpi_position, kpi_shop, outcome, slate, slate_profile
from .sql_journal import EVENT_COLUMNS
from .words import storable

HOUR_S = 3600.0
HOUR, DAY = 0, 1
"""Spans."""
BITS = 2048
"""Hashes that known visitors are counted by: as many bits as are set, so many there were at least."""
SOME = 400
NAMES = ("placement", "strategy", "segment_id", "device", "consent_level")
SHOP = ShopDay.__struct_fields__
CUBES = ((kpi, NAMES), (kpi_experiment, ("experiment", "variation")), (kpi_position, ("placement", "position")))

Cell = tuple[str, ...]
Sums = dict[str, float]


@dataclass(slots=True)
class Counted:
    """A cell as it is counted."""

    sums: Sums
    people: int = 0


class SqlKpis:
    """Implements :class:`mtp_plugin.ports.KpiBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ------------------------------------------------------------------------------------------- what is to be done

    def oldest(self) -> float | None:
        with self._database.reading() as connection:
            return connection.execute(select(func.min(slate.c.created_at))).scalar()

    def signature(self, since: float) -> str:
        query = select(func.count(), func.max(slate.c.created_at)).where(slate.c.created_at >= since)
        with self._database.reading() as connection:
            count, last = connection.execute(query).one()
        return f"{count}/{last}"

    def orders(self, since: float, until: float) -> list[Event]:
        # In so many words, or the index of orders is not taken.
        query = select(*EVENT_COLUMNS).where(text(ORDERS), event.c.happened_at >= since, event.c.happened_at < until)
        with self._database.reading() as connection:
            return [row_event(row) for row in connection.execute(query.order_by(event.c.seq))]

    def touched(self, after: int, limit: int) -> tuple[list[str], int]:
        columns = outcome.c.number, outcome.c.recommendation_id
        query = select(*columns).where(outcome.c.number > after).order_by(outcome.c.number).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [row.recommendation_id for row in rows], rows[-1].number if rows else after

    def last_outcome(self) -> int:
        with self._database.reading() as connection:
            return connection.execute(select(func.max(outcome.c.number))).scalar() or 0

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

    # ------------------------------------------------------------------------------------------------------- counting

    def recount(self, hours: Sequence[int]) -> None:
        found = []
        for hour in hours:
            with self._database.reading() as connection:
                cells = self._slates(connection, hour)
                positions = self._outcomes(connection, hour, cells) if cells else {}
                experiments = self._experiments(connection, hour) if cells else {}
                if cells:
                    self._people(connection, hour, cells)
            found.append((hour, (cells, experiments, positions)))
            time.sleep(0)  # a job is not to keep requests of this process from their turn
        with self._database.writing() as connection:
            for hour, counted in found:
                for (table, names), some in zip(CUBES, counted, strict=True):
                    self._put(connection, table, HOUR, hour, names, some)

    def _slates(self, connection: Connection, hour: int) -> dict[Cell, Counted]:
        keys, took = [slate.c[name] for name in NAMES], _bucket()
        sums = func.count(), _count(slate.c["items"] == 0), _count(slate.c.fallback_level > 0)
        found: dict[Cell, Counted] = {}
        for row in connection.execute(select(*keys, took, *sums).where(_within(hour)).group_by(*keys, took)):
            place, *counts = row[len(keys) :]
            told = _cell(found, tuple(row[: len(keys)])).sums
            for name, count in zip(("slates", "empty", "fallback"), counts, strict=True):
                told[name] += float(count)
            told[f"took_{place}"] += float(counts[0])
        return found

    def _outcomes(self, connection: Connection, hour: int, cells: dict[Cell, Counted]) -> dict[Cell, Counted]:
        """Add what came of the slates to their cells; gives it by placement and position, too.

        A slate of six that was seen has shown each of its first six places.
        """
        keys = [slate.c[name] for name in NAMES]
        positions: dict[Cell, Counted] = {}
        by = (*keys, slate.c["items"], outcome.c.kind, outcome.c.position)
        sums = func.sum(_sign()), func.sum(outcome.c.value), func.sum(outcome.c.margin)
        for row in connection.execute(_joined(hour, *by, *sums).group_by(*by)):
            *cell, items, kind, position, count, value, margin = row
            _tell(_cell(cells, tuple(cell)).sums, kind, count, value, margin)
            if kind == "seen":
                for place in range(1, items + 1):
                    _cell(positions, (row.placement, f"{place:02d}")).sums["seen"] += float(count)
            elif position > 0:
                _tell(_cell(positions, (row.placement, f"{position:02d}")).sums, kind, count, value, margin)
        for row in connection.execute(_clicked(hour, keys)):
            _cell(cells, tuple(row[:-1])).sums["clicked"] += float(row[-1])
        by_place = [slate.c.placement, outcome.c.position]
        for placement, position, count in connection.execute(_clicked(hour, by_place, outcome.c.position > 0)):
            _cell(positions, (placement, f"{position:02d}")).sums["clicked"] += float(count)
        for row in connection.execute(_ordered(hour, keys)):
            _cell(cells, tuple(row[:-1])).sums["orders"] = float(row[-1])
        return positions

    def _people(self, connection: Connection, hour: int, cells: dict[Cell, Counted]) -> None:
        """Only where a group is one of people: of a segment."""
        keys = [slate.c[name] for name in NAMES]
        query = (
            select(*keys, slate_profile.c.profile_id)
            .join_from(slate_profile, slate, slate_profile.c.recommendation_id == slate.c.recommendation_id)
            .where(_within(hour), slate.c.segment_id != "")
            .distinct()
        )
        for row in connection.execute(query):
            _cell(cells, tuple(row[:-1])).people |= 1 << _bit(row[-1])

    def _experiments(self, connection: Connection, hour: int) -> dict[Cell, Counted]:
        """Of slates that an experiment made a difference to: few, so they are read one by one."""
        columns = (
            slate.c.recommendation_id,
            slate.c.experiments,
            slate.c["items"],
            slate.c.fallback_level,
            slate.c.took_us,
        )
        cells: dict[Cell, Counted] = {}
        of_slate: dict[str, list[Cell]] = {}
        for name, exposed, items, level, took in connection.execute(
            select(*columns).where(_within(hour), slate.c.experiments != "[]")
        ):
            for key, variation in msgspec.json.decode(exposed, type=list[tuple[str, int]]):
                cell = (key, str(variation))
                of_slate.setdefault(name, []).append(cell)
                sums = _cell(cells, cell).sums
                sums["slates"] += 1
                sums["empty"] += not items
                sums["fallback"] += level > 0
                sums[f"took_{bucket(took)}"] += 1
        for some in chunks(list(of_slate), SOME):
            among = outcome.c.recommendation_id.in_(some)
            name, by = outcome.c.recommendation_id, (outcome.c.recommendation_id, outcome.c.kind)
            totals = func.sum(_sign()), func.sum(outcome.c.value), func.sum(outcome.c.margin)
            for row in connection.execute(_joined(hour, *by, *totals).where(among).group_by(*by)):
                for one in of_slate[row[0]]:
                    _tell(cells[one].sums, *row[1:])
            for found, count in connection.execute(_clicked(hour, [name], among)):
                for one in of_slate[found]:
                    cells[one].sums["clicked"] += float(count)
            for found, count in connection.execute(_ordered(hour, [name], among)):
                for one in of_slate[found]:
                    cells[one].sums["orders"] += float(count)
        return cells

    # --------------------------------------------------------------------------------------------------------- writing

    def sum_day(self, day: int, hours: Sequence[int]) -> None:
        for table, names in CUBES:
            keys = [table.c[name] for name in names]
            sums = [func.sum(table.c[name]) for name in SUMS]
            within = table.c.span == HOUR, table.c.at >= min(hours), table.c.at <= max(hours)
            with self._database.writing() as connection:
                cells = {
                    tuple(row[: len(keys)]): Counted(dict(zip(SUMS, map(float, row[len(keys) :]), strict=True)))
                    for row in connection.execute(select(*keys, *sums).where(*within).group_by(*keys))
                }
                for row in connection.execute(
                    select(*keys, table.c.people).where(*within, table.c.people.is_not(None))
                ):
                    cells[tuple(row[:-1])].people |= int.from_bytes(row[-1], "big")
                self._put(connection, table, DAY, day, names, cells)

    def _put(
        self, connection: Connection, table: Table, span: int, at: int, names: Sequence[str], cells: dict[Cell, Counted]
    ) -> None:
        connection.execute(delete(table).where(table.c.span == span, table.c.at == at))
        rows = [
            {
                "span": span,
                "at": at,
                **dict(zip(names, cell, strict=True)),
                **one.sums,
                "known": one.people.bit_count(),
                "people": _packed(one.people),
            }
            for cell, one in cells.items()
        ]
        if rows:
            connection.execute(insert(table), rows)

    # --------------------------------------------------------------------------------------------------------- reading

    def totals(
        self, first: int, last: int, by: Sequence[str] = (), where: Mapping[str, str] | None = None
    ) -> list[KpiRow]:
        return self._read(kpi, NAMES, first, last, by, where or {})

    def few(self, first: int, last: int, least: int, where: Mapping[str, str] | None = None) -> set[str]:
        within = [kpi.c.span == DAY, kpi.c.at >= first, kpi.c.at < last, kpi.c.segment_id != ""]
        within += [kpi.c[name] == value for name, value in (where or {}).items()]
        counts = select(kpi.c.segment_id, func.max(kpi.c.known)).where(*within).group_by(kpi.c.segment_id)
        with self._database.reading() as connection:
            # Who has enough visitors in one cell has them together; only the others are looked at closely.
            open_ = {name for name, most in connection.execute(counts) if 0 < most < least}
            people = dict.fromkeys(open_, 0)
            for some in chunks(sorted(open_), SOME):
                marks = select(kpi.c.segment_id, kpi.c.people).where(*within, kpi.c.segment_id.in_(some))
                for name, marked in connection.execute(marks.where(kpi.c.people.is_not(None))):
                    people[name] |= int.from_bytes(marked, "big")
        return {name for name, marked in people.items() if _about(marked.bit_count()) < least}

    def experiments(self, first: int, last: int, by: Sequence[str] = ()) -> list[KpiRow]:
        return self._read(kpi_experiment, ("experiment", "variation"), first, last, by, {})

    def positions(self, first: int, last: int) -> list[KpiRow]:
        names = ("placement", "position")
        return self._read(kpi_position, names, first, last, names, {})

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
        with self._database.writing() as connection:
            connection.execute(delete(kpi_shop).where(kpi_shop.c.day == day.day))
            connection.execute(insert(kpi_shop).values(msgspec.structs.asdict(day)))

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
            gone += connection.execute(delete(kpi_shop).where(kpi_shop.c.day < days_before)).rowcount
        return gone


# ------------------------------------------------------------------------------------------------------------- queries


def _within(hour: int) -> Any:
    return and_(slate.c.created_at >= hour * HOUR_S, slate.c.created_at < (hour + 1) * HOUR_S)


def _count(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _sign() -> Any:
    return case((outcome.c.quantity > 0, 1.0), (outcome.c.quantity < 0, -1.0), else_=0.0)


def _bucket() -> Any:
    ends = [(slate.c.took_us <= 1000 * end, place) for place, end in enumerate(BUCKETS_MS)]
    return case(*ends, else_=len(BUCKETS_MS))


def _joined(hour: int, *columns: Any) -> Any:
    """Outcomes of the slates of an hour, with their slates."""
    on = outcome.c.recommendation_id == slate.c.recommendation_id
    return select(*columns).join_from(outcome, slate, on).where(_within(hour))


def _clicked(hour: int, keys: Sequence[Any], *conditions: Any) -> Any:
    """By key how often something was clicked, once a slate and visitor; clicks that were taken back are none."""
    by = [key.label(f"key_{place}") for place, key in enumerate(keys)]
    whose = (outcome.c.recommendation_id, outcome.c.profile_id)
    each = _joined(hour, *by).where(outcome.c.kind == "click", *conditions).group_by(*keys, *whose)
    each = each.having(func.sum(_sign()) > 0).subquery()
    found = [each.c[f"key_{place}"] for place in range(len(keys))]
    return select(*found, func.count()).group_by(*found)


def _ordered(hour: int, keys: Sequence[Any], *conditions: Any) -> Any:
    """By key how many orders are owed; one that was taken back is none."""
    by = [key.label(f"key_{place}") for place, key in enumerate(keys)]
    order = outcome.c.order_id
    bought = _joined(hour, *by, order).where(outcome.c.kind == "purchase", *conditions)
    each = bought.group_by(*keys, outcome.c.recommendation_id, order).having(func.sum(_sign()) > 0).subquery()
    found = [each.c[f"key_{place}"] for place in range(len(keys))]
    return select(*found, func.count(each.c.order_id.distinct())).group_by(*found)


# --------------------------------------------------------------------------------------------------------------- cells


COUNTS = {"seen": "seen", "click": "clicks", "cart": "carts", "purchase": "purchases"}


def _tell(sums: Sums, kind: str, count: Any, value: Any, margin: Any) -> None:
    """Add what came of slates, of one kind."""
    if kind in COUNTS:
        sums[COUNTS[kind]] += float(count)
    if kind in ("purchase", "refund"):
        sums["revenue"] += float(value)
        sums["margin"] += float(margin)
    if kind == "refund":
        sums["refunds"] += float(value)


def _cell(cells: dict[Cell, Counted], key: Cell) -> Counted:
    found = cells.get(key)
    if found is None:
        found = cells[key] = Counted(dict.fromkeys(SUMS, 0.0))
    return found


def _about(bits: int) -> float:
    """How many visitors set so many bits, by linear counting (Whang et al. 1990)."""
    return -BITS * math.log(1 - bits / BITS) if bits < BITS else math.inf


def _bit(profile_id: str) -> int:
    return int.from_bytes(blake2b(profile_id.encode(), digest_size=4).digest(), "big") % BITS


def _packed(people: int) -> bytes | None:
    return people.to_bytes(BITS // 8, "big") if people else None

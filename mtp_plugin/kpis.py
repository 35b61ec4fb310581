"""Key figures by hour and day: kept right by counting anew every hour that anything happened to.

Hours are those in which slates were made: what comes of a slate later counts there. So an hour changes when a slate is
made, when something comes of one (late, or given back), and when a visitor is erased; such hours are counted anew as
a whole, from the slates and outcomes that there are. What retention has deleted is not counted again: those hours stay
as they were.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from .errors import InputError
from .feedback.orders import GIVEN_BACK, PURCHASED, amount_of, orders_of
from .kpi.measures import SUMS, added, measures
from .ports import ShopDay
from .records import Event, FloatArray, ProductTable
from .state import State
from .track.identifiers import made_at
from .watching import loop_between

CURSOR = "kpi"
HOUR_S, DAY_S = 3600.0, 86_400.0
LATE_S = 600.0
"""Seconds that a slate may be written late by."""
MARKED_S = 600.0
"""Seconds after which a mark is forgotten: an erasure marks hours before it deletes."""
BATCH = 10_000
KEPT_DAYS = 1_100
"""Days that are kept: three years."""
KEPT_HOURS = 24 * 7
"""Hours that are kept when the slates they were counted from are gone."""
ORDER_NAMES = (PURCHASED, *sorted(GIVEN_BACK))
BY = ("segment_id", "placement", "strategy", "device", "consent_level", "experiment")
"""What figures can be told by."""


class Place(msgspec.Struct, frozen=True):
    """How far the job has come: the last outcome and order event, when it last ran, and what slates were there then."""

    outcome: int = 0
    order: int = 0
    at: float = 0.0
    seen: str = ""


# ------------------------------------------------------------------------------------------------------------ counting


def roll_up(state: State, now: float | None = None) -> str:
    """Count what changed since; the job. Gives a line on what it did."""
    now = time.time() if now is None else now
    place, book = _place(state), state.kpis
    # A first count counts every hour anyway.
    outcome, touched = _touched(state, place.outcome) if place.at else (book.last_outcome(), set())
    marked = book.marked()
    # In this order: what is written between both makes the first another one, or the next run's.
    then = book.signature(now - LATE_S)
    signature = book.signature(place.at - LATE_S)
    order, order_days = _order_days(state, place.order, now)
    order_days |= {day_of(state, hour * HOUR_S) for hour in marked}
    fresh = signature != place.seen or not place.at
    if not (touched or marked or fresh or order_days):
        _remember(state, Place(outcome, order, now, then))
        return "nothing new"
    first, last = _first(state, now), int(now // HOUR_S)
    since = int((place.at - LATE_S) // HOUR_S) if place.at else _oldest(state, now)
    hours = {*touched, *marked, *(range(since, last + 1) if fresh else ())}
    hours = {hour for hour in hours if first <= hour <= last}
    for some in _parts(sorted(hours), 24):
        book.recount(some)
    days = sorted({day_of(state, hour * HOUR_S) for hour in hours})
    for day in days:
        book.sum_day(day, hours_of(state, day))
    for day in sorted(order_days):
        _shop_day(state, day)
    if _whole(state, now):
        book.purge(hours_before=first - KEPT_HOURS, days_before=day_of(state, now) - KEPT_DAYS)
    book.unmark(marked, now - MARKED_S)
    # What was written meanwhile is not in the signature of before: the next run counts it.
    _remember(state, Place(outcome, order, now, then))
    return f"{len(hours)} hours of {len(days)} days counted"


def _remember(state: State, place: Place) -> None:
    state.cursors.put(CURSOR, msgspec.json.encode(place).decode(), place.at)


def _parts(hours: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (hours[start : start + size] for start in range(0, len(hours), size))


def _place(state: State) -> Place:
    said = state.cursors.get(CURSOR)
    return msgspec.json.decode(said, type=Place) if said else Place()


def counted_at(state: State) -> float:
    """When figures were last brought up to date, seconds since 1970; 0 for never."""
    return _place(state).at


def _first(state: State, now: float) -> int:
    """The first hour of which retention has left all slates there."""
    return int((now - state.settings.slate_days * DAY_S) // HOUR_S) + 1


def _oldest(state: State, now: float) -> int:
    """The first hour of which there are slates."""
    oldest = state.kpis.oldest()
    return int((now if oldest is None else oldest) // HOUR_S)


def _touched(state: State, number: int) -> tuple[int, set[int]]:
    """The outcome up to which is read now, and the hours of the slates of those that are new."""
    hours: set[int] = set()
    while True:
        found, last = state.kpis.touched(number, BATCH)
        hours.update(hour for name in set(found) for hour in hours_made(name))
        if last == number:
            return number, hours
        number = last


def hours_made(recommendation_id: str) -> set[int]:
    """The hour in which a slate was made, by its id, which carries the time; two, where rounding leaves it open."""
    made = made_at(recommendation_id)
    return set() if made is None else {int((made + off) // HOUR_S) for off in (-0.002, 0.0, 0.002)}


def day_of(state: State, at: float) -> int:
    """The day of the shop's calendar, as an ordinal."""
    return datetime.fromtimestamp(at, ZoneInfo(state.settings.time_zone)).toordinal()


def hours_of(state: State, day: int) -> list[int]:
    """The hours of a day, by when they begin."""
    begin, end = _ends(state, day)
    around = range(int(begin // HOUR_S) - 1, int(end // HOUR_S) + 2)
    return [hour for hour in around if day_of(state, hour * HOUR_S) == day]


def _ends(state: State, day: int) -> tuple[float, float]:
    zone = ZoneInfo(state.settings.time_zone)
    midnight = (datetime.combine(date.fromordinal(one), datetime.min.time(), zone) for one in (day, day + 1))
    begin, end = (one.timestamp() for one in midnight)
    return begin, end


# ------------------------------------------------------------------------------------------------------ the whole shop


def _order_days(state: State, number: int, now: float) -> tuple[int, set[int]]:
    """The event up to which orders are read now, and the days of those that are new."""
    days: set[int] = set()
    while True:
        found, last = state.journal.tail(number, names=ORDER_NAMES, limit=BATCH, now=now)
        days.update(day_of(state, event.timestamp) for _, event in found)
        if last == number:
            return number, days
        number = last


def _shop_day(state: State, day: int) -> None:
    """What was bought and given back on a day, whoever led to it."""
    events = state.kpis.orders(*_ends(state, day))
    table = state.pipeline.live.get().table

    orders = orders_of([one for one in events if one.name == PURCHASED], table.worth, state.settings.currency)
    refunds = sum(_given_back(one, table) for one in events if one.name in GIVEN_BACK)
    known = next(iter(state.kpis.shop(day, day + 1)), None)
    revenue = sum(line.value for order in orders for line in order.lines)
    found = ShopDay(day=day, orders=float(len(orders)), revenue=revenue, refunds=refunds)
    if known is not None:
        found = msgspec.structs.replace(found, coverage=known.coverage, novelty=known.novelty, gini=known.gini)
    state.kpis.put_shop(found)


def _given_back(event: Event, table: ProductTable) -> float:
    return abs(amount_of(event)) or sum(
        (line.price or table.worth(line.product_id, event.timestamp)[0] or 0.0) * line.quantity
        for line in event.products
    )


def _whole(state: State, now: float) -> bool:
    """Tell of yesterday, once it is over, how varied its slates were; whether that was done now."""
    day = day_of(state, now) - 1
    known = next(iter(state.kpis.shop(day, day + 1)), None)
    if known is not None and known.coverage is not None:
        return False
    told = loop_between(state, *_ends(state, day))
    if not told.slates:
        return False
    base = known or ShopDay(day=day, orders=0.0, revenue=0.0, refunds=0.0)
    varied = msgspec.structs.replace(base, coverage=told.coverage, novelty=told.new, gini=told.gini)
    state.kpis.put_shop(varied)
    return True


# ------------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Period:
    """Days ``first`` to ``last`` (ordinals, the last not among them), and as many before."""

    first: int
    last: int

    @property
    def days(self) -> int:
        return self.last - self.first

    @property
    def before(self) -> Period:
        """The period of the same length just before."""
        return Period(self.first - self.days, self.first)

    def dates(self) -> list[date]:
        """Each day."""
        return [date.fromordinal(day) for day in range(self.first, self.last)]


def period_of(state: State, days: int, now: float) -> Period:
    """The last *days* days, today among them."""
    today = day_of(state, now)
    return Period(today - days + 1, today + 1)


def period_between(since: str, until: str, today: int) -> Period:
    """From a day to another, both as ``2026-11-01``, both among them; the last four weeks where they are empty.

    :raises InputError: no such days
    """
    last = _day(until, "until") + 1 if until else today + 1
    first = _day(since, "since") if since else last - 28
    if first >= last:
        raise InputError("the period ends before it begins", field="since")
    return Period(first, last)


def _day(text: str, field: str) -> int:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise InputError(f"{text!r} is no day such as 2026-11-01", field=field) from None


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of a group, and of the period before; ``hidden``: too few visitors for any to be told."""

    key: str
    name: str
    figures: Mapping[str, float | None]
    before: Mapping[str, float | None]
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel: how many got there, as a share of all and of the step before."""

    name: str
    count: float
    of_all: float | None
    of_before: float | None


class Figures:
    """The figures of a period, read once: of all, by group, by day, and of the period before.

    Of a segment of which fewer known visitors came than ``MTP_SEGMENT_MIN_SIZE`` nothing is told.

    :param by: one of :data:`BY`
    :param where: which values of dimensions to look at alone
    :raises InputError: no such dimension
    """

    def __init__(self, state: State, period: Period, by: str, where: Mapping[str, str] | None = None) -> None:
        if by not in BY:
            raise InputError(f"figures are told by {', '.join(BY)}, not by {by!r}", field="by")
        self.period, self._state, self._by, self._where = period, state, by, where or {}
        self._now, self._then = (self._read(one) for one in (period, period.before))
        # Slates of experiments are few among all: the whole is read by something that all slates have.
        whole = "consent_level" if by == "experiment" else by
        self._all = self._now if whole == by else self._read(period, whole)
        self._all_then = self._then if whole == by else self._read(period.before, whole)

    def _read(self, period: Period, by: str = "") -> dict[tuple[str, int], FloatArray]:
        by, book = by or self._by, self._state.kpis
        if by == "experiment":
            rows = book.experiments(period.first, period.last, ("day", "experiment", "variation"))
        else:
            rows = book.totals(period.first, period.last, ("day", by), self._where)
        return {(": ".join(row.of[1:]), int(row.of[0])): np.array(list(row.sums.values())) for row in rows}

    def summary(self) -> Group:
        """All slates together, and what share of all that the shop sold came by them, returns of both left out."""
        told = (_together(self._all), _together(self._all_then))
        periods = (self.period, self.period.before)
        figures, before = (self._whole(one, sums) for one, sums in zip(periods, told, strict=True))
        return Group("", "All", figures, before)

    def _whole(self, period: Period, sums: Mapping[str, float]) -> dict[str, float | None]:
        days = self._state.kpis.shop(period.first, period.last)
        sold = sum(day.revenue for day in days)
        return {
            **measures(sums),
            "shop_orders": sum(day.orders for day in days),
            "shop_revenue": sold,
            "attributed_share": (sums["revenue"] - sums["refunds"]) / sold if sold else None,
        }

    def groups(self) -> list[Group]:
        """The groups, those seen most first."""
        names, found = _names(self._state, self._by), list[Group]()
        now, then = _by_group(self._now), _by_group(self._then)
        hidden, hidden_then = self._few(self.period, now), self._few(self.period.before, then)
        then = {key: sums for key, sums in then.items() if key not in hidden_then}
        for key, sums in now.items():
            name = names.get(key) or key or _nothing(self._by)
            told = ({}, {}) if key in hidden else (measures(sums), measures(then.get(key, _NO_SUMS)))
            found.append(Group(key, name, told[0], told[1], key in hidden))
        return sorted(found, key=_seen_most)

    def _few(self, period: Period, groups: Mapping[str, Mapping[str, float]]) -> set[str]:
        """The segments of which nothing is told."""
        if self._by != "segment_id":
            return set()
        least = self._state.settings.segment_min_size
        few = self._state.kpis.few(period.first, period.last, least, self._where)
        others = sorted(groups.keys() - few, key=lambda key: (not key, groups[key]["slates"], key))
        # One alone is what the others leave of all: the smallest goes with it, visitors of no segment last.
        return {*few, *others[:1]} if len(few) == 1 else few

    def funnel(self) -> list[Step]:
        """From slates seen to orders."""
        sums = _together(self._all)
        counts = (
            ("Seen", sums["seen"]), ("Clicked", sums["clicked"]), ("Put into the cart", sums["carts"]),
            ("Ordered", sums["orders"]),
        )  # fmt: skip
        found, before = list[Step](), 0.0
        for name, count in counts:
            of_all = count / sums["seen"] if sums["seen"] else None
            found.append(Step(name, count, of_all, count / before if before else None))
            before = count
        return found

    def series(self, measure: str) -> tuple[list[float | None], list[float | None]]:
        """A measure for each day of the period, and of the one before; ``None`` for days on which it is of nothing."""
        return _daily(self._all, self.period, measure), _daily(self._all_then, self.period.before, measure)

    def series_of(self, key: str, measure: str) -> list[float | None]:
        """The same for one group of the period."""
        return _daily({cell: sums for cell, sums in self._now.items() if cell[0] == key}, self.period, measure)


def _seen_most(one: Group) -> tuple[Any, ...]:
    seen, slates = (one.figures.get(name) or 0.0 for name in ("seen", "slates"))
    return one.hidden, -seen, -slates, one.name


def _together(cells: Mapping[tuple[str, int], FloatArray]) -> dict[str, float]:
    return _sums(sum(cells.values(), np.zeros(len(SUMS))))


def _by_group(cells: Mapping[tuple[str, int], FloatArray]) -> dict[str, dict[str, float]]:
    found: dict[str, FloatArray] = {}
    for (key, _), sums in cells.items():
        found[key] = found[key] + sums if key in found else sums
    return {key: _sums(sums) for key, sums in found.items()}


def _daily(cells: Mapping[tuple[str, int], FloatArray], period: Period, measure: str) -> list[float | None]:
    days: dict[int, FloatArray] = {}
    for (_, day), sums in cells.items():
        days[day] = days[day] + sums if day in days else sums
    return [measures(_sums(days[day]))[measure] if day in days else None for day in range(period.first, period.last)]


def _sums(values: FloatArray) -> dict[str, float]:
    return dict(zip(SUMS, values.tolist(), strict=True))


def heat(state: State, period: Period) -> dict[str, list[Group]]:
    """Figures by placement and position, the placement seen most first."""
    found: dict[str, list[Group]] = {}
    for row in state.kpis.positions(period.first, period.last):
        placement, position = row.of
        found.setdefault(placement, []).append(Group(position, str(int(position)), measures(row.sums), {}))
    return dict(sorted(found.items(), key=lambda pair: -sum(one.figures["seen"] or 0.0 for one in pair[1])))


_NO_SUMS = added([])


def _names(state: State, by: str) -> dict[str, str]:
    if by == "segment_id":
        return {one.segment_id: one.name for one in state.pipeline.live.get().segments.all()}
    if by == "experiment":
        return {
            f"{row.key}: {number}": f"{row.title or row.key}: {name}"
            for row in state.experiments.rows.values()
            for number, name in enumerate(row.names)
        }
    return {}


def _nothing(by: str) -> str:
    return {
        "segment_id": "No segment", "strategy": "Nothing to show", "device": "Not known",
    }.get(by, "None")  # fmt: skip


def as_data(group: Group) -> dict[str, Any]:
    """A group as JSON tells it."""
    if group.hidden:
        return {"key": group.key, "name": group.name, "hidden": True}
    return {"key": group.key, "name": group.name, "figures": group.figures, "before": group.before}

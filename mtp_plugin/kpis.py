"""Key figures by hour and day: kept right by counting anew every hour that anything happened to.

Hours are those in which slates were made: what comes of a slate later counts there. So an hour changes when a slate is
made, when something comes of one (late, or given back), and when a visitor is erased; such hours are counted anew as
a whole, from the slates and outcomes that there are. What retention has deleted is not counted again: those hours stay
as they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from .errors import InputError
from .feedback.orders import GIVEN_BACK, PURCHASED, orders_of
from .kpi.measures import added, measures
from .ports import KpiRow, ShopDay
from .records import Event
from .state import State
from .watching import loop_between

CURSOR = "kpi"
HOUR_S, DAY_S = 3600.0, 86_400.0
LATE_S = 600.0
"""Seconds that a slate may be written late by."""
MARKED_S = 60.0
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
    outcome, touched = _touched(state, place.outcome)
    marked = book.marked()
    signature = book.signature(place.at - LATE_S)
    order, order_days = _order_days(state, place.order, now)
    order_days |= {day_of(state, hour * HOUR_S) for hour in marked}
    fresh = signature != place.seen or not place.at
    if not (touched or marked or fresh or order_days):
        return "nothing new"
    first, last = _first(state, now), int(now // HOUR_S)
    since = int((place.at - LATE_S) // HOUR_S) if place.at else first
    hours = {*touched, *marked, *(range(since, last + 1) if fresh else ())}
    hours = {hour for hour in hours if first <= hour <= last}
    for hour in sorted(hours):
        book.recount(hour)
        time.sleep(0)  # a job is not to keep requests of this process from their turn
    days = sorted({day_of(state, hour * HOUR_S) for hour in hours})
    for day in days:
        book.sum_day(day, hours_of(state, day))
    for day in sorted(order_days):
        _shop_day(state, day)
    if _whole(state, now):
        book.purge(hours_before=first - KEPT_HOURS, days_before=day_of(state, now) - KEPT_DAYS)
    book.unmark(marked, now - MARKED_S)
    found = Place(outcome, order, now, book.signature(now - LATE_S))
    state.cursors.put(CURSOR, msgspec.json.encode(found).decode(), now)
    return f"{len(hours)} hours of {len(days)} days counted"


def _place(state: State) -> Place:
    said = state.cursors.get(CURSOR)
    return msgspec.json.decode(said, type=Place) if said else Place()


def counted_at(state: State) -> float:
    """When figures were last brought up to date, seconds since 1970; 0 for never."""
    return _place(state).at


def _first(state: State, now: float) -> int:
    """The first hour of which all slates are still there."""
    oldest = state.kpis.oldest()
    kept = int((now - state.settings.slate_days * DAY_S) // HOUR_S) + 1
    return max(kept, int(oldest // HOUR_S)) if oldest is not None else int(now // HOUR_S)


def _touched(state: State, number: int) -> tuple[int, set[int]]:
    """The outcome up to which is read now, and the hours of the slates of those that are new."""
    hours: set[int] = set()
    while True:
        found, last = state.outcomes.after(number, limit=BATCH)
        hours.update(hour for one in found for hour in hours_made(one.recommendation_id))
        if last == number:
            return number, hours
        number = last


def hours_made(recommendation_id: str) -> set[int]:
    """The hour in which a slate was made, by its id, which carries the time; two, where rounding leaves it open."""
    try:
        made = int(recommendation_id[:12], 16) / 1000
    except ValueError:
        return set()
    return {int((made + off) // HOUR_S) for off in (-0.002, 0.0, 0.002)}


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

    def price(product_id: str, at: float) -> tuple[float | None, float | None]:
        facts = table.facts(product_id, at)
        return (facts.price, facts.margin) if facts else (None, None)

    orders = orders_of([one for one in events if one.name == PURCHASED], price, state.settings.currency)
    refunds = sum(_given_back(one, price) for one in events if one.name in GIVEN_BACK)
    known = next(iter(state.kpis.shop(day, day + 1)), None)
    revenue = sum(line.value for order in orders for line in order.lines)
    found = ShopDay(day=day, orders=float(len(orders)), revenue=revenue, refunds=refunds)
    if known is not None:
        found = msgspec.structs.replace(found, coverage=known.coverage, novelty=known.novelty, gini=known.gini)
    state.kpis.put_shop(found)


def _given_back(event: Event, price: Callable[[str, float], tuple[float | None, float | None]]) -> float:
    said = event.properties.get("revenue", event.properties.get("total", event.properties.get("value")))
    if isinstance(said, (int, float)) and not isinstance(said, bool):
        return abs(float(said))
    return sum(
        (line.price or price(line.product_id, event.timestamp)[0] or 0.0) * line.quantity for line in event.products
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


def summary(state: State, period: Period, where: Mapping[str, str] | None = None) -> Group:
    """All slates of a period together."""
    figures, before = (_one(state.kpis.totals(one.first, one.last, (), where)) for one in (period, period.before))
    return Group("", "All", _with_share(state, period, figures), _with_share(state, period.before, before))


def groups(state: State, period: Period, by: str, where: Mapping[str, str] | None = None) -> list[Group]:
    """The groups of a period, those with most slates first.

    Of a segment of which fewer known visitors came than ``MTP_SEGMENT_MIN_SIZE`` nothing is told.

    :param by: one of :data:`BY`
    :raises InputError: another
    """
    now, then = (_rows(state, one, by, where) for one in (period, period.before))
    names, least = _names(state, by), state.settings.segment_min_size
    found = []
    for key, row in now.items():
        hidden = 0 < row.people < least
        name = names.get(key) or key or _nothing(by)
        before = then[key].sums if key in then and not 0 < then[key].people < least else _NO_SUMS
        told = ({}, {}) if hidden else (measures(row.sums), measures(before))
        found.append(Group(key, name, told[0], told[1], hidden))
    return sorted(found, key=lambda one: (one.hidden, -(one.figures.get("slates") or 0.0), one.name))


def series(state: State, period: Period, measure: str, where: Mapping[str, str] | None = None) -> list[float | None]:
    """A figure for each day of a period; ``None`` for days on which it is of nothing."""
    rows = {row.of[0]: row.sums for row in state.kpis.totals(period.first, period.last, ("day",), where)}
    return [measures(rows[str(day)])[measure] if str(day) in rows else None for day in range(period.first, period.last)]


def series_by(
    state: State, period: Period, by: str, measure: str, where: Mapping[str, str] | None = None
) -> dict[str, list[float | None]]:
    """The same for each group; a segment's day with too few visitors is ``None``."""
    rows = (
        state.kpis.experiments(period.first, period.last, ("day", "experiment", "variation"))
        if by == "experiment"
        else state.kpis.totals(period.first, period.last, ("day", by), where)
    )
    least, found = state.settings.segment_min_size, dict[str, list[float | None]]()
    for row in rows:
        if 0 < row.people < least:
            continue
        key = ": ".join(row.of[1:])
        values = found.setdefault(key, [None] * period.days)
        values[int(row.of[0]) - period.first] = measures(row.sums)[measure]
    return found


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel: how many got there, as a share of all and of the step before."""

    name: str
    count: float
    of_all: float | None
    of_before: float | None


def funnel(state: State, period: Period, where: Mapping[str, str] | None = None) -> list[Step]:
    """From slates seen to orders."""
    sums = added([row.sums for row in state.kpis.totals(period.first, period.last, (), where)])
    counts = (
        ("Seen", sums["seen"]), ("Clicked", sums["clicked"]), ("Put into the cart", sums["carts"]),
        ("Ordered", sums["orders"]),
    )  # fmt: skip
    found, before = list[Step](), 0.0
    for place, (name, count) in enumerate(counts):
        of_all = count / sums["seen"] if sums["seen"] else None
        found.append(Step(name, count, of_all, count / before if place and before else None))
        before = count
    return found


def heat(state: State, period: Period) -> dict[str, list[Group]]:
    """Figures by placement and position, the placement seen most first."""
    found: dict[str, list[Group]] = {}
    for row in state.kpis.positions(period.first, period.last):
        placement, position = row.of
        found.setdefault(placement, []).append(Group(position, str(int(position)), measures(row.sums), {}))
    return dict(sorted(found.items(), key=lambda pair: -sum(one.figures["seen"] or 0.0 for one in pair[1])))


_NO_SUMS = added([])


def _one(rows: Sequence[KpiRow]) -> dict[str, float]:
    return added([row.sums for row in rows])


def _with_share(state: State, period: Period, sums: Mapping[str, float]) -> dict[str, float | None]:
    """With what share of all that the shop sold came by slates, returns of both left out."""
    days = state.kpis.shop(period.first, period.last)
    sold = sum(day.revenue for day in days)
    return {
        **measures(sums),
        "shop_orders": sum(day.orders for day in days),
        "shop_revenue": sold,
        "attributed_share": (sums["revenue"] - sums["refunds"]) / sold if sold else None,
    }


def _rows(state: State, period: Period, by: str, where: Mapping[str, str] | None) -> dict[str, KpiRow]:
    if by not in BY:
        raise InputError(f"figures are told by {', '.join(BY)}, not by {by!r}", field="by")
    if by == "experiment":
        rows: Iterable[KpiRow] = state.kpis.experiments(period.first, period.last, ("experiment", "variation"))
    else:
        rows = state.kpis.totals(period.first, period.last, (by,), where)
    return {": ".join(row.of): row for row in rows}


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

"""Key figures by hour and day, always what a recount of the log would give.

Hours are those in which slates were made: what comes of a slate later counts there. A slate that is new, and what comes
of one (late, or given back), is added to its hour and day. The hours of a visitor who is erased are counted anew as
a whole, from the slates and outcomes that are left. What retention has deleted is not counted again: those hours stay
as they were.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import msgspec

from .feedback.orders import GIVEN_BACK, PURCHASED, amount_of, orders_of
from .ports import ShopDay
from .records import Event, ProductTable
from .state import State
from .watching import loop_between

CURSOR = "kpi"
HOUR_S, DAY_S = 3600.0, 86_400.0
MARKED_S = 600.0
"""Seconds after which a mark is forgotten: an erasure marks hours before it deletes."""
BATCH = 10_000
KEPT_DAYS = 1_100
"""Days that are kept: three years."""
KEPT_HOURS = 24 * 7
"""Hours that are kept when the slates they were counted from are gone."""
ORDER_NAMES = (PURCHASED, *sorted(GIVEN_BACK))


class Place(msgspec.Struct, frozen=True):
    """How far the job has come: the last event of an order, and when it last ran."""

    order: int = 0
    at: float = 0.0


# ------------------------------------------------------------------------------------------------------------ counting


def roll_up(state: State, now: float | None = None) -> str:
    """Count what is new; the job. Gives a line on what it did."""
    now = time.time() if now is None else now
    place, book = _place(state), state.kpis
    marked = book.marked()
    hours = _again(state, marked, now) if place.at else _all_hours(state, now)
    order, order_days = _order_days(state, place.order, now)
    order_days |= {day_of(state, hour * HOUR_S) for hour in marked}
    if not place.at:
        book.begin()
    _recount(state, hours)
    added = _add(state)
    for day in sorted(order_days):
        _shop_day(state, day)
    if _whole(state, now):
        first = _first(state, now)
        book.purge(hours_before=first - KEPT_HOURS, days_before=day_of(state, now) - KEPT_DAYS)
    book.unmark(marked, now - MARKED_S)
    state.cursors.put(CURSOR, msgspec.json.encode(Place(order, now)).decode(), now)
    if not (hours or added or order_days):
        return "nothing new"
    return f"{added} slates and outcomes added, {len(hours)} hours counted anew"


def _all_hours(state: State, now: float) -> list[int]:
    """The hours of which there are slates."""
    oldest = state.kpis.oldest()
    since = int((now if oldest is None else oldest) // HOUR_S)
    return list(range(max(since, _first(state, now)), int(now // HOUR_S) + 1))


def _again(state: State, marked: Iterable[int], now: float) -> list[int]:
    """Those hours that something was deleted from, as far as retention has left all that they had."""
    first = _first(state, now)
    return sorted(hour for hour in marked if first <= hour <= now // HOUR_S)


def _recount(state: State, hours: Sequence[int]) -> None:
    for some in _parts(hours, 24):
        state.kpis.recount(some)
    for day in sorted({day_of(state, hour * HOUR_S) for hour in hours}):
        state.kpis.sum_day(day, hours_of(state, day))


def _add(state: State) -> int:
    """Add what is new, so much at a time; gives how much that was."""
    added, day = 0, cache(lambda hour: day_of(state, hour * HOUR_S))
    for add in (state.kpis.add_outcomes, state.kpis.add_slates):
        count = BATCH
        while count == BATCH:
            count = add(BATCH, day)
            added += count
            time.sleep(0)  # a job is not to keep requests of this process from their turn
    return added


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

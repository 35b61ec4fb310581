"""Key figures by hour and day, always what a recount of the log would give.

Hours are those in which slates were made: what comes of a slate later counts there. A slate that is new, and what comes
of one (late, or given back), is added to its hour and day. The hours of a visitor who is erased are counted anew as
a whole, from the slates and outcomes that are left. What retention has deleted is not counted again: those hours stay
as they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from .exploring import is_new
from .feedback.orders import GIVEN_BACK, PURCHASED, amount_of, orders_of
from .kpi.days import HOUR_S, day_at, ends_of, hours_in
from .kpi.sketch import Young, hashes_of
from .ports import ShopDay
from .records import Event, ProductTable
from .state import State
from .watching import loop_between

CURSOR = "kpi"
DAY_S = 86_400.0
MARKED_S = 600.0
"""Seconds after which a mark is forgotten: an erasure marks hours before it deletes."""
BATCH, MOST_BATCHES = 10_000, 20
KEPT_DAYS = 1_100
"""Days that are kept: three years."""
KEPT_HOURS = 24 * 7
"""Hours that are kept when the slates they were counted from are gone."""
ORDER_NAMES = (PURCHASED, *sorted(GIVEN_BACK))


class Place(msgspec.Struct, frozen=True):
    """How far the job has come: the last event of an order, when it last ran, and the marks that it found then."""

    order: int = 0
    at: float = 0.0
    marked: dict[int, float] = {}


# ------------------------------------------------------------------------------------------------------------ counting


def roll_up(state: State, now: float | None = None) -> str:
    """Count what is new; the job. Gives a line on what it did."""
    now = time.time() if now is None else now
    place, book = _place(state), state.kpis
    marked = book.marked()
    # Those marked since the last run, and once more those whose erasure is over by now.
    due = [hour for hour, at in marked.items() if place.marked.get(hour) != at or at < now - MARKED_S]
    hours = _again(state, due, now) if place.at else _all_hours(state, now)
    order, order_days = _order_days(state, place.order)
    order_days |= {day_of(state, hour * HOUR_S) for hour in due}
    if not place.at:
        book.begin()
    young = _young(state)
    _recount(state, hours, young, now)
    added = _add(state, young)
    for day in sorted(order_days):
        _shop_day(state, day)
    if _whole(state, now):
        first = _first(state, now)
        book.purge(hours_before=first - KEPT_HOURS, days_before=day_of(state, now) - KEPT_DAYS)
    book.unmark(marked, now - MARKED_S)
    state.cursors.put(CURSOR, msgspec.json.encode(Place(order, now, marked)).decode(), now)
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


def _recount(state: State, hours: Sequence[int], young: Young, now: float) -> None:
    first, again = _first(state, now), set(hours)
    for day in sorted({day_of(state, hour * HOUR_S) for hour in hours}):
        own = hours_of(state, day)
        rest = [hour for hour in own if hour not in again and first <= hour <= now // HOUR_S]
        state.kpis.recount(day, [hour for hour in own if hour in again], rest, young)
        state.kpis.sum_day(day, own)


def _add(state: State, young: Young) -> int:
    """Add what is new, so much at a time; gives how many slates and outcomes that was."""
    day, book = cache(lambda hour: day_of(state, hour * HOUR_S)), state.kpis
    added = sum(_batches(partial(book.add_outcomes, BATCH, day)))
    added += sum(_batches(partial(book.add_slates, BATCH, day, young)))
    # A shop's whole history is a lot to read: some of it goes on the next time.
    sum(islice(_batches(partial(book.add_visits, BATCH, day)), MOST_BATCHES))
    return added


def _batches(add: Callable[[], int]) -> Iterator[int]:
    count = BATCH
    while count == BATCH:
        count = add()
        yield count
        time.sleep(0)  # a job is not to keep requests of this process from their turn


def _young(state: State) -> Young:
    """The products that are new on the day of an hour, as key figures tell products apart."""
    table, settings = state.pipeline.live.get().table, state.settings

    @cache
    def of_day(day: int) -> NDArray[np.uint32]:
        rows = np.flatnonzero(is_new(table, _ends(state, day)[1], settings.new_days * DAY_S) & table.visible)
        return hashes_of([table.products[row].product_id for row in rows.tolist()])

    return lambda hour: of_day(day_of(state, hour * HOUR_S))


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
    return day_at(at, ZoneInfo(state.settings.time_zone))


def hours_of(state: State, day: int) -> list[int]:
    """The hours of a day, by when they begin."""
    return hours_in(day, ZoneInfo(state.settings.time_zone))


def _ends(state: State, day: int) -> tuple[float, float]:
    return ends_of(day, ZoneInfo(state.settings.time_zone))


# ------------------------------------------------------------------------------------------------------ the whole shop


def _order_days(state: State, number: int) -> tuple[int, set[int]]:
    """The event up to which orders are read now, and the days of those that are new."""
    days: set[int] = set()
    while True:
        found, last = state.journal.tail(number, names=ORDER_NAMES, limit=BATCH)
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
        found = msgspec.structs.replace(found, gini=known.gini)
    state.kpis.put_shop(found)


def _given_back(event: Event, table: ProductTable) -> float:
    return abs(amount_of(event)) or sum(
        (line.price or table.worth(line.product_id, event.timestamp)[0] or 0.0) * line.quantity
        for line in event.products
    )


def _whole(state: State, now: float) -> bool:
    """Tell of yesterday, once it is over, how unevenly its slates showed products; whether that was done now."""
    day = day_of(state, now) - 1
    known = next(iter(state.kpis.shop(day, day + 1)), None)
    if known is not None and known.gini is not None:
        return False
    told = loop_between(state, *_ends(state, day))
    if not told.slates:
        return False
    base = known or ShopDay(day=day, orders=0.0, revenue=0.0, refunds=0.0)
    state.kpis.put_shop(msgspec.structs.replace(base, gini=told.gini))
    return True

"""Key figures as they are told: of a period and the one before, by group, by day, as steps of a funnel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from .errors import InputError
from .kpi.measures import SUMS, WIDE, added, measures
from .kpi.small import held_back
from .kpis import day_of
from .records import FloatArray
from .state import State

BY = ("segment_id", "placement", "strategy", "device", "consent_level", "experiment")
"""What figures can be told by."""


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
    """Figures of a group, and of the period before; ``hidden``: too few visitors for any to be told.

    ``before`` is empty where there were too few then.
    """

    key: str
    name: str
    figures: Mapping[str, float | None]
    before: Mapping[str, float | None]
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel: how many got there, for each visit, for each block seen, and of the step before."""

    name: str
    count: float
    of_visits: float | None
    of_seen: float | None
    of_before: float | None


@dataclass(frozen=True, slots=True)
class Shop:
    """The whole shop in a period: revenue by day, orders, visits and products viewed."""

    days: Mapping[int, float]
    orders: float
    visits: float
    views: float

    @property
    def sold(self) -> float:
        """Revenue of all days."""
        return sum(self.days.values())


class Figures:
    """The figures of a period, read once: of all, by group, by day, and of the period before.

    Of a segment of which fewer known visitors came than ``MTP_SEGMENT_MIN_SIZE`` nothing is told, nor of a day of one.

    :param by: one of :data:`BY`
    :param where: which values of dimensions to look at alone
    :raises InputError: no such dimension
    """

    def __init__(self, state: State, period: Period, by: str, where: Mapping[str, str] | None = None) -> None:
        if by not in BY:
            raise InputError(f"figures are told by {', '.join(BY)}, not by {by!r}", field="by")
        self.period, self._state, self._by, self._where = period, state, by, where or {}
        self._visible = int(state.pipeline.live.get().table.visible.sum())
        self._shown: dict[tuple[str, Period], Mapping[str, float]] = {}
        self._shown_days: dict[tuple[str, Period], Mapping[tuple[str, int], float]] = {}
        self._shops: dict[Period, Shop] = {}
        self._now, self._then = (self._read(one, by) for one in (period, period.before))
        self._all, self._all_then = (self._read(one, "") for one in (period, period.before))

    def _read(self, period: Period, by: str) -> dict[tuple[str, int], FloatArray]:
        if not self._where:
            return self._state.kpis.days(by, period.first, period.last)
        keys = ("day", by) if by else ("day",)
        rows = self._state.kpis.totals(period.first, period.last, keys, self._where)
        return {("".join(row.of[1:]), int(row.of[0])): np.array(list(row.sums.values())) for row in rows}

    def summary(self) -> Group:
        """All slates together, and what the whole shop sold."""
        told = (_together(self._all), _together(self._all_then))
        figures, before = (
            {
                **self._told("", "", sums, one),
                "shop_orders": self._shop(one).orders,
                "shop_revenue": self._shop(one).sold,
            }
            for one, sums in zip((self.period, self.period.before), told, strict=True)
        )
        return Group("", "All", figures, before)

    def groups(self) -> list[Group]:
        """The groups, those seen most first."""
        names, found = _names(self._state, self._by), list[Group]()
        now, then = _by_group(self._now), _by_group(self._then)
        hidden, hidden_then = self._few(self.period, now), self._few(self.period.before, then)
        then = {key: sums for key, sums in then.items() if key not in hidden_then}
        for key, sums in now.items():
            name = names.get(key) or key or _nothing(self._by)
            told: tuple[Mapping[str, float | None], Mapping[str, float | None]] = ({}, {})
            if key not in hidden:
                before: Mapping[str, float | None] = {} if key in hidden_then else measures(_NO_SUMS)
                if key in then:
                    before = self._told(self._by, key, then[key], self.period.before)
                told = self._told(self._by, key, sums, self.period), before
            found.append(Group(key, name, told[0], told[1], key in hidden))
        return sorted(found, key=_seen_most)

    def _told(self, by: str, key: str, sums: Mapping[str, float], period: Period) -> dict[str, float | None]:
        """The figures of a group, those that need more than its sums among them."""
        shown = self._products(by, period).get(key)
        return self._wide(measures(sums), sums, shown, self._shop(period).sold)

    def _wide(
        self, told: dict[str, float | None], sums: Mapping[str, float], shown: float | None, sold: float
    ) -> dict[str, float | None]:
        """With the share of all products that were shown, and of all that was sold, returns of both left out."""
        led = sums["revenue"] - sums["refunds"]
        coverage = min(1.0, shown / self._visible) if shown is not None and self._visible else None
        return {**told, "coverage": coverage, "attributed_share": led / sold if sold else None}

    def _products(self, by: str, period: Period) -> Mapping[str, float]:
        """How many products were shown, by group; of one placement all together, as they are told apart so."""
        if (by, period) not in self._shown:
            told, whole = self._apart(by)
            found = self._state.kpis.products(told, period.first, period.last) if told is not None else {}
            self._shown[by, period] = found if whole is None else {"": found[whole]} if whole in found else {}
        return self._shown[by, period]

    def _products_by_day(self, by: str, period: Period) -> Mapping[tuple[str, int], float]:
        if (by, period) not in self._shown_days:
            told, whole = self._apart(by)
            found = self._state.kpis.products_by_day(told, period.first, period.last) if told is not None else {}
            if whole is not None:
                found = {("", day): about for (key, day), about in found.items() if key == whole}
            self._shown_days[by, period] = found
        return self._shown_days[by, period]

    def _apart(self, by: str) -> tuple[str | None, str | None]:
        """The dimension that products are to be told apart by, and of which group; ``None`` where they are not."""
        if not self._where:
            return by, None
        return next(iter(self._where.items())) if not by and len(self._where) == 1 else (None, None)

    def _shop(self, period: Period) -> Shop:
        known = self._shops.get(period)
        if known is None:
            days = self._state.kpis.shop(period.first, period.last)
            known = self._shops[period] = Shop(
                {day.day: day.revenue for day in days}, sum(day.orders for day in days),
                sum(day.visits for day in days), sum(day.views for day in days),
            )  # fmt: skip
        return known

    def _few(self, period: Period, groups: Mapping[str, Mapping[str, float]]) -> set[str]:
        """The segments of which nothing is told."""
        if self._by != "segment_id":
            return set()
        least = self._state.settings.segment_min_size
        few = self._state.kpis.few(period.first, period.last, least, self._where)
        others = sorted(groups.keys() - few, key=lambda key: (not key, groups[key]["slates"], key))
        # One alone is what the others leave of all: the smallest goes with it, visitors of no segment last.
        return {*few, *others[:1]} if len(few) == 1 else few

    @cached_property
    def _few_days(self) -> set[tuple[str, int]]:
        """The segments and days of which nothing is told."""
        if self._by != "segment_id":
            return set()
        least, period = self._state.settings.segment_min_size, self.period
        few = self._state.kpis.few_by_day(period.first, period.last, least, self._where)
        return held_back(few, {cell: float(sums[_SLATES]) for cell, sums in self._now.items()})

    def funnel(self) -> list[Step]:
        """From visits of the shop to orders; visits and views are of the whole shop, whatever is looked at."""
        sums, shop = _together(self._all), self._shop(self.period)
        counts = (
            ("Visits", shop.visits), ("Products viewed", shop.views), ("Blocks seen", sums["seen"]),
            ("Clicked", sums["clicked"]), ("Put into the cart", sums["carts"]), ("Ordered", sums["orders"]),
        )  # fmt: skip
        found, before = list[Step](), 0.0
        for name, count in counts:
            shares = (_share(count, of) for of in (shop.visits, sums["seen"], before))
            found.append(Step(name, count, *shares))
            before = count
        return found

    def series(self, measure: str) -> tuple[list[float | None], list[float | None]]:
        """A measure for each day of the period, and of the one before; ``None`` for days on which it is of nothing."""
        return (
            self._daily(self._all, self.period, measure, "", ""),
            self._daily(self._all_then, self.period.before, measure, "", ""),
        )

    def series_of(self, key: str, measure: str) -> list[float | None]:
        """The same for one group of the period; ``None`` also for days on which too few of it came."""
        own = {cell: sums for cell, sums in self._now.items() if cell[0] == key and cell not in self._few_days}
        return self._daily(own, self.period, measure, self._by, key)

    def _daily(
        self, cells: Mapping[tuple[str, int], FloatArray], period: Period, measure: str, by: str, key: str
    ) -> list[float | None]:
        days: dict[int, FloatArray] = {}
        for (_, day), sums in cells.items():
            days[day] = days[day] + sums if day in days else sums
        shown, shop = self._products_by_day(by, period) if measure == "coverage" else {}, self._shop(period)
        return [
            self._of_day(_sums(days[day]), measure, shown.get((key, day)), shop.days.get(day, 0.0))
            if day in days
            else None
            for day in range(period.first, period.last)
        ]

    def _of_day(self, sums: Mapping[str, float], measure: str, shown: float | None, sold: float) -> float | None:
        return (self._wide({}, sums, shown, sold) if measure in WIDE else measures(sums))[measure]


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


def _sums(values: FloatArray) -> dict[str, float]:
    return dict(zip(SUMS, values.tolist(), strict=True))


def heat(state: State, period: Period) -> dict[str, list[Group]]:
    """Figures by placement and position, the placement seen most first."""
    found: dict[str, list[Group]] = {}
    for row in state.kpis.positions(period.first, period.last):
        placement, position = row.of
        found.setdefault(placement, []).append(Group(position, str(int(position)), measures(row.sums), {}))
    return dict(sorted(found.items(), key=lambda pair: -sum(one.figures["seen"] or 0.0 for one in pair[1])))


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


_NO_SUMS = added([])
_SLATES = SUMS.index("slates")


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

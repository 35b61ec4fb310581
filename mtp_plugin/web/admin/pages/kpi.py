"""Figures: what blocks earn, by segment, placement and more, over time and beside the period before."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response, request

from ....errors import NotFoundError
from ....figures import BY, Figures, Group, Period, heat, period_of
from ....jobs import Jobs
from ....kpis import counted_at
from ....scheduled import standard_jobs
from ....state import State
from ...parts import get_parts, get_state
from ..charts import HEIGHT, WIDTH, round_up
from ..frame import page
from ..panel import Hit, Page, Panel
from ..tables import csv_answer
from ..words import money, number, percent

PERIODS = (7, 28, 90, 365)
TITLES: Mapping[str, str] = {
    "segment_id": "Segment", "placement": "Placement", "strategy": "Strategy", "device": "Device",
    "consent_level": "Consent", "experiment": "Experiment",
}  # fmt: skip
FRESH_S, NEAR_S = 5.0, 2 * 86_400.0
"""Age in seconds from which figures are brought up to date, and how far back a page does it."""
MOST_LINES = 5
"""Groups that a chart draws."""
MOST_POSITIONS = 12


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure: what it is called and how it is written. ``good`` is 1 where more of it is better, -1 where less."""

    title: str
    kind: str
    good: int = 1


MEASURES: Mapping[str, Measure] = {
    "revenue": Measure("Revenue", "money"),
    "ctr": Measure("Clicks a block seen", "rate"),
    "conversion": Measure("Orders a block seen", "rate"),
    "orders": Measure("Orders", "count"),
    "aov": Measure("Average order", "money"),
    "revenue_per_1000": Measure("Revenue a thousand seen", "money"),
    "margin": Measure("Margin", "money"),
    "seen": Measure("Blocks seen", "count"),
    "clicked": Measure("Blocks clicked", "count"),
    "carts": Measure("Put into carts", "count"),
    "slates": Measure("Slates made", "count"),
    "attributed_share": Measure("Share of all that was sold", "rate"),
    "coverage": Measure("Products shown to anybody", "rate"),
    "novelty": Measure("New among what was shown", "rate"),
    "fallback_share": Measure("By a later rung", "rate", -1),
    "empty_share": Measure("Nothing to show", "rate", -1),
    "p50_ms": Measure("Half took at most", "time", -1),
    "p95_ms": Measure("95 of 100 took at most", "time", -1),
}
TABLE = ("seen", "ctr", "orders", "conversion", "revenue", "aov", "revenue_per_1000", "fallback_share", "p95_ms")
"""Columns of the table, the measure that is looked at beside them."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure of the whole period, and how it changed."""

    name: str
    value: str
    change: float | None
    better: bool
    below: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A line that may have gaps: ``parts`` are SVG points of each stretch, ``dots`` days that stand alone."""

    name: str
    values: tuple[float | None, ...]
    parts: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]


def show() -> Response:
    """The page, or a table of it as CSV."""
    state, now = get_state(), time.time()
    bring_up_to_date(state, now)
    days = _one_of(request.args.get("days", ""), PERIODS, 28)
    by = request.args.get("by", "")
    by = by if by in BY else "segment_id"
    measure = request.args.get("measure", "")
    measure = measure if measure in MEASURES else "revenue"
    placement = request.args.get("placement", "")
    where = {"placement": placement} if placement in state.placements and by not in ("placement", "experiment") else {}
    period = period_of(state, days, now)
    if request.args.get("format") == "csv":
        return _csv(state, request.args.get("table", "groups"), period, by, measure, where)
    figures = Figures(state, period, by, where)
    found, whole, write = figures.groups(), figures.summary(), writer(MEASURES[measure])
    return page(
        "kpi.html",
        title="Figures",
        tiles=tiles(whole),
        whole=whole,
        period=period,
        dates=period.dates(),
        days=days,
        periods=PERIODS,
        by=by,
        titles=TITLES,
        measure=measure,
        measures=MEASURES,
        write=write,
        writers={name: writer(one) for name, one in MEASURES.items()},
        table=tuple(dict.fromkeys((*TABLE, measure))),
        groups=found,
        part=lambda one: _share(one, found, measure),
        change=lambda one: change(one.figures.get(measure), one.before.get(measure)),
        better=MEASURES[measure].good,
        trend=trend(figures, measure),
        lines=lines(figures, measure, found),
        top=lambda drawn: round_up(max((one or 0.0 for line in drawn for one in line.values), default=0.0)),
        label=label,
        funnel=figures.funnel(),
        heat=_heat(state, period),
        positions=[str(one) for one in range(1, MOST_POSITIONS + 1)],
        varied=varied(state, figures),
        placement=placement if where else "",
        placements=sorted(state.placements),
        counted=counted_at(state),
        floor=state.settings.segment_min_size,
        width=WIDTH,
        height=HEIGHT,
    )


def varied(state: State, figures: Figures) -> list[tuple[date, float | None, float | None, float | None]]:
    """Coverage, novelty and unevenness of each day that has any of them."""
    period = figures.period
    uneven = {day.day: day.gini for day in state.kpis.shop(period.first, period.last)}
    covered, fresh = (figures.series(measure)[0] for measure in ("coverage", "novelty"))
    rows = zip(period.dates(), covered, fresh, map(uneven.get, range(period.first, period.last)), strict=True)
    return [row for row in rows if any(one is not None for one in row[1:])]


def bring_up_to_date(state: State, now: float) -> None:
    """Count what happened in the last seconds, where no scheduler does; a long way back is a job's work."""
    counted, oldest = counted_at(state), state.kpis.oldest()
    if counted > now - FRESH_S or (counted < now - NEAR_S and (oldest is None or oldest < now - NEAR_S)):
        return
    jobs = Jobs(standard_jobs(state), state.leases, time.time)
    for name in ("feedback", "kpi"):
        jobs.run(name)


def tiles(whole: Group) -> list[Tile]:
    """The figures at the top."""
    now, then = whole.figures, whole.before
    share = now["attributed_share"]
    sold = writer(Measure("", "money"))(now["shop_revenue"])
    below = f"{percent(share)} of all that was sold, {sold}" if share is not None else "nothing was sold otherwise"
    found = [_tile("revenue", now, then, below)]
    for name, text in (
        ("ctr", f"{number(now['clicked'])} of {number(now['seen'])} seen"),
        ("orders", f"{percent(now['conversion'], 2)} of blocks seen"),
        ("aov", "an order that a block led to"),
        ("p95_ms", "made a block in 95 of 100 cases"),
    ):
        found.append(_tile(name, now, then, text))
    return found


def _tile(name: str, now: Mapping[str, float | None], then: Mapping[str, float | None], below: str) -> Tile:
    moved, measure = change(now[name], then[name]), MEASURES[name]
    return Tile(measure.title, writer(measure)(now[name]), moved, (moved or 0.0) * measure.good >= 0, below)


def change(now: float | None, before: float | None) -> float | None:
    """By what share a figure changed."""
    return now / before - 1 if now is not None and before else None


def writer(measure: Measure) -> Callable[[float | None], str]:
    """Writes a figure of this kind."""
    if measure.kind == "money":
        parts = get_parts()
        currency = get_state().settings.currency
        return lambda value: money(value, currency, parts.money)
    if measure.kind == "rate":
        return lambda value: percent(value, 1)
    if measure.kind == "time":
        return lambda value: "–" if value is None else f"{value:.1f} ms"
    return lambda value: number(value)


def trend(figures: Figures, measure: str) -> tuple[Drawn, Drawn, float]:
    """The measure day by day, the period before, and the top of the scale."""
    now, then = figures.series(measure)
    top = round_up(max((one or 0.0 for one in (*now, *then)), default=0.0))
    return drawn("These days", now, top), drawn("Before", then, top), top


def lines(figures: Figures, measure: str, found: Sequence[Group]) -> list[Drawn]:
    """The groups with most slates, day by day, on one scale."""
    told = [one for one in found if not one.hidden and one.figures[measure] is not None][:MOST_LINES]
    shown = [(one.name, figures.series_of(one.key, measure)) for one in told]
    top = round_up(max((one or 0.0 for _, values in shown for one in values), default=0.0))
    return [drawn(name, values, top) for name, values in shown]


def drawn(name: str, values: Sequence[float | None], top: float) -> Drawn:
    """Values as stretches of a line; where there is none there is a gap."""
    step = WIDTH / max(1, len(values) - 1)
    parts, dots, part = list[str](), list[tuple[float, float]](), list[tuple[float, float]]()
    for place, value in enumerate((*values, None)):
        if value is not None:
            part.append((place * step, HEIGHT - max(0.0, value) / top * HEIGHT))  # returns may outweigh a day's sales
            continue
        if len(part) == 1:
            dots.append(part[0])
        elif part:
            parts.append(" ".join(f"{x:.1f},{y:.1f}" for x, y in part))
        part = []
    return Drawn(name, tuple(values), tuple(parts), tuple(dots))


def label(day: date) -> str:
    """A day on an axis."""
    return day.strftime("%d %b")


def _share(one: Group, found: Sequence[Group], measure: str) -> float:
    longest = max((other.figures.get(measure) or 0.0 for other in found), default=0.0)
    return max(0.0, (one.figures.get(measure) or 0.0) / longest) if longest else 0.0


def _heat(state: State, period: Period) -> list[tuple[str, list[tuple[Group | None, float]]]]:
    """By placement its positions, each with how dark it is: the share of the highest rate."""
    found = heat(state, period)
    rates = [one.figures["ctr"] or 0.0 for row in found.values() for one in row if one.figures["seen"]]
    most = max(rates, default=0.0) or 1.0
    rows = []
    for placement, row in found.items():
        known = {one.name: one for one in row if one.figures["seen"]}
        cells = [known.get(str(place)) for place in range(1, MOST_POSITIONS + 1)]
        rows.append((placement, [(one, min(1.0, (one.figures["ctr"] or 0.0) / most) if one else 0.0) for one in cells]))
    return rows


def _csv(state: State, table: str, period: Period, by: str, measure: str, where: Mapping[str, str]) -> Response:
    if table == "groups":
        columns = (by, *MEASURES, *(f"{name} before" for name in MEASURES))
        rows: list[Sequence[Any]] = [
            (one.name, *(one.figures.get(name) for name in MEASURES), *(one.before.get(name) for name in MEASURES))
            for one in Figures(state, period, by, where).groups()
            if not one.hidden
        ]
        return csv_answer(f"figures-by-{by}", columns, rows)
    if table == "days":
        now, then = Figures(state, period, by, where).series(measure)
        return csv_answer(f"{measure}-by-day", ("day", measure, "before"), zip(period.dates(), now, then, strict=True))
    if table == "funnel":
        steps = (
            (one.name, one.count, one.of_visits, one.of_seen, one.of_before)
            for one in Figures(state, period, by, where).funnel()
        )
        return csv_answer("funnel", ("step", "count", "of visits", "of blocks seen", "of the step before"), steps)
    if table == "positions":
        cells = (
            (placement, one.name, *(one.figures[name] for name in ("seen", "clicked", "ctr", "carts", "revenue")))
            for placement, row in heat(state, period).items()
            for one in row
        )
        return csv_answer("positions", ("placement", "position", "seen", "clicked", "ctr", "carts", "revenue"), cells)
    if table == "variety":
        told = varied(state, Figures(state, period, by, where))
        return csv_answer("variety", ("day", "coverage", "novelty", "gini"), told)
    if table == "lines":
        figures = Figures(state, period, by, where)
        drawn = lines(figures, measure, figures.groups())
        days = zip(period.dates(), *(one.values for one in drawn), strict=True)
        return csv_answer(f"{measure}-by-{by}-and-day", ("day", *(one.name for one in drawn)), days)
    raise NotFoundError("there is no such table", field="table")


def _one_of(text: str, values: Sequence[int], otherwise: int) -> int:
    return int(text) if text in map(str, values) else otherwise


def find(state: State, query: str) -> Sequence[Hit]:
    """Figures by what they are called."""
    return [
        Hit(one.title, "figure", "figures_show", {"measure": name})
        for name, one in MEASURES.items()
        if query.lower() in one.title.lower()
    ]


PANEL = Panel(key="figures", title="Figures", group="Results", pages=(Page("/", "show", show),), find=find)

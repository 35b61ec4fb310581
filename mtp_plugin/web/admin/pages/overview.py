"""The front page: how the shop has been doing, and what wants attention."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, current_app, request

from ....errors import NotFoundError
from ....figures import Figures, period_of
from ....ports import Activity
from ...parts import get_parts, get_state
from ..charts import Bar, Line, bars, line
from ..frame import address, page, shop_zone
from ..panel import Page, Panel
from ..tables import csv_answer
from ..words import money
from .health import findings

DAYS = 14
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with its name, what stands below it, and where more of it is."""

    name: str
    value: float
    below: str
    url: str
    money: bool = False


def days_of(counts: dict[str, dict[int, int]], days: int) -> list[float]:
    """All names together, day by day."""
    return [float(sum(by_day.get(day, 0) for by_day in counts.values())) for day in range(days)]


def trend(name: str, count: Callable[[float, float, float], dict[str, dict[int, int]]], now: float) -> Line:
    """The last two weeks, the two before as the thin line."""
    values = days_of(count(now - 2 * DAYS * DAY, now, DAY), 2 * DAYS)
    # Each day ends at this hour: the last one is as long as the others.
    ends = (now - (DAYS - 1 - day) * DAY for day in range(DAYS))
    labels = [datetime.fromtimestamp(end, shop_zone()).strftime("%d %b") for end in ends]
    return line(name, labels, values[DAYS:], values[:DAYS])


TRENDS: dict[str, tuple[str, Callable[[Activity], Any]]] = {
    "events": ("Events", lambda activity: activity.events),
    "slates": ("Slates served", lambda activity: activity.slates),
}


def placements_shown(now: float) -> tuple[Bar, ...]:
    """Slates of the last week by placement, the most shown first."""
    counts = get_state().activity.slates(now - 7 * DAY, now, DAY)
    totals = sorted(((sum(by_day.values()), name) for name, by_day in counts.items()), reverse=True)
    return bars([(name, float(count)) for count, name in totals[:8]])


def tiles() -> list[Tile]:
    """The figures at the top."""
    state = get_state()
    serving = state.pipeline.live.get()
    table, placements = serving.table, state.placements
    on = sum(placement.enabled and name not in state.settings.placements_off for name, placement in placements.items())
    sellable = int((table.visible & table.in_stock).sum())
    on_sale = int((table.on_sale(time.time()) & table.visible).sum())
    earned = Figures(state, period_of(state, 7, time.time()), "placement").summary().figures
    revenue, clicked, seen = (earned[name] or 0.0 for name in ("revenue", "clicked", "seen"))
    return [
        Tile("Revenue by blocks", revenue, "in 7 days", address("figures_show", days=7), money=True),
        Tile(
            "Blocks clicked",
            clicked,
            f"of {seen:,.0f} seen in 7 days",
            address("figures_show", days=7, measure="ctr"),
        ),
        Tile("Products that can be shown", sellable, f"of {len(table):,}", address("products_show", state="shown")),
        Tile("Reduced now", on_sale, "products on sale", address("products_show", state="sale")),
        Tile("Placements on", on, f"of {len(placements)}", address("placements_show")),
        Tile("Events stored", state.journal.count(), "since the beginning", address("health_show")),
    ]


def show() -> Response:
    """The page; each part of it stands or falls by itself."""
    now = time.time()
    if request.args.get("format") == "csv":
        return _csv(request.args.get("chart", ""), now)
    activity = get_state().activity
    return page(
        "overview.html",
        title="Overview",
        tiles=_part(tiles, []),
        cash=lambda value: money(value, get_state().settings.currency, get_parts().money),
        trends={key: _part(lambda: trend(name, of(activity), now), None) for key, (name, of) in TRENDS.items()},  # noqa: B023
        shown=_part(lambda: placements_shown(now), ()),
        changes=_part(lambda: get_state().audit.latest(6), ()),
        trouble=[finding for finding in _part(findings, []) if finding.status != "well"],
    )


def _csv(chart: str, now: float) -> Response:
    if chart == "placements":
        rows = [(bar.label, int(bar.value)) for bar in placements_shown(now)]
        return csv_answer("placements", ("placement", "slates in 7 days"), rows)
    if chart not in TRENDS:
        raise NotFoundError("there is no such chart", field="chart")
    name, of = TRENDS[chart]
    drawn = trend(name, of(get_state().activity), now)
    table = zip(drawn.labels, map(int, drawn.values), map(int, drawn.before), strict=True)
    return csv_answer(chart, ("day", chart, f"{DAYS} days before"), table)


def _part(make: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return make()
    except Exception:
        current_app.logger.exception("a part of the overview is left out")
        return otherwise


PANEL = Panel(key="", title="Overview", group="", pages=(Page("", "show", show),))

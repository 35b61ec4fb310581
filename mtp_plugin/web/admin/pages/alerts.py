"""Alerts: what is wrong, since when and why probably; one with its series against its band; and looking after it.

What finds and tells alerts is loaded when a page needs it, not in every worker.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request

from ....errors import NotFoundError
from ....ports import Alert
from ....state import State
from ...parts import get_state
from ..charts import HEIGHT, WIDTH, round_up
from ..frame import address, back_to, current_person, page
from ..notices import Notice
from ..panel import Page, Panel
from ..roles import Role
from ..tables import csv_answer

WORDS = {"page": ("Now", "bad"), "ticket": ("Today", "caution"), "note": ("For information", "")}
SHARES = ("ctr", "carts", "conversion", "fallback")
SILENCE_H = 24.0


@dataclass(frozen=True, slots=True)
class Plot:
    """A series against its band, in SVG's units; ``rows`` are label, value, expected, low and high."""

    rows: tuple[tuple[str, float | None, float | None, float | None, float | None], ...]
    top: float
    percent: bool

    def _points(self, column: int) -> list[tuple[float, float]]:
        step = WIDTH / max(1, len(self.rows) - 1)
        return [
            (place * step, HEIGHT - min(value, self.top) / self.top * HEIGHT)
            for place, row in enumerate(self.rows)
            if isinstance(value := row[column], (int, float))
        ]

    def line(self, column: int) -> str:
        """Points of the values (1) or of what was expected (2)."""
        return _drawn(self._points(column))

    @property
    def band(self) -> str:
        """The outline between low and high."""
        return _drawn([*self._points(4), *reversed(self._points(3))])

    @property
    def last(self) -> tuple[float, float]:
        """Where the value is that the alert is about."""
        return self._points(1)[-1]


def _drawn(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def plot_of(figures: dict[str, Any], zone: ZoneInfo) -> Plot | None:
    """The plot of an alert that keeps a series."""
    if "values" not in figures:
        return None
    step = int(figures["step_hours"])
    columns = [figures[name] for name in ("values", "expected", "low", "high")]
    times = (figures["first_hour"] + step * place for place in range(len(columns[0])))
    pattern = "%d %b" if step == 24 else "%a %d %b, %H:00"
    labels = [datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone).strftime(pattern) for hour in times]
    highest = max((value for column in columns for value in column if value is not None), default=0.0)
    percent = figures["kpi"] in SHARES
    top = min(1.0, round_up(highest * 100) / 100) if percent else round_up(highest)
    return Plot(tuple(zip(labels, *columns, strict=True)), top, percent)


def show() -> Response:
    """Those that are open, or all."""
    state, everything = get_state(), request.args.get("state") == "all"
    found = state.alerts.kept(open_only=not everything, limit=200)
    return page(
        "alerts.html",
        title="Alerts",
        alerts=found,
        everything=everything,
        silences=state.alerts.silences(time.time()),
        words=WORDS,
        targets=sorted(state.told),
    )


def one(alert_id: int) -> Response:
    """One alert: its plot, likely causes, what was done, and what can be."""
    from ....alerts.deliver import cause_text

    alert = _found(alert_id)
    plot = plot_of(alert.figures, ZoneInfo(get_state().settings.time_zone))
    if plot and request.args.get("format") == "csv":
        return csv_answer(f"alert-{alert_id}", ("time", "value", "expected", "low", "high"), plot.rows)
    causes = [cause_text(cause) for cause in alert.causes]
    return page("alert.html", title=alert.title, alert=alert, plot=plot, causes=causes, words=WORDS)


def _found(alert_id: int) -> Alert:
    alert = get_state().alerts.get(alert_id)
    if alert is None:
        raise NotFoundError(f"there is no alert {alert_id}", field="alert_id")
    return alert


def _who() -> str:
    return f"admin:{current_person().name}"


def _back(alert_id: int, text: str) -> Response:
    return back_to(address("alerts_one", alert_id=alert_id), Notice(text=text))


def ack(alert_id: int) -> Response:
    """Somebody looks after it."""
    from ....alerts.run import acknowledge

    acknowledge(get_state(), alert_id, by=_who(), now=time.time())
    return _back(alert_id, "You look after this alert now.")


def end(alert_id: int) -> Response:
    """It is over."""
    from ....alerts.run import resolve

    resolve(get_state(), alert_id, by=_who(), now=time.time())
    return _back(alert_id, "The alert is resolved. If it is found again, another one opens.")


def hush(alert_id: int) -> Response:
    """Tell nobody of this key for a day."""
    from ....alerts.run import silence

    key = _found(alert_id).key
    silence(get_state(), key, SILENCE_H, by=_who(), now=time.time())
    return _back(alert_id, f"Nobody is told of {key} for a day.")


def take_back(alert_id: int) -> Response:
    """Undo what was done about it."""
    from ....alerts.actions import undo

    done = undo(get_state(), alert_id, by=_who(), now=time.time())
    return _back(alert_id, f"{done.action['did']} of {done.action['subject']} is undone.")


def _count(state: State) -> int | None:
    return len(state.alerts.kept(open_only=True, limit=1000)) or None


PANEL = Panel(
    key="alerts",
    title="Alerts",
    group="Results",
    pages=(
        Page("/", "show", show),
        Page("/<int:alert_id>", "one", one),
        Page("/<int:alert_id>/ack", "ack", ack, "POST", Role.MERCHANDISER),
        Page("/<int:alert_id>/resolve", "end", end, "POST", Role.MERCHANDISER),
        Page("/<int:alert_id>/silence", "hush", hush, "POST", Role.MERCHANDISER),
        Page("/<int:alert_id>/undo", "undo", take_back, "POST", Role.ADMINISTRATOR),
    ),
    count=_count,
)

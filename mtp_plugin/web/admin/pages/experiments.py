"""Experiments: what is tested, what it says by now, and stopping a variation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from ....errors import InputError, NotFoundError
from ....experiment.rows import Row
from ....experiment_book import is_written
from ....state import State
from ...parts import get_state
from ..changes import note_change
from ..charts import HEIGHT, WIDTH
from ..frame import address, back_to, page
from ..notices import Notice
from ..panel import Hit, Page, Panel
from ..roles import Role
from ..tables import csv_answer
from .experiments_written import PAGES

WORDS = {
    "ship": ("Ship it", "good"),
    "stop": ("Stop it", "bad"),
    "keep-running": ("Keep running", ""),
    "no-difference": ("No difference", ""),
    "broken": ("Broken", "bad"),
}
"""A verdict in two words, and the kind of badge."""
PARTS = {"segment": "segment", "device": "device"}
WIDEST = 1.0
"""Relative effects beyond which bars are cut."""
COLUMNS = ("metric", "variation", "control", "value", "lift", "low", "high", "p", "adjusted_p", "chance_better")


def show() -> Response:
    """All experiments, each with its verdict."""
    # A process that serves loads no statistics until somebody looks at this page.
    from ....experiment_report import as_data
    from ....experiment_results import result_of

    state, now = get_state(), time.time()
    rows = [
        (row, row.state(now), as_data(result_of(state, row, now, part="")), _stopped(state, row))
        for row in state.experiments.rows.values()
    ]
    drafts = list(state.experiments.drafts.values())
    return page("experiments.html", title="Experiments", rows=rows, drafts=drafts, verdicts=WORDS)


def show_one(key: str) -> Response:
    """One experiment: its effects with intervals, by part and over time."""
    from ....experiment_report import report

    state, now = get_state(), time.time()
    row = _known(state, key)
    part = request.args.get("part", "segment")
    told = report(state, row, now, part=part if part in PARTS else "segment")
    if request.args.get("format") == "csv":
        return csv_answer(f"experiment-{key}", COLUMNS, (_line(one) for one in told["effects"]))
    return page(
        "experiments_one.html",
        title=row.title or key,
        row=row,
        told=told,
        state_word=row.state(now),
        stopped=_stopped(state, row),
        verdict=WORDS[told["verdict"]["word"]],
        until=_date(told["verdict"]["until"]),
        reach=_reach(told["effects"]),
        timelines=[_timeline(name, told["days"]) for name in row.names[1:]],
        date=_date,
        part=part if part in PARTS else "segment",
        measure=request.args.get("measure", row.goal),
        written=is_written(state, key),
    )


def stop(key: str) -> Response:
    """Show the control to all who would see a variation."""
    state = get_state()
    row, name = _known(state, key), request.form.get("variation", "")
    if name not in row.names[1:]:
        raise InputError("name a variation other than the control", field="variation")
    state.experiments.stop(key, row.names.index(name), time.time())
    note_change("experiment.stopped", f"experiment:{key}", variation=name)
    return back_to(address("experiments_show_one", key=key), Notice(text=f"{name} is shown to nobody any more."))


def resume(key: str) -> Response:
    """Show all variations again."""
    state = get_state()
    _known(state, key)
    state.experiments.resume(key, time.time())
    note_change("experiment.resumed", f"experiment:{key}")
    return back_to(address("experiments_show_one", key=key), Notice(text="All variations are shown again."))


def _known(state: State, key: str) -> Row:
    row = state.experiments.rows.get(key)
    if row is None:
        raise NotFoundError(f"there is no experiment {key}", field="key")
    return row


def _stopped(state: State, row: Row) -> list[str]:
    state.experiments.refresh()
    return [row.names[number] for number in sorted(state.experiments.stopped().get(row.key, ()))]


def _line(one: dict[str, Any]) -> list[Any]:
    flat = {**one, "low": one["always"]["low"], "high": one["always"]["high"], "p": one["always"]["p"]}
    return [flat[name] for name in COLUMNS]


def _reach(effects: Sequence[dict[str, Any]]) -> float:
    """How far the bars' scale goes to both sides of no effect."""
    ends = [abs(one["always"][end]) for one in effects for end in ("low", "high") if one["always"][end] is not None]
    return max(0.01, min(WIDEST, max(ends, default=WIDEST)))


def _timeline(name: str, days: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The goal's effect over time as points of a figure: the band of the always valid interval, and its middle."""
    known = [day for day in days if day["variation"] == name and day["low"] is not None and day["lift"] is not None]
    reach = max(0.01, min(WIDEST, max((max(abs(day["low"]), abs(day["high"])) for day in known[1:]), default=WIDEST)))
    step = WIDTH / max(1, len(known) - 1)

    def point(place: int, value: float) -> str:
        return f"{place * step:.1f},{HEIGHT / 2 * (1 - max(-1.0, min(1.0, value / reach))):.1f}"

    upper = [point(place, day["high"]) for place, day in enumerate(known)]
    lower = [point(place, day["low"]) for place, day in enumerate(known)]
    return {
        "name": name,
        "days": known,
        "band": " ".join((*upper, *reversed(lower))),
        "line": " ".join(point(place, day["lift"]) for place, day in enumerate(known)),
        "reach": reach,
        "width": WIDTH,
        "height": HEIGHT,
    }


def _date(at: float | None) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d\u00a0%b\u00a0%Y") if at else ""


def _find(state: State, query: str) -> Sequence[Hit]:
    hits: list[Hit] = []
    for rows, endpoint in ((state.experiments.rows, "show_one"), (state.experiments.drafts, "edit")):
        for key, row in rows.items():
            if query.casefold() in " ".join((key, row.title, row.hypothesis, *row.names)).casefold():
                hits.append(Hit(row.title or key, f"by {row.goal}", f"experiments_{endpoint}", {"key": key}))
    return hits


def _count(state: State) -> int | None:
    return len(state.experiments.rows)


PANEL = Panel(
    key="experiments",
    title="Experiments",
    group="Results",
    pages=(
        Page("/", "show", show),
        *PAGES,
        Page("/<key>", "show_one", show_one),
        Page("/<key>/stop", "stop", stop, "POST", Role.MERCHANDISER),
        Page("/<key>/resume", "resume", resume, "POST", Role.MERCHANDISER),
    ),
    count=_count,
    find=_find,
)

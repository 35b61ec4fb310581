"""Bandits: the policies that learn, how their arms stand, and what they showed day by day."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from flask import Response, request

from ....bandit.learnt import DAY
from ....bandit.off_policy import Report
from ....bandit.rows import Row
from ....errors import InputError, NotFoundError
from ....standings import Standing, shares_by_day, standings, verdict
from ....state import State
from ...parts import get_state
from ..changes import note_change
from ..frame import address, back_to, page
from ..notices import Notice
from ..panel import Hit, Page, Panel
from ..roles import Role
from ..tables import csv_answer
from .segments import found as segments_found

DAYS = 28
CHOOSES = {"strategy": "which strategy leads", "product": "which product stands at a place", "creative": "the words"}
EARNS = {
    "click": "a click", "cart": "something put into the cart", "purchase": "a purchase", "revenue": "revenue",
    "margin": "margin",
}  # fmt: skip

WORDS = {
    "better": "Better",
    "worse": "Worse",
    "no-clear-difference": "No clear difference",
    "cant-tell": "Can't tell",
}


def show() -> Response:
    """All policies, each with its verdict."""
    state = get_state()
    learnt = state.bandits.refresh()
    rows = []
    for name, row in state.bandits.rows.items():
        arms = standings(row, learnt[name])
        rows.append((row, arms, verdict(arms)))
    return page("bandits.html", title="Bandits", rows=rows, chooses=CHOOSES, earns=EARNS)


def show_one(name: str) -> Response:
    """The arms of one policy."""
    state = get_state()
    row = _known(state, name)
    choices = _segments(state) if row.segments else []
    segment_id = request.args.get("segment", "")
    segment_id = segment_id if segment_id in dict(choices) else ""
    arms = standings(row, state.bandits.refresh()[name], segment_id)
    if request.args.get("format") == "csv":
        columns = Standing.__struct_fields__
        return csv_answer(f"bandit-{name}", columns, ([getattr(arm, one) for one in columns] for arm in arms))
    top = max((arm.high for arm in arms if arm.impressions > 0), default=1.0)
    return page(
        "bandits_one.html",
        title=name,
        row=row,
        arms=arms,
        verdict=verdict(arms),
        top=top or 1.0,
        days=_days(state, name),
        segments=choices,
        values={"segment": segment_id},
        chooses=CHOOSES,
        earns=EARNS,
    )


def judge(name: str) -> Response:
    """What it would have earned had it always taken one of its arms."""
    state, now = get_state(), time.time()
    row = _known(state, name)
    try:
        # A process that serves loads nothing of evaluation until somebody looks at this page.
        from ....evaluate.choices import judge_arms

        found = judge_arms(row, state.slates, state.outcomes, since=now - DAYS * DAY, now=now)
    except InputError as error:
        return page("bandits_judge.html", title="Had it always …", row=row, reports={}, why=str(error), days=DAYS)
    numbered = row.about == "product" and not row.named
    shown = {
        (f"number {arm} of the ranking" if numbered else arm) if arm else "each as likely": report
        for arm, report in found.items()
    }
    if request.args.get("format") == "csv":
        columns = ("target", "value", "low", "high", "difference_low", "difference_high", "ess", "verdict", "why")
        return csv_answer(f"bandit-{name}-judged", columns, (_line(arm, one) for arm, one in shown.items()))
    top = max(one.estimates["doubly-robust"].high for one in shown.values())
    return page(
        "bandits_judge.html",
        title="Had it always …",
        row=row,
        reports=shown,
        top=max(top, 1e-12),
        days=DAYS,
        words=WORDS,
    )


def _line(arm: str, report: Report) -> tuple[str | float, ...]:
    told, support, verdict = report.estimates["doubly-robust"], report.support, report.verdict
    ends = (told.value, told.low, told.high, told.difference_low, told.difference_high)
    return (arm, *ends, support.ess, verdict.word, verdict.why)


def reset(name: str) -> Response:
    """Forget what a policy has learnt."""
    state = get_state()
    _known(state, name)
    gone = state.bandit_state.reset(name)
    state.bandits.refresh()
    note_change("bandit.reset", f"bandit:{name}", sums=gone)
    return back_to(address("bandits_show_one", name=name), Notice(text=f"{name} has forgotten what it learnt."))


def _days(state: State, name: str) -> list[tuple[str, float, Mapping[str, float]]]:
    """The latest days: the date, impressions, and each arm's share of them."""
    found: list[tuple[str, float, Mapping[str, float]]] = []
    for day, arms in list(shares_by_day(state.bandit_state.sums(name)).items())[-DAYS:]:
        total = sum(arms.values())
        date = datetime.fromtimestamp(day * DAY, UTC).strftime("%d\u00a0%b\u00a0%Y")
        found.append((date, total, {arm: count / total for arm, count in arms.items()} if total else {}))
    return found


def _segments(state: State) -> list[tuple[str, str]]:
    """Segments that are large enough to be told of."""
    floor = state.settings.segment_min_size
    return [(one.segment_id, one.name) for one in segments_found(state) if one.size >= floor]


def _known(state: State, name: str) -> Row:
    row = state.bandits.rows.get(name)
    if row is None:
        raise NotFoundError(f"there is no policy {name} in MTP_BANDITS", field="name")
    return row


def _find(state: State, query: str) -> Sequence[Hit]:
    hits: list[Hit] = []
    for name, row in state.bandits.rows.items():
        text = " ".join((name, row.placement, row.about, row.policy, *row.named)).casefold()
        if query.casefold() in text:
            hits.append(Hit(name, f"{row.policy} for {row.placement}", "bandits_show_one", {"name": name}))
    return hits


def _count(state: State) -> int | None:
    return len(state.bandits.rows)


PANEL = Panel(
    key="bandits",
    title="Bandits",
    group="Results",
    pages=(
        Page("/", "show", show),
        Page("/<name>", "show_one", show_one),
        Page("/<name>/judge", "judge", judge),
        Page("/<name>/reset", "reset", reset, "POST", Role.ADMINISTRATOR),
    ),
    count=_count,
    find=_find,
)

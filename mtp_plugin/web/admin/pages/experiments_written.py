"""Experiments written in the console: drafts, changed as one likes, begun, and what may still change then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from flask import Response

from ....errors import ConflictError, InputError, NotFoundError
from ....experiment.rows import GOALS, MOST
from ....experiment_book import amend, begin, discard, draft, end, written
from ....facts import vocabulary
from ....ports import Change
from ....state import State
from ...parts import get_state
from ..changes import note_change
from ..conditions_form import COMPARISONS, Condition, sent_condition
from ..experiment_form import (
    GUARDRAILS,
    START,
    condition_in,
    entry_sent,
    judged,
    later_sent,
    refuse,
    rows_in,
    values_of,
)
from ..forms import Form
from ..frame import address, back_to, current_person, page
from ..notices import Notice
from ..panel import Page
from ..roles import Role

PLANNED = ("revenue", "conversion")
"""Goals that can be planned by what visitors did."""


def create() -> Response:
    """The editor with nothing in it."""
    return _editor("", dict(START), Condition.empty(), {})


def edit(key: str) -> Response:
    """The editor of a draft, or of what may change of one that has begun."""
    return _stored(written(get_state(), key))


def save_new() -> Response:
    """Take the form of a draft that is not there yet."""
    return _take("")


def save(key: str) -> Response:
    """Take the form of a draft, or of one that has begun."""
    change, form = written(get_state(), key), Form.sent()
    if form.values.get("change", str(change.number)) != str(change.number):
        return _stale(change, form)
    return _take(key, change.number) if change.options["draft"] else _take_later(change)


def _stale(change: Change, form: Form) -> Response:
    """The form was opened before somebody else's change. A draft's keeps what was typed; of one that visitors see it is
    shown how it is now."""
    if change.options["draft"] and "goal" in form.values:
        form.values["change"] = str(change.number)
        form.refuse("title", "Somebody else changed this draft meanwhile. Look at theirs, then save again")
        return _editor(change.name, form.values, sent_condition(form, "when"), form.errors, status=409)
    form.refuse("title", "Somebody else changed it meanwhile. This is how it is now; what you typed is not saved")
    return _stored(change, errors=form.errors, status=409)


def _take(known: str, number: int | None = None) -> Response:
    """Another row, a plan, or saved: what the button that was pressed asks for."""
    state, form = get_state(), Form.sent()
    intent, key = form.values.get("intent", "save"), known or form.text("key", most=80)
    entry, when = entry_sent(form), sent_condition(form, "when")
    if intent.startswith("add."):
        return _editor(known, form.values, when, {}, more=intent == "add.variation")
    row = judged(form, key, entry)
    plan = ""
    if row is not None and intent == "plan":
        plan = _plan(state, form, row.goal, row.matters, len(row.variations))
    if row is not None and intent == "save" and not known and key in state.experiments.drafts:
        form.refuse("key", "There is a draft of this key; take another")
    if row is not None and intent == "save" and not form.errors:
        try:
            draft(state, key, entry, who=current_person().name, now=time.time(), expected=number)
        except InputError as error:
            refuse(form, error)
        else:
            note_change("experiment.drafted", f"experiment:{key}", entry=entry)
            return back_to(address("experiments_edit", key=key), Notice(text="The draft is saved; nobody sees it yet."))
    return _editor(known, form.values, when, form.errors, plan=plan, status=422 if form.errors else 200)


def _take_later(change: Change) -> Response:
    form, key, status = Form.sent(), change.name, 422
    changes = later_sent(form)
    if not form.errors:
        try:
            amend(get_state(), key, changes, who=current_person().name, now=time.time(), expected=change.number)
        except InputError as error:
            refuse(form, error)
            status = 409 if isinstance(error, ConflictError) else status
        else:
            note_change("experiment.changed", f"experiment:{key}", **changes)
            return back_to(address("experiments_show_one", key=key), Notice(text="The experiment is changed."))
    return _stored(change, typed=form.values, errors=form.errors, status=status)


def _plan(state: State, form: Form, goal: str, effect: float, variations: int) -> str:
    """What it takes to find the smallest effect that matters, as a sentence; the form gets the visitors."""
    from ....experiment_report import planned

    metric = goal if goal in PLANNED else "conversion"
    try:
        told = planned(state, metric, effect, variations, 28, time.time())
    except InputError as error:
        return error.message.capitalize() + "."
    form.values["planned"] = str(told["visitors_each_always"] * variations)
    days = "more days than can be told" if told["days_always"] is None else f"about {told['days_always']:,.0f} days"
    found = f"{told['detectable']:.1%} could have been found among the {told['visitors']:,} visitors of 28 days"
    return (
        f"To find {effect:.1%} of {metric}: {told['visitors_each_always']:,} visitors in each variation, {days}; "
        f"{told['visitors_each']:,} to look at it once only. {found}."
    )


def _done(key: str, what: Callable[..., Any], action: str, words: str, endpoint: str) -> Response:
    state = get_state()
    what(state, key, who=current_person().name, now=time.time())
    note_change(action, f"experiment:{key}")
    return back_to(address(endpoint, **({"key": key} if endpoint.endswith("one") else {})), Notice(text=words))


def start(key: str) -> Response:
    """Let a draft begin."""
    try:
        return _done(key, begin, "experiment.started", "The experiment has begun.", "experiments_show_one")
    except NotFoundError:
        raise
    except InputError as error:
        form = Form()
        refuse(form, error)
        return _stored(written(get_state(), key), errors=form.errors, status=422)


def finish(key: str) -> Response:
    """Assign nobody any more."""
    return _done(key, end, "experiment.ended", "All see the control from now on.", "experiments_show")


def delete(key: str) -> Response:
    """Take a draft away."""
    return _done(key, discard, "experiment.discarded", f"The draft {key} is deleted.", "experiments_show")


def _stored(
    change: Change,
    *,
    typed: Mapping[str, str] = MappingProxyType({}),
    errors: Mapping[str, str] = MappingProxyType({}),
    status: int = 200,
) -> Response:
    """The editor with what is written, and what was typed over it."""
    entry, begun = change.options["entry"], not change.options["draft"]
    values = {**values_of(change.name, entry), "change": str(change.number), **typed}
    return _editor(change.name, values, condition_in(entry), dict(errors), begun=begun, status=status)


def _editor(
    key: str,
    values: Mapping[str, str],
    condition: Condition,
    errors: dict[str, str],
    *,
    begun: bool = False,
    more: bool = False,
    plan: str = "",
    status: int = 200,
) -> Response:
    return page(
        "experiments_written.html",
        title=(values.get("title") or key) if key else "New experiment",
        status=status,
        key=key,
        begun=begun,
        values=values,
        condition=condition,
        errors=errors,
        plan=plan,
        places=range(min(MOST, rows_in(values) + more)),
        goals=GOALS,
        guardrails=GUARDRAILS,
        comparisons=COMPARISONS,
        facts=[fact for fact in vocabulary().facts if fact.path.partition(".")[0] in ("segment", "context", "profile")],
    )


PAGES = (
    Page("/new", "create", create, role=Role.MERCHANDISER),
    Page("/new", "save_new", save_new, "POST", Role.MERCHANDISER),
    Page("/<key>/edit", "edit", edit),
    Page("/<key>/edit", "save", save, "POST", Role.MERCHANDISER),
    Page("/<key>/start", "start", start, "POST", Role.MERCHANDISER),
    Page("/<key>/end", "finish", finish, "POST", Role.MERCHANDISER),
    Page("/<key>/delete", "delete", delete, "POST", Role.MERCHANDISER),
)

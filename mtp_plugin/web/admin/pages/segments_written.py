"""Segments written by hand: a condition, counted before it is saved."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Response, request

from ....errors import ConditionError, InputError, NotFoundError
from ....facts import vocabulary
from ....handmade import MAX_NAME, Count, checked, count
from ....ports import MadeSegment
from ....records import Segment
from ....segment.made import ROOTS
from ....state import State
from ...parts import get_state
from ..changes import note_change
from ..conditions_form import COMPARISONS, Condition, condition_of, sent_condition, spec_sent
from ..forms import Form
from ..frame import address, back_to, page
from ..notices import Notice
from ..panel import Page
from ..roles import Role

LOOKED_AT = 5000
"""Profiles that a count looks at while somebody waits for it."""


def create() -> Response:
    """The editor with nothing in it."""
    return _editor(None, {"precedence": "100", "enabled": "on"}, Condition.empty(), {})


def edit(segment_id: str) -> Response:
    """The editor of one."""
    made = _known(segment_id)
    values = {"name": made.name, "precedence": str(made.precedence), **({"enabled": "on"} if made.enabled else {})}
    return _editor(made, values, condition_of(made.condition), {})


def save_new() -> Response:
    """Take the form of one that is not there yet."""
    return _take(None)


def save(segment_id: str) -> Response:
    """Take the form of one."""
    return _take(_known(segment_id))


def _take(before: MadeSegment | None) -> Response:
    """Another row, a count, or saved: what the button that was pressed asks for."""
    state, form, now = get_state(), Form.sent(), time.time()
    condition, intent = sent_condition(form, "when"), form.values.get("intent", "save")
    if intent == "add.when":
        return _editor(before, form.values, condition, {})
    spec = spec_sent(condition, form, "when")
    made = _made(form, spec, before, now)
    if not form.errors:
        made = _checked(state, form, made)
    if form.errors:
        return _editor(before, form.values, condition, form.errors, status=422)
    counted = count(
        state.journal, state.settings, made.condition, now=now, most=LOOKED_AT, likely=state.pipeline.live.get().likely
    )
    if intent != "save":
        return _editor(before, form.values, condition, {}, counted=counted)
    made = msgspec.structs.replace(made, size=counted.size or 0, counted_at=now)
    state.segments.save(made)
    state.pipeline.live.refresh()
    note_change(
        "segment.saved",
        f"segment:{made.segment_id}",
        name=made.name,
        before=before.condition if before else {},
        after=made.condition,
    )
    return back_to(address("segments_edit", segment_id=made.segment_id), _notice(made, before, counted))


def _made(form: Form, spec: Mapping[str, Any], before: MadeSegment | None, now: float) -> MadeSegment:
    return MadeSegment(
        segment_id=before.segment_id if before else "",
        name=form.text("name", most=MAX_NAME, needed="Give the segment a name"),
        condition=dict(spec),
        precedence=form.number("precedence", 0, 10_000),
        enabled=form.flag("enabled"),
        created_at=before.created_at if before else now,
        changed_at=now,
    )


def _checked(state: State, form: Form, made: MadeSegment) -> MadeSegment:
    given = made.segment_id
    try:
        made, taken = checked(made, _others(state)), {one.segment_id for one in state.segments.made()}
        if not given and made.segment_id in taken:
            form.refuse("name", f"Its id would be {made.segment_id}, which is another's; give it another name")
        return made
    except ConditionError as error:
        form.refuse("when.0.fact", _capital(error.message))
    except InputError as error:
        form.refuse("name", _capital(error.message))
    return made


def _others(state: State) -> list[Segment | MadeSegment]:
    return [*state.pipeline.live.get().segments.all(), *state.segments.made()]


def _notice(made: MadeSegment, before: MadeSegment | None, counted: Count) -> Notice:
    said = f"{made.name} is saved: {counted.line()}."
    if before is None:
        return Notice(text=said, undo_url=address("segments_delete", segment_id=made.segment_id))
    return Notice(
        text=said,
        undo_url=address("segments_restore", segment_id=made.segment_id),
        undo_fields={"json": msgspec.json.encode(before).decode()},
    )


def delete(segment_id: str) -> Response:
    """Delete one; its visitors are in the next one that holds, or the one found."""
    before = _known(segment_id)
    get_state().segments.delete(segment_id)
    get_state().pipeline.live.refresh()
    note_change("segment.deleted", f"segment:{segment_id}", before=before.condition)
    notice = Notice(
        text=f"{before.name} is deleted.",
        undo_url=address("segments_restore", segment_id=segment_id),
        undo_fields={"json": msgspec.json.encode(before).decode()},
    )
    return back_to(address("segments_show"), notice)


def restore(segment_id: str) -> Response:
    """Put one back as it was before the last change."""
    state = get_state()
    try:
        made = msgspec.json.decode(request.form.get("json", ""), type=MadeSegment)
    except msgspec.MsgspecError as error:
        raise InputError("this is no segment as it was", field="json") from error
    if made.segment_id != segment_id:
        raise InputError("this is another segment", field="json")
    made = checked(made, _others(state))
    state.segments.save(made)
    state.pipeline.live.refresh()
    note_change("segment.saved", f"segment:{segment_id}", name=made.name, after=made.condition)
    return back_to(address("segments_edit", segment_id=segment_id), Notice(text=f"{made.name} is as it was."))


def _known(segment_id: str) -> MadeSegment:
    made = next((one for one in get_state().segments.made() if one.segment_id == segment_id), None)
    if made is None:
        raise NotFoundError(f"no segment {segment_id} was written by hand", field="segment_id")
    return made


def _editor(
    made: MadeSegment | None,
    values: dict[str, str],
    condition: Condition,
    errors: dict[str, str],
    *,
    counted: Count | None = None,
    status: int = 200,
) -> Response:
    from .segments import in_words

    spec = _quietly(condition)
    return page(
        "segments_written.html",
        title=made.name if made else "New segment",
        status=status,
        made=made,
        values=values,
        condition=condition,
        errors=errors,
        sentence=in_words(spec) if spec else "",
        counted=counted,
        comparisons=COMPARISONS,
        facts=[fact for fact in vocabulary().facts if fact.path.partition(".")[0] in ROOTS],
    )


def _quietly(condition: Condition) -> dict[str, Any]:
    """The condition for its sentence; nothing while it is unfinished."""
    form = Form()
    spec = spec_sent(condition, form, "when")
    return {} if form.errors or len(json.dumps(spec, default=str)) > 20_000 else spec


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


PAGES = (
    Page("/new", "create", create, role=Role.MERCHANDISER),
    Page("/new", "save_new", save_new, "POST", Role.MERCHANDISER),
    Page("/written/<segment_id>", "edit", edit),
    Page("/written/<segment_id>", "save", save, "POST", Role.MERCHANDISER),
    Page("/written/<segment_id>/delete", "delete", delete, "POST", Role.MERCHANDISER),
    Page("/written/<segment_id>/restore", "restore", restore, "POST", Role.MERCHANDISER),
)

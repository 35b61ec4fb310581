"""``segments``: those written by hand, and names."""

from __future__ import annotations

import time
from typing import Any

import click
import msgspec
from flask.cli import with_appcontext

from ..errors import InputError, NotFoundError
from ..handmade import MAX_NAME, check_condition, checked, count
from ..ports import MadeSegment
from ..state import State
from .base import answer, command, mounted, read_json, say


def register(segments: click.Group) -> None:
    """Add these commands to the group."""
    condition = click.option("--condition", default="", help='Such as {"profile.orders": {"$gte": 3}}.')
    file = click.option("--file", "path", default=None, type=click.Path(), help="A file with the condition instead.")

    @command(segments, "count")
    @condition
    @file
    @click.option("--most", default=20_000, show_default=True, type=click.IntRange(100), help="Profiles to look at.")
    @with_appcontext
    def count_visitors(condition: str, path: str | None, most: int, as_json: bool) -> None:
        """Count the visitors that a condition holds for now; nothing is saved."""
        state, wanted = mounted(), _condition(condition, path)
        check_condition(wanted)
        likely = state.pipeline.live.get().likely
        found = count(state.journal, state.settings, wanted, now=time.time(), most=most, likely=likely, progress=say)
        answer(found, as_json, found.line())

    @command(segments, "create")
    @click.argument("name")
    @condition
    @file
    @click.option("--id", "segment_id", default="", help="Made of the name if left out; an id that exists is replaced.")
    @click.option("--precedence", default=100, show_default=True, help="The lowest of several that hold counts.")
    @click.option("--off", is_flag=True, help="Save it, but put nobody into it.")
    @with_appcontext
    def create(
        name: str, condition: str, path: str | None, segment_id: str, precedence: int, off: bool, as_json: bool
    ) -> None:
        """Write the segment NAME by hand: it is counted, saved, and used by all workers within seconds."""
        state, now = mounted(), time.time()
        others = state.pipeline.live.refresh().segments.all()
        wanted = MadeSegment(
            segment_id=segment_id,
            name=name,
            condition=_condition(condition, path),
            precedence=precedence,
            enabled=not off,
            created_at=now,
            changed_at=now,
        )
        made = checked(wanted, (*others, *state.segments.made()))
        counted = count(
            state.journal, state.settings, made.condition,
            now=now, likely=state.pipeline.live.get().likely, progress=say,
        )  # fmt: skip
        before = next((one for one in state.segments.made() if one.segment_id == made.segment_id), made)
        made = msgspec.structs.replace(made, size=counted.size or 0, counted_at=now, created_at=before.created_at)
        state.segments.save(made)
        state.segments.rename(made.segment_id, "")
        _done(state, "segment.saved", made.segment_id, now)
        answer({"segment": made, "count": counted}, as_json, f"{made.segment_id}: {counted.line()}")

    @command(segments, "rename")
    @click.argument("segment_id")
    @click.argument("name")
    @with_appcontext
    def rename(segment_id: str, name: str, as_json: bool) -> None:
        """Call SEGMENT_ID by another NAME, which lives on from refresh to refresh; an empty one gives its own back."""
        state, now = mounted(), time.time()
        found, said = state.pipeline.live.refresh().segments.all(), " ".join(name.split())
        if segment_id not in {one.segment_id for one in found} | {one.segment_id for one in state.segments.made()}:
            raise NotFoundError(f"there is no segment {segment_id!r}", field="segment_id")
        if len(said) > MAX_NAME:
            raise InputError(f"a name has at most {MAX_NAME} characters", field="name")
        if any(one.name.lower() == said.lower() and one.segment_id != segment_id for one in found):
            raise InputError("another segment has this name already", field="name")
        state.segments.rename(segment_id, said)
        _done(state, "segment.renamed", segment_id, now)
        called = state.pipeline.live.refresh().segments.find(segment_id)
        name_now = called.name if called else said
        answer({"segment_id": segment_id, "name": name_now}, as_json, f"{segment_id} is called {name_now}.")

    @command(segments, "delete")
    @click.argument("segment_id")
    @with_appcontext
    def delete(segment_id: str, as_json: bool) -> None:
        """Delete SEGMENT_ID, written by hand; its visitors are in the next one that holds, or the one found."""
        state = mounted()
        if not state.segments.delete(segment_id):
            raise NotFoundError(f"no segment {segment_id!r} was written by hand", field="segment_id")
        _done(state, "segment.deleted", segment_id, time.time())
        answer({"deleted": segment_id}, as_json, f"{segment_id} is deleted.")


def _condition(text: str, path: str | None) -> dict[str, Any]:
    if bool(text) == bool(path):
        raise InputError("give either --condition or --file", field="condition")
    if path:
        return read_json(path) or {}
    try:
        read = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InputError(f"it is not JSON: {error}", field="condition") from error
    if not isinstance(read, dict):
        raise InputError("a condition is one JSON object", field="condition")
    return read


def _done(state: State, action: str, segment_id: str, now: float) -> None:
    state.audit.append("cli", action, f"segment:{segment_id}", at=now)
    state.pipeline.live.refresh()

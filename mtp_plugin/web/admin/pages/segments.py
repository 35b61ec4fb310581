"""Segments: the list and the map, one segment's story, a name of the merchant's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request

from ....errors import NotFoundError
from ....facts import vocabulary
from ....handmade import MAX_NAME
from ....ports import MadeSegment
from ....records import Segment
from ....rules.summary import condition
from ....segment.stability import verdict
from ....segment.story import Flow, Story, points, sentences, story
from ....state import State
from ...parts import get_state
from ..asking import read_asking
from ..changes import note_change
from ..charts import Line, bars, line
from ..forms import Form
from ..frame import address, back_to, moment, page
from ..notices import Notice
from ..panel import Hit, Page, Panel
from ..roles import Role
from ..segment_map import clouds
from ..slates import previews
from ..tables import csv_answer

MOST_SLATES = 2
REFRESHES = 26
METHODS = {"pca": "Principal components", "tsne": "t-SNE"}


def found(state: State) -> tuple[Segment, ...]:
    """The segments that serve, the largest first, each with what lies in it."""
    segments = sorted(state.pipeline.live.get().segments.all(), key=lambda one: -one.size)
    known = {one.segment_id for one in segments}
    tops = [one for one in segments if one.parent_id not in known]
    below = {top.segment_id: [one for one in segments if one.parent_id == top.segment_id] for top in tops}
    return tuple(one for top in tops for one in (top, *below[top.segment_id]))


def show() -> Response:
    """The list and the map."""
    state = get_state()
    segments, floor = found(state), state.settings.segment_min_size
    if request.args.get("format") == "csv":
        columns = ("segment_id", "name", "kind", "size", "share", "stability", "precision", "recall", "parent_id")
        shown = [one for one in segments if one.size >= floor]
        return csv_answer("segments", columns, ([getattr(one, name) for name in columns] for one in shown))
    refreshes = state.segments.refreshes(REFRESHES)
    bundles = state.pipeline.live.get().bundles
    bundle = next((one for one in bundles if one is not None and one.kind == "segments"), None)
    method = request.args.get("map", "pca")
    method = method if method in METHODS else "pca"
    names = [(one.segment_id, one.name) for one in segments]
    return page(
        "segments.html",
        title="Segments",
        segments=segments,
        floor=floor,
        clouds=clouds(points(bundle, method), names),
        method=method,
        methods=METHODS,
        has_tsne=bool(points(bundle, "tsne")),
        latest=refreshes[0] if refreshes else None,
        method_why=bundle.meta.get("why", "") if bundle else "",
        told=sentences(refreshes[0], dict(names)) if refreshes else [],
        verdict=verdict,
    )


def show_one(segment_id: str) -> Response:
    """One segment's story."""
    return _page(segment_id, {}, {})


def rename(segment_id: str) -> Response:
    """Give a name of the merchant's own; an empty one gives back the one that was found."""
    state, form = get_state(), Form.sent()
    segment = known_segment(segment_id)
    if segment.kind == "written":
        raise NotFoundError("a segment that was written by hand is renamed where it is written", field="segment_id")
    name = " ".join(form.text("name", most=MAX_NAME).split())
    if any(one.name.casefold() == name.casefold() and one.segment_id != segment_id for one in found(state)):
        form.refuse("name", "Another segment has this name already")
    if form.errors:
        return _page(segment_id, form.values, form.errors, status=422)
    before = state.segments.names().get(segment_id, "")
    here = address("segments_show_one", segment_id=segment_id)
    if name == (before or segment.name):
        return back_to(here, Notice(text="Nothing was different.", kind="note"))
    state.segments.rename(segment_id, name)
    state.pipeline.live.refresh()
    note_change("segment.renamed", f"segment:{segment_id}", before=before or segment.name, after=name)
    notice = Notice(
        text=f"The segment is called {name} now." if name else "The segment has the name back that was found for it.",
        undo_url=address("segments_rename", segment_id=segment_id),
        undo_fields={"name": before},
    )
    return back_to(here, notice)


def _page(segment_id: str, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    state = get_state()
    segment = known_segment(segment_id)
    everyone = found(state)
    names = {one.segment_id: one.name for one in everyone}
    told = story(segment, state.segments.refreshes(REFRESHES), names, state.settings.segment_min_size)
    asking = read_asking(state, {"segment": segment_id})
    rule = made.condition if (made := _made(state, segment_id)) else segment.rule
    return page(
        "segments_one.html",
        title=segment.name,
        status=status,
        segment=segment,
        story=told,
        floor=state.settings.segment_min_size,
        values=values or {"name": segment.name},
        errors=errors,
        lifts=lifts(told),
        rule=in_words(rule),
        sizes=sizes(told),
        came=flows(told.joined, "before"),
        went=flows(told.left, "after"),
        known=names,
        children=[one for one in everyone if one.parent_id == segment_id],
        parent=next((one for one in everyone if one.segment_id == segment.parent_id), None),
        slates=previews(state, asking, list(state.placements)[:MOST_SLATES]) if not asking.errors else [],
    )


def in_words(rule: Mapping[str, Any]) -> str:
    """A condition on visitors as one reads it, ``""`` for none."""
    said = condition(rule, vocabulary()) if rule else ""
    return re.sub(r"\bprofile\.([a-z_]+)\.?", lambda found: f"{found[1]} ", said).replace("_", " ").replace("  ", " ")


def known_segment(segment_id: str) -> Segment:
    """A segment that serves.

    :raises NotFoundError: none of this id does
    """
    segment = next((one for one in found(get_state()) if one.segment_id == segment_id), None)
    if segment is None:
        raise NotFoundError(f"there is no segment {segment_id}", field="segment_id")
    return segment


def _made(state: State, segment_id: str) -> MadeSegment | None:
    return next((one for one in state.segments.made() if one.segment_id == segment_id), None)


def lifts(told: Story) -> list[tuple[str, float, float, float, float]]:
    """What sets it apart: feature, mean here and of everyone, and both as shares of the larger."""
    rows = []
    for name, here, everyone, _ in told.apart:
        top = max(abs(here), abs(everyone)) or 1.0
        said = name.replace("_", " ").replace(".", " ")
        rows.append((said, here, everyone, max(0.0, here / top), max(0.0, everyone / top)))
    return rows


def sizes(told: Story) -> Line | None:
    """How many were in it at each refresh, oldest first; ``None`` before there are two."""
    counts = [(moment(one.at), float(one.size)) for one in told.sizes if one.size is not None]
    if len(counts) < 2:
        return None
    return line("Visitors", [label for label, _ in counts], [size for _, size in counts])


def flows(moves: Sequence[Flow], side: str) -> list[tuple[str, str, int, float]]:
    """From where visitors came, or where they went: id, name, count, share of the largest."""
    drawn = bars([(getattr(move, side), float(move.count)) for move in moves[:8]])
    names = [getattr(move, f"{side}_name") or "none" for move in moves]
    return [(bar.label, name, int(bar.value), bar.share) for bar, name in zip(drawn, names, strict=False)]


def _find(state: State, query: str) -> list[Hit]:
    wanted = query.casefold()
    return [
        Hit(one.name, one.segment_id, "segments_show_one", {"segment_id": one.segment_id})
        for one in found(state)
        if wanted in one.name.casefold() or wanted == one.segment_id
    ]


def _pages() -> tuple[Page, ...]:
    from . import segments_written

    return (
        Page("/", "show", show),
        *segments_written.PAGES,
        Page("/segment/<segment_id>", "show_one", show_one),
        Page("/segment/<segment_id>/name", "rename", rename, "POST", Role.MERCHANDISER),
    )


PANEL = Panel(
    key="segments",
    title="Segments",
    group="Shoppers",
    pages=_pages(),
    count=lambda state: len(state.pipeline.live.get().segments.all()) or None,
    find=_find,
)

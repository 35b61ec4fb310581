"""Segments: the list and the map; one segment's story; a name of the merchant's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, request

from ....errors import NotFoundError
from ....facts import vocabulary
from ....ports import SegmentRefresh
from ....records import Segment
from ....rules.summary import condition
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
from ..segment_map import spots
from ..slates import previews
from ..tables import csv_answer

MOST_SLATES = 2
REFRESHES = 26


@dataclass(frozen=True, slots=True)
class Lift:
    """What sets a segment apart: a feature's mean here and among everyone, as bars of one scale."""

    name: str
    here: float
    everyone: float
    here_share: float
    everyone_share: float


def found(state: State) -> tuple[Segment, ...]:
    """The segments that serve, the largest first, each with what lies in it."""
    segments = sorted(state.pipeline.live.get().segments.all(), key=lambda one: -one.size)
    tops = [one for one in segments if not one.parent_id]
    below = {top.segment_id: [one for one in segments if one.parent_id == top.segment_id] for top in tops}
    return tuple(one for top in tops for one in (top, *below[top.segment_id]))


def show() -> Response:
    """The list and the map."""
    state = get_state()
    segments = found(state)
    if request.args.get("format") == "csv":
        columns = ("segment_id", "name", "kind", "size", "share", "stability", "precision", "recall", "parent_id")
        return csv_answer("segments", columns, ([getattr(one, name) for name in columns] for one in segments))
    refreshes = state.segments.refreshes(REFRESHES)
    serving = state.pipeline.live.get()
    bundle = next((one for one in serving.bundles if one is not None and one.kind == "segments"), None)
    return page(
        "segments.html",
        title="Segments",
        segments=segments,
        spots=spots(bundle, segments),
        latest=refreshes[0] if refreshes else None,
        method=bundle.meta.get("method", "") if bundle else "",
        method_why=bundle.meta.get("why", "") if bundle else "",
        names={one.segment_id: one.name for one in segments},
    )


def show_one(segment_id: str) -> Response:
    """One segment's story."""
    return _page(segment_id, {}, {})


def rename(segment_id: str) -> Response:
    """Give a name of the merchant's own; an empty one gives back the one that was found."""
    state, form = get_state(), Form.sent()
    segment = _known(segment_id)
    name = form.text("name", most=120)
    if form.errors:
        return _page(segment_id, form.values, form.errors, status=422)
    before = state.segments.names().get(segment_id, "")
    if name == (before or segment.name):
        return back_to(
            address("segments_show_one", segment_id=segment_id), Notice(text="Nothing was different.", kind="note")
        )
    state.segments.rename(segment_id, name)
    state.pipeline.live.refresh()
    note_change("segment.renamed", f"segment:{segment_id}", before=before or segment.name, after=name)
    notice = Notice(
        text=f"The segment is called {name} now." if name else "The segment has the name back that was found for it.",
        undo_url=address("segments_rename", segment_id=segment_id),
        undo_fields={"name": before},
    )
    return back_to(address("segments_show_one", segment_id=segment_id), notice)


def _page(segment_id: str, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    state = get_state()
    segment = _known(segment_id)
    refreshes = state.segments.refreshes(REFRESHES)
    asking = read_asking(state, {"segment": segment_id})
    names = [one.segment_id for one in found(state)]
    return page(
        "segments_one.html",
        title=segment.name,
        status=status,
        segment=segment,
        values=values or {"name": segment.name},
        errors=errors,
        lifts=lifts(segment),
        rule=condition(segment.rule, vocabulary()) if segment.rule else "",
        sizes=sizes(segment_id, refreshes),
        came=moves(segment_id, refreshes[:1], came=True),
        went=moves(segment_id, refreshes[:1], came=False),
        known=dict(zip(names, [one.name for one in found(state)], strict=True)),
        children=[one for one in found(state) if one.parent_id == segment_id],
        parent=next((one for one in found(state) if one.segment_id == segment.parent_id), None),
        slates=previews(state, asking, list(state.placements)[:MOST_SLATES]) if not asking.errors else [],
    )


def _known(segment_id: str) -> Segment:
    segment = next((one for one in found(get_state()) if one.segment_id == segment_id), None)
    if segment is None:
        raise NotFoundError(f"there is no segment {segment_id}", field="segment_id")
    return segment


def lifts(segment: Segment) -> list[Lift]:
    """The differences as bars, each pair of one scale of its own."""
    found = []
    for name, here, everyone in segment.lifts:
        top = max(abs(here), abs(everyone)) or 1.0
        found.append(
            Lift(
                name.replace("_", " ").replace(".", " "), here, everyone, max(0.0, here / top), max(0.0, everyone / top)
            )
        )
    return found


def sizes(segment_id: str, refreshes: Sequence[SegmentRefresh]) -> Line | None:
    """How many were in it at each refresh, oldest first; ``None`` before there are two."""
    counts = [
        (moment(refresh.refreshed_at), float(count.size))
        for refresh in reversed(refreshes)
        for count in refresh.segments
        if count.segment_id == segment_id
    ]
    if len(counts) < 2:
        return None
    return line("Members", [label for label, _ in counts], [size for _, size in counts])


def moves(segment_id: str, refreshes: Sequence[SegmentRefresh], *, came: bool) -> list[tuple[str, int, float]]:
    """From where visitors came at the last refresh, or where they went: segment, count, share of the largest."""
    counted: list[tuple[str, float]] = []
    for refresh in refreshes:
        for move in refresh.moves:
            here, there = (move.after, move.before) if came else (move.before, move.after)
            if here == segment_id and there != segment_id:
                counted.append((there, float(move.count)))
    drawn = bars(sorted(counted, key=lambda pair: -pair[1])[:8])
    return [(bar.label, int(bar.value), bar.share) for bar in drawn]


def _find(state: State, query: str) -> list[Hit]:
    wanted = query.casefold()
    return [
        Hit(one.name, f"{one.size:,} visitors", "segments_show_one", {"segment_id": one.segment_id})
        for one in found(state)
        if wanted in one.name.casefold() or wanted == one.segment_id
    ]


PANEL = Panel(
    key="segments",
    title="Segments",
    group="Shoppers",
    pages=(
        Page("/", "show", show),
        Page("/<segment_id>", "show_one", show_one),
        Page("/<segment_id>/name", "rename", rename, "POST", Role.MERCHANDISER),
    ),
    count=lambda state: len(state.pipeline.live.get().segments.all()) or None,
    find=_find,
)

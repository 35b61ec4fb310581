"""What pages, plots and commands show of segments: plain data, nothing below the floor in it.

Everything here is pure and cheap, and loads nothing that only learning needs. ``floor`` is ``MTP_SEGMENT_MIN_SIZE``: a
number of visitors below it is ``None``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ..ports import Bundle, SegmentRefresh
from ..records import Segment
from .stability import verdict


class Point(msgspec.Struct, frozen=True):
    """One visitor, nobody knows which, on a map whose axes have no unit; both are from 0 to 1."""

    x: float
    y: float
    segment_id: str


class Size(msgspec.Struct, frozen=True):
    """How many were in a segment at a refresh (seconds since 1970)."""

    at: float
    size: int | None
    share: float | None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One segment over time, oldest first; it is named as it is now, or was last."""

    segment_id: str
    name: str
    sizes: tuple[Size, ...]


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """How many went from one segment into another between two refreshes; an id is empty for *in none*."""

    before: str
    before_name: str
    after: str
    after_name: str
    count: int


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """Who went where at a refresh, the largest flow first; ``few`` went in flows below the floor, together."""

    at: float
    flows: tuple[Flow, ...]
    few: int | None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One segment: itself, how stable it is in a word (``""`` for not known), its sizes, who joined and who left.

    ``apart`` are (feature, mean here, mean of everyone, lift or ``None``), the most telling first.
    """

    segment: Segment
    stability: str
    shown: bool
    apart: tuple[tuple[str, float, float, float | None], ...]
    sizes: tuple[Size, ...]
    joined: tuple[Flow, ...]
    left: tuple[Flow, ...]
    changes: tuple[str, ...]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One segment in two refreshes; a size is ``None`` where it was not, or is below the floor."""

    segment_id: str
    name: str
    before: int | None
    after: int | None
    change: float | None


def shown(size: int, floor: int) -> int | None:
    """The number, or ``None`` where it is too small to be shown.

    >>> shown(19, 20), shown(20, 20)
    (None, 20)
    """
    return size if size >= floor else None


def points(bundle: Bundle | None, method: str = "pca") -> tuple[Point, ...]:
    """The map of a bundle of kind ``segments``, a sample of visitors; empty where it has none.

    :param method: ``pca`` or ``tsne``
    """
    if bundle is None or f"map_{method}" not in bundle.arrays:
        return ()
    places = np.asarray(bundle.arrays[f"map_{method}"], dtype=float)
    labels, leaves = bundle.arrays["map_labels"][: len(places)].tolist(), bundle.strings["leaves"]
    return tuple(
        Point(round(x, 4), round(y, 4), leaves[at]) for (x, y), at in zip(places.tolist(), labels, strict=True)
    )


def sizes(refreshes: Sequence[SegmentRefresh], names: Mapping[str, str], floor: int) -> tuple[Series, ...]:
    """Sizes over time, the largest segment of the last refresh first.

    :param refreshes: newest first, as the book gives them
    :param names: by id, of segments that there are now
    """
    known: dict[str, str] = {}
    for refresh in refreshes:
        for one in refresh.segments:
            known.setdefault(one.segment_id, names.get(one.segment_id, one.name))
    last = {one.segment_id: one.size for one in refreshes[0].segments} if refreshes else {}
    order = sorted(known, key=lambda segment_id: (-last.get(segment_id, -1), segment_id))
    return tuple(
        Series(segment_id=one, name=known[one], sizes=tuple(_size(one, at, floor) for at in reversed(refreshes)))
        for one in order
    )


def migration(refresh: SegmentRefresh, names: Mapping[str, str], floor: int) -> Migration:
    """Who went where at this refresh."""
    called = {one.segment_id: one.name for one in refresh.segments} | dict(names) | {"": ""}
    flows = tuple(
        Flow(
            before=move.before,
            before_name=called.get(move.before, move.before),
            after=move.after,
            after_name=called.get(move.after, move.after),
            count=move.count,
        )
        for move in refresh.moves
        if move.count >= floor
    )
    few = sum(move.count for move in refresh.moves if move.count < floor)
    return Migration(at=refresh.refreshed_at, flows=flows, few=shown(few, floor))


def story(segment: Segment, refreshes: Sequence[SegmentRefresh], names: Mapping[str, str], floor: int) -> Story:
    """All that is shown of one segment.

    :param refreshes: newest first
    :param names: by id, of segments that there are now
    """
    moved = migration(refreshes[0], names, floor).flows if refreshes else ()
    mine, visible = segment.segment_id, segment.size >= floor
    changes = [sentence for refresh in refreshes for sentence in sentences(refresh, names, mine)]
    return Story(
        segment=segment if visible else msgspec.structs.replace(segment, size=0, share=0.0, lifts=()),
        stability=verdict(segment.stability) if segment.stability is not None else "",
        shown=visible,
        apart=tuple(_lift(*one) for one in segment.lifts) if visible else (),
        sizes=tuple(_size(mine, refresh, floor) for refresh in reversed(refreshes)),
        joined=tuple(flow for flow in moved if flow.after == mine and flow.before != mine),
        left=tuple(flow for flow in moved if flow.before == mine and flow.after != mine),
        changes=tuple(changes),
    )


def sentences(refresh: SegmentRefresh, names: Mapping[str, str], segment_id: str = "") -> list[str]:
    """What became of segments at a refresh, in words; of one segment where it is given.

    What simply went on is not told.
    """
    called = {one.segment_id: one.name for one in refresh.segments} | dict(names)

    def say(ids: Sequence[str]) -> str:
        return " and ".join(f"{called[one]} ({one})" if one in called else one for one in ids)

    words = {"new": "{after} is new", "gone": "{before} is gone", "split": "{before} split into {after}",
             "merged": "{before} merged into {after}"}  # fmt: skip
    return [
        words[change.kind].format(before=say(change.before), after=say(change.after))
        for change in refresh.changes
        if change.kind in words and (not segment_id or segment_id in (*change.before, *change.after))
    ]


def compare(before: SegmentRefresh, after: SegmentRefresh, names: Mapping[str, str], floor: int) -> tuple[Changed, ...]:
    """Each segment of either refresh, those that changed most first."""
    old = {one.segment_id: one for one in before.segments}
    new = {one.segment_id: one for one in after.segments}
    found = []
    for segment_id in {**old, **new}:
        sides = [shown(side[segment_id].size, floor) if segment_id in side else None for side in (old, new)]
        first, last = sides
        change = last / first - 1 if first and last is not None else None
        name = names.get(segment_id) or (new.get(segment_id) or old[segment_id]).name
        found.append(Changed(segment_id=segment_id, name=name, before=first, after=last, change=change))
    return tuple(sorted(found, key=lambda one: (-abs(one.change if one.change is not None else 1.0), one.segment_id)))


def readable(condition: Mapping[str, Any]) -> str:
    """A condition in plain signs, for people: ``orders >= 3 and category.Watches >= 0.4``."""
    return " and ".join(_test(path, tests) for path, tests in condition.items()) or "everybody"


_SIGNS = {"$gte": ">=", "$gt": ">", "$lt": "<", "$lte": "<=", "$eq": "=", "$ne": "is not", "$in": "is one of",
          "$nin": "is none of", "$exists": "is known:"}  # fmt: skip


def _test(path: str, tests: Any) -> str:
    name = path.removeprefix("profile.")
    if isinstance(tests, Mapping) and tests and all(str(key) in _SIGNS for key in tests):
        return " and ".join(f"{name} {_SIGNS[key]} {_said(value)}" for key, value in tests.items())
    if path.startswith("$") or isinstance(tests, Mapping):
        return f"{name} {msgspec.json.encode(tests).decode()}"
    return f"{name} = {_said(tests)}"


def _said(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_said, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _lift(feature: str, inside: float, everyone: float) -> tuple[str, float, float, float | None]:
    return feature, inside, everyone, inside / everyone if everyone > 0 and inside >= 0 else None


def _size(segment_id: str, refresh: SegmentRefresh, floor: int) -> Size:
    count = next((one.size for one in refresh.segments if one.segment_id == segment_id), 0)
    size = shown(count, floor)
    return Size(refresh.refreshed_at, size, size / refresh.visitors if size and refresh.visitors else None)

"""Segments written by hand: conditions on what is known of a visitor and of the request, compiled once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ..conditions import Condition, compile_condition
from ..errors import ConditionError
from ..ports import MadeSegment
from ..records import Context, Segment, SegmentRef

log = logging.getLogger(__name__)

WRITTEN = "written"
"""The kind of these segments, beside ``found``."""
ROOTS = ("profile", "context")
"""What conditions of segments speak of; the rest is decided after the segment is."""


class MadeSegments:
    """Answers from conditions, the one of the lowest precedence first.

    A condition that this version cannot read is logged and left out.

    :param made: in order of precedence
    """

    def __init__(self, made: Sequence[MadeSegment] = ()) -> None:
        self._made = tuple(one for one in made if one.enabled)
        self._by_id = {one.segment_id: one for one in self._made}
        compiled = ((one, _compiled(one)) for one in self._made)
        self._tests = [(SegmentRef(one.segment_id, one.name, 1.0), test) for one, test in compiled if test]
        self._context = any(
            path.startswith("context.") or path == "context" for one in self._made for path in paths_of(one.condition)
        )

    def __bool__(self) -> bool:
        return bool(self._tests)

    def assign(self, features: Mapping[str, Any], context: Context) -> SegmentRef | None:
        """The first segment whose condition holds.

        :param features: of the visitor, by name, what is not known left out
        """
        facts = {"profile": features, "context": context_facts(context) if self._context else {}}
        return next((ref for ref, test in self._tests if test(facts)), None)

    def find(self, segment_id: str) -> SegmentRef | None:
        """The segment of this id, with confidence 1: it was asked for."""
        made = self._by_id.get(segment_id)
        return SegmentRef(made.segment_id, made.name, 1.0) if made else None

    def all(self, visitors: int = 0) -> tuple[Segment, ...]:
        """All that are enabled, in order of precedence.

        :param visitors: of the shop, for shares
        """
        return tuple(
            Segment(
                segment_id=one.segment_id,
                name=one.name,
                kind=WRITTEN,
                size=one.size or 0,
                share=(one.size or 0) / visitors if visitors else 0.0,
                rule=one.condition,
                created_at=one.created_at,
                refreshed_at=one.counted_at,
            )
            for one in self._made
        )


def context_facts(context: Context) -> dict[str, Any]:
    """What conditions see of a request; what is unknown is missing."""
    return {name: value for name in Context.__struct_fields__ if (value := getattr(context, name)) not in ("", None)}


def paths_of(condition: Any) -> set[str]:
    """The dotted paths that a condition reads."""
    if isinstance(condition, (list, tuple)):
        return {path for part in condition for path in paths_of(part)}
    if not isinstance(condition, Mapping):
        return set()
    found: set[str] = set()
    for key, value in condition.items():
        found |= paths_of(value) if str(key).startswith("$") else {str(key)}
    return found


def _compiled(made: MadeSegment) -> Condition | None:
    try:
        return compile_condition(made.condition)
    except ConditionError as error:
        log.error("segment %s is left out, its condition cannot be read: %s: %s", made.segment_id, error.field, error)
        return None

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

OF_PAGE = frozenset({"context.page_type", "context.category", "context.query"})
"""What all who see a page have in common."""


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
        paths = {ref.segment_id: paths_of(self._by_id[ref.segment_id].condition) for ref, _ in self._tests}
        self._context = any(_speaks_of_context(path) for asked in paths.values() for path in asked)
        self._of_request = [one for one in self._tests if all(map(_speaks_of_context, paths[one[0].segment_id]))]
        self.page_alone = {path for ref, _ in self._of_request for path in paths[ref.segment_id]} <= OF_PAGE
        """Whether who sees a page without a profile is in the same segment as all who see it."""

    def __bool__(self) -> bool:
        return bool(self._tests)

    def assign(self, features: Mapping[str, Any], context: Context) -> SegmentRef | None:
        """The first segment whose condition holds.

        :param features: of the visitor, by name, what is not known left out
        """
        facts = {"profile": features, "context": context_facts(context) if self._context else {}}
        return next((ref for ref, test in self._tests if test(facts)), None)

    def of_request(self, context: Context) -> SegmentRef | None:
        """The first segment that this request alone belongs to: one whose condition speaks of nothing but context."""
        if not self._of_request:
            return None
        facts = {"context": context_facts(context)}
        return next((ref for ref, test in self._of_request if test(facts)), None)

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


def _speaks_of_context(path: str) -> bool:
    return path == "context" or path.startswith("context.")


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

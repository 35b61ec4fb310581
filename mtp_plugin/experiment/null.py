"""No experiments: nobody is assigned to anything."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import Assignment, SegmentRef, SlateRequest


@dataclass(frozen=True)
class NoExperiments:
    """The experiment stage while none runs."""

    def assign(self, request: SlateRequest, segment: SegmentRef | None) -> Assignment | None:
        """The variation this request sees: none."""
        return None

"""No segments: every visitor is treated alike."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import Context, Profile, Segment, SegmentRef


@dataclass(frozen=True)
class NoSegments:
    """The segment stage while a shop has no segments."""

    def assign(self, profile: Profile | None, context: Context, now: float) -> SegmentRef | None:
        """The segment of this visitor at *now*: none."""
        return None

    def find(self, segment_id: str) -> SegmentRef | None:
        """The segment of this id: there is none."""
        return None

    def all(self) -> tuple[Segment, ...]:
        """All segments: there are none."""
        return ()

"""No bandit: the placement's own ladder, with certainty."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import Event, Placement, SegmentRef, SlateRequest


@dataclass(frozen=True)
class NoBandit:
    """The policy that never explores."""

    def choose(
        self, placement: Placement, request: SlateRequest, segment: SegmentRef | None
    ) -> tuple[tuple[str, ...], float]:
        """The ladder of strategies to try and the probability with which it was chosen, here 1."""
        return placement.strategies, 1.0

    def update(self, event: Event) -> None:
        """Learn from an event that names the slate it came from: nothing to learn."""

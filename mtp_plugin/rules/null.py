"""No rules: candidates pass as they are."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import Candidates, ProductTable, SegmentRef, SlateRequest


@dataclass(frozen=True)
class NoRules:
    """The rules stage while the merchant has written none."""

    def apply(
        self, candidates: Candidates, table: ProductTable, request: SlateRequest, segment: SegmentRef | None
    ) -> Candidates:
        """The candidates after filters and weights: unchanged."""
        return candidates

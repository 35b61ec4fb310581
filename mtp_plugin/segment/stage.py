"""Which segment a visitor is in: one written by hand where one holds, else the one found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..records import Context, Profile, Segment, SegmentRef
from .found import FoundSegments, is_minor
from .made import MadeSegments
from .null import NoSegments

Features = Callable[[Profile, float], Mapping[str, Any]]
"""A profile and a time to its features by name."""


class Segments:
    """The segment stage of a shop.

    Visitors of whom nothing is kept are in one only where the request alone makes them members, and those too young to
    be sorted are in none, written or found.

    :param found: those that a refresh found
    :param made: those written by hand
    :param names: what the merchant calls segments, by id
    :param features: for the conditions of *made*
    :param min_age: years; who says to be younger is in none
    """

    def __init__(
        self,
        found: FoundSegments | NoSegments,
        made: MadeSegments,
        names: Mapping[str, str],
        features: Features,
        *,
        min_age: int = 0,
    ) -> None:
        self.found, self.made = found, made
        self._names, self._features, self._min_age = dict(names), features, min_age

    def assign(self, profile: Profile | None, context: Context, now: float) -> SegmentRef | None:
        """The segment of this visitor at *now*; without a profile, that of the request.

        What the request alone tells is so, and not likely: the confidence is 1.
        """
        if profile is not None and is_minor(profile.traits, self._min_age):
            return None
        if profile is None or not profile.events:
            return self._named(self.made.of_request(context))
        if self.made:
            written = self.made.assign(self._features(profile, now), context)
            if written is not None:
                return self._named(written)
        return self._named(self.found.assign(profile, context, now))

    @property
    def page_alone(self) -> bool:
        """Whether all who see a page without a profile are in the same segment."""
        return self.made.page_alone

    def find(self, segment_id: str) -> SegmentRef | None:
        """The segment of this id, with confidence 1."""
        return self._named(self.made.find(segment_id) or self.found.find(segment_id))

    def all(self) -> tuple[Segment, ...]:
        """All segments: those written by hand in order of precedence, then those found, coarser ones first."""
        found = self.found.all()
        visitors = sum(one.size for one in found if not one.parent_id)
        return tuple(
            msgspec.structs.replace(one, name=self._names[one.segment_id]) if one.segment_id in self._names else one
            for one in (*self.made.all(visitors), *found)
        )

    def _named(self, ref: SegmentRef | None) -> SegmentRef | None:
        name = self._names.get(ref.segment_id) if ref else None
        return SegmentRef(ref.segment_id, name, ref.confidence) if ref and name else ref

"""How a visitor comes and goes, while events are folded into a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..records import Habits

FACETS = ("device", "daypart", "weekday", "country")
MAX_VALUES = 30
"""Values kept of one facet; once there are so many, new ones are not counted."""
MAX_TEXT = 40


class Coming:
    """Counts; :meth:`freeze` gives the record."""

    __slots__ = ("_active", "_bounces", "_counts", "_in_session", "_own", "_searches")

    def __init__(self, habits: Habits) -> None:
        self._searches, self._active = habits.searches, habits.active_seconds
        self._bounces, self._in_session = habits.bounces, habits.session_events
        self._counts, self._own = habits.counts, False

    def begin(self) -> None:
        """A session begins with an event; until another follows it is a bounce."""
        self._bounces, self._in_session = self._bounces + 1, 1

    def go_on(self, seconds: float) -> None:
        """Another event of the session, so long after the latest; less than zero for one that arrives late."""
        self._active += max(0.0, seconds)
        self._in_session += 1
        if self._in_session == 2:
            self._bounces -= 1

    def search(self) -> None:
        """Somebody searched."""
        self._searches += 1

    def notice(self, context: Mapping[str, Any]) -> None:
        """Count what an event's context says."""
        for facet in FACETS:
            value = context.get(facet)
            if not value or not isinstance(value, str) or len(value) > MAX_TEXT:
                continue
            if not self._own:  # what the profile holds stays as it is
                self._counts, self._own = {name: dict(counts) for name, counts in self._counts.items()}, True
            counts = self._counts.setdefault(facet, {})
            if value in counts or len(counts) < MAX_VALUES:
                counts[value] = counts.get(value, 0) + 1

    def freeze(self) -> Habits:
        """The record."""
        return Habits(self._searches, self._active, self._bounces, self._in_session, self._counts)


def merge_habits(a: Habits, b: Habits) -> Habits:
    """What two parts of one visitor's past say together; the latest session counts as the longer of theirs."""
    counts = {facet: dict(values) for facet, values in a.counts.items()}
    for facet, values in b.counts.items():
        known = counts.setdefault(facet, {})
        for value, count in values.items():
            known[value] = known.get(value, 0) + count
    return Habits(
        a.searches + b.searches,
        a.active_seconds + b.active_seconds,
        a.bounces + b.bounces,
        max(a.session_events, b.session_events),
        counts,
    )

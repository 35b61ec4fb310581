"""Imported rows as events: ids that are the same on every run."""

from __future__ import annotations

from typing import Any

from ..records import Event, EventProduct
from .identifiers import dedupe_key, permanent_id

ALIKE_WINDOW = 100_000
"""Different rows between which rows that are alike in everything are still told apart."""


def imported_event(
    name: str,
    *,
    key: str,
    timestamp: float,
    user_id: str = "",
    anonymous_id: str = "",
    products: tuple[EventProduct, ...] = (),
    properties: dict[str, Any] | None = None,
    traits: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    recommendation_id: str = "",
) -> Event:
    """An event of the past.

    :param key: what identifies the row for ever, such as an order number
    :param timestamp: when it happened, seconds since 1970
    """
    profile_id = f"u:{user_id}" if user_id else f"a:{anonymous_id}"
    whole = f"{name}\x1f{profile_id}\x1f{key}"
    return Event(
        event_id=permanent_id(timestamp, whole),
        name=name,
        profile_id=profile_id,
        timestamp=timestamp,
        received_at=timestamp,
        dedupe_key=dedupe_key("import", profile_id, whole),
        permanent=True,
        anonymous_id=anonymous_id,
        user_id=user_id,
        products=products,
        properties=properties or {},
        traits=traits or {},
        context=context or {},
        source="import",
        recommendation_id=recommendation_id,
    )


class Occurrences:
    """Tells rows that are alike apart by how many came before, so that each counts, and counts once.

    A row that comes again after *window* other rows is taken for a repetition: memory stays bounded.
    """

    def __init__(self, window: int = ALIKE_WINDOW) -> None:
        self._window, self._seen = window, dict[str, int]()

    def __call__(self, key: str) -> str:
        """The key of this occurrence, for one and the same file always the same."""
        place = self._seen[key] = self._seen.pop(key, 0) + 1
        if len(self._seen) > self._window:
            del self._seen[next(iter(self._seen))]
        return key if place == 1 else f"{key}|{place}"

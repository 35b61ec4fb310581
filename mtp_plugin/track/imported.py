"""Imported rows as events: ids that are the same on every run."""

from __future__ import annotations

from typing import Any

from ..records import Event, EventProduct
from .identifiers import dedupe_key, permanent_id


def imported_event(
    name: str,
    *,
    key: str,
    timestamp: float,
    user_id: str = "",
    anonymous_id: str = "",
    products: tuple[EventProduct, ...] = (),
    properties: dict[str, Any] | None = None,
    source: str = "import",
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
        source=source,
    )

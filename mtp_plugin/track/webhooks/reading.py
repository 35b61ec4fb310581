"""What a webhook says, in our words: the same for every source."""

from __future__ import annotations

from typing import Any

import msgspec

from ...records import Event, EventProduct
from ..identifiers import dedupe_key, permanent_id


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a body speaks of, as it names them; ``contacts`` are plain and are hashed before anything is kept."""

    user_id: str = ""
    anonymous_id: str = ""
    order_ids: tuple[str, ...] = ()
    contacts: dict[str, str] = {}


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a person; ``key`` identifies it for ever.

    ``of_order``: whose it is, is known by whose order this was.
    """

    name: str
    key: str
    timestamp: float
    products: tuple[EventProduct, ...] = ()
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    of_order: str = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one body says. ``act`` is a request that the law makes: ``report``, ``erase`` or ``erase-source``."""

    person: Person = Person()
    happenings: tuple[Happening, ...] = ()
    product: dict[str, Any] | None = None
    gone: str = ""
    act: str = ""
    ignored: str = ""


def event_of(source: str, happening: Happening, user_id: str, anonymous_id: str, now: float) -> Event:
    """The event of a happening: told again, by this webhook or another, it is the same.

    :param source: name of the webhook's source
    :param now: when it was received
    """
    whole = f"{source}\x1f{happening.name}\x1f{happening.key}"
    profile_id = f"u:{user_id}" if user_id else f"a:{anonymous_id}"
    timestamp = min(happening.timestamp, now)
    return Event(
        event_id=permanent_id(timestamp, whole),
        name=happening.name,
        profile_id=profile_id,
        timestamp=timestamp,
        received_at=now,
        dedupe_key=dedupe_key("webhook", source, whole),
        permanent=True,
        anonymous_id=anonymous_id,
        user_id=user_id,
        products=happening.products,
        properties={**happening.properties, "via": source},
        traits=happening.traits,
        source="webhook",
    )

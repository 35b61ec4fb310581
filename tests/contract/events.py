"""Events and a fold that shows what was folded, for the suites of the stores."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from mtp_plugin.records import Event, EventProduct, Profile, RecentItem

START = 1_760_000_000.0


def make_event(number: int, profile_id: str = "a:1", **fields: object) -> Event:
    """Event *number*, a second after the one before."""
    moment = START + number
    values = {
        "event_id": f"{int(moment * 1000):012x}7{secrets.token_hex(10)[:19]}",
        "name": "Product Viewed",
        "profile_id": profile_id,
        "timestamp": moment,
        "received_at": moment + 0.25,
        "dedupe_key": f"{profile_id}|{number}",
        "message_id": f"m{number}",
        "anonymous_id": profile_id[2:],
        "products": (EventProduct(product_id=f"p{number}", quantity=2, price=9.5, position=1),),
        "properties": {"list": ["a", 1, None], "title": "Größe Ω"},
        "context": {"page": {"path": "/p"}},
    }
    return msgspec.convert(values | fields, Event)


def note(profile: Profile | None, events: Sequence[Event]) -> Profile:
    """Folds events into the order of their numbers: what is lost, doubled or out of order shows."""
    before = profile or Profile(profile_id=events[0].profile_id, first_seen=events[0].timestamp)
    seen = tuple(RecentItem(event.dedupe_key, event.timestamp, event.name) for event in events)
    traits = dict(before.traits)
    for event in events:
        traits.update(event.traits)
    return msgspec.structs.replace(
        before,
        revision=before.revision + 1,
        events=before.events + len(events),
        recent=before.recent + seen,
        last_seen=max(before.last_seen, *(event.timestamp for event in events)),
        traits=traits,
    )


def noted(profile: Profile | None) -> list[str]:
    """What :func:`note` saw, in order."""
    return [item.product_id for item in profile.recent] if profile else []

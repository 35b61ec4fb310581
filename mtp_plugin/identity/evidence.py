"""What an event tells of who is who. Only what the shop or its servers vouch for counts; nobody links by claiming."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..records import Claim, Event
from .guards import is_usable

VOUCHED = frozenset({"server", "shop", "webhook", "source"})
"""Senders whose orders and customers' data are believed; what a browser says of an order may be another's."""
HASHED = {"email_hash": ("e:", "email"), "phone_hash": ("p:", "phone")}
"""Properties of ``Identify`` that hold a keyed hash, the letter of the node and the kind of link."""


def claims_of(events: Iterable[Event]) -> list[Claim]:
    """The deterministic claims of some events, each once, in order, the latest evidence counting."""
    found: dict[tuple[str, str], Claim] = {}
    for event in events:
        for claim in _claims(event):
            known = found.setdefault((claim.left, claim.right), claim)
            if claim.at > known.at:
                found[(claim.left, claim.right)] = claim
    return [claim for claim in found.values() if is_usable(claim.left) and is_usable(claim.right)]


def _claims(event: Event) -> Iterator[Claim]:
    if event.user_id and event.anonymous_id:
        yield Claim(left=f"u:{event.user_id}", right=f"a:{event.anonymous_id}", kind="sign-in", at=event.timestamp)
    if event.source not in VOUCHED:
        return
    if event.name == "Alias" and (previous := event.properties.get("previous_id")):
        yield Claim(left=event.profile_id, right=f"a:{previous}", kind="alias", at=event.timestamp)
    if event.name == "Order Completed" and (order := event.properties.get("order_id")):
        yield Claim(left=event.profile_id, right=f"o:{order}", kind="order", at=event.timestamp)
    for name, (letter, kind) in HASHED.items() if event.name == "Identify" else ():
        if isinstance(value := event.properties.get(name), str):
            yield Claim(left=event.profile_id, right=letter + value, kind=kind, at=event.timestamp)

"""Carts that nobody came back to are noticed by time: an event, once a cart, as if the shop's own code had sent it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import chain

from .receiving import has_refused
from .records import Event
from .state import State
from .track.carts import ABANDONED, TOUCHED, Cart, cart_of
from .track.identifiers import dedupe_key, permanent_id

CURSOR = "carts"
BATCH = 2000
BATCHES = 50
"""Batches of events read in one run at most; the next one goes on from there."""
OLDEST = 7 * 86400.0
"""Seconds after which a cart is no news any more."""
LATEST = 2000
"""Events of a person that are looked at."""


def notice(state: State) -> str:
    """Look for carts that were left alone for longer than the setting; the job. Gives a line on what it found."""
    now = time.time()
    _follow(state, now)
    idle = state.settings.cart_abandoned_minutes * 60
    found = []
    for profile_id in state.carts.idle(now - idle):
        event = _abandoned(state, profile_id, now, idle)
        if event is not None:
            found.append(event)
        state.carts.close([profile_id], now - idle)
    new = state.pipeline.ingest(found) if found else []
    return f"{sum(new)} carts abandoned"


def _follow(state: State, now: float) -> None:
    """Note which carts were touched since the last run. Carts of the time before the first one are not looked for."""
    position = state.cursors.get(CURSOR)
    last = int(position) if position else state.journal.last_number()
    for _ in range(BATCHES):
        found, last = state.journal.tail(last, names=TOUCHED, limit=BATCH)
        recent = [event for _, event in found if now - event.timestamp < OLDEST and event.name != ABANDONED]
        state.carts.touch({event.profile_id: event.timestamp for event in recent})
        if len(found) < BATCH:
            break
    state.cursors.put(CURSOR, str(last), now)


def _abandoned(state: State, profile_id: str, now: float, idle: float) -> Event | None:
    """The event, unless the cart is empty, was bought on another device, was touched since, or was told of before."""
    together = state.people.resolve([profile_id]).profile_ids
    account = next((node for node in state.people.identity.cluster(profile_id) if node.startswith("u:")), "")
    if account and not profile_id.startswith("u:"):
        together = tuple(dict.fromkeys((*together, *state.people.resolve([account]).profile_ids)))
    cart = cart_of(_events(state, together))
    if not cart.products or cart.told or cart.touched_at > now - idle or has_refused(state, profile_id):
        return None
    return _event(cart, account or profile_id, now)


def _events(state: State, profile_ids: Sequence[str]) -> list[Event]:
    events = chain.from_iterable(state.journal.events_of(name) for name in profile_ids)
    told = [event for event in events if event.name in TOUCHED]
    return sorted(told, key=lambda event: event.timestamp)[-LATEST:]


def _event(cart: Cart, profile_id: str, now: float) -> Event:
    key = f"{ABANDONED}\x1f{profile_id}\x1f{cart.since}"
    properties = {"value": cart.value, "items": len(cart.products), "idle_minutes": int((now - cart.touched_at) / 60)}
    return Event(
        event_id=permanent_id(cart.since, key),
        name=ABANDONED,
        profile_id=profile_id,
        timestamp=now,
        received_at=now,
        dedupe_key=dedupe_key("job", profile_id, key),
        permanent=True,
        user_id=profile_id[2:] if profile_id.startswith("u:") else "",
        anonymous_id=profile_id[2:] if profile_id.startswith("a:") else "",
        products=cart.products,
        properties=properties | ({"currency": cart.currency} if cart.currency else {}),
        source="job",
    )

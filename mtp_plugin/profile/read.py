"""What a profile says now."""

from __future__ import annotations

from collections.abc import Sequence

from ..records import Action, Funnel, Profile, Purchase
from .bought import MAX_PLACED, MAX_PURCHASES
from .decay import moved, read
from .draft import MAX_SEARCHES
from .habits import merge_habits
from .traits import merged
from .twice import without_twice

MAX_RECENT = 50
VIEW = Action.VIEW.value


def affinities(profile: Profile, facet: str, now: float, half_life: float) -> dict[str, float]:
    """The shares of a facet's values, best first; they sum to 1, or there are none.

    :param facet: ``category``, ``brand``, ``color``, ``style`` or ``price_tier``
    :param now: seconds since 1970
    :param half_life: seconds
    """
    weights = {
        name: amount
        for name, value in profile.affinities.get(facet, {}).items()
        if (amount := read(value, now, profile.landmark, half_life)) > 0
    }
    total = sum(weights.values())
    best = sorted(weights, key=lambda name: (-weights[name], name))
    return {name: weights[name] / total for name in best}


def margin_affinity(profile: Profile) -> float | None:
    """The mean margin of what the visitor acts on, weighted by recency and action; ``None`` when unknown."""
    return _ratio(profile.margin)


def discount_share(profile: Profile) -> float | None:
    """The share of the visitor's actions that went to products on sale, 0 to 1; ``None`` when unknown."""
    return _ratio(profile.discount)


def _ratio(pair: tuple[float, float]) -> float | None:
    return pair[0] / pair[1] if pair[1] > 0 else None


def recent_products(profile: Profile, now: float, idle: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Products of the session that *now* is in, and those of earlier sessions, oldest first, repeats kept.

    Of the session, which is empty when it has ended, what was viewed; what was put into the cart or bought without
    being viewed in it counts too.

    :param idle: seconds without activity that end a session
    """
    begin, recent = _session_begin(profile, now, idle), profile.recent
    earlier = tuple([item.product_id for item in recent[:begin]])
    session = recent[begin:]
    ids = tuple([item.product_id for item in session])
    if any(item.action != VIEW for item in session):
        viewed = {item.product_id for item in session if item.action == VIEW}
        ids = tuple([item.product_id for item in session if item.action == VIEW or item.product_id not in viewed])
    return ids, earlier


def _session_begin(profile: Profile, now: float, idle: float) -> int:
    place, later = len(profile.recent), now
    while place and later - profile.recent[place - 1].timestamp <= idle:
        place -= 1
        later = profile.recent[place].timestamp
    return place


def merge(profiles: Sequence[Profile], half_life: float) -> Profile | None:
    """One visitor's profiles (as an account and as a browser) read as one; the first is the most trusted.

    Nothing is written: the parts stay apart in the store.

    :param half_life: seconds, the one that all were folded with
    """
    if len(profiles) < 2:
        return profiles[0] if profiles else None
    first, *rest = profiles
    for other in rest:
        first = _merge_two(first, other, half_life)
    return first


def _merge_two(a: Profile, b: Profile, half_life: float) -> Profile:
    if a.placed and b.placed:
        a, b = without_twice(a, b)
    newer, older = (a, b) if a.landmark >= b.landmark else (b, a)
    factor = moved(older.landmark, newer.landmark, half_life)
    recent = sorted((*a.recent, *b.recent), key=lambda item: item.timestamp)
    traits, origins = merged(a.traits, a.origins, b.traits, b.origins)
    return Profile(
        profile_id=a.profile_id,
        revision=a.revision + b.revision,
        landmark=newer.landmark,
        first_seen=min(a.first_seen, b.first_seen),
        last_seen=max(a.last_seen, b.last_seen),
        recent=tuple(recent[-max(MAX_RECENT, len(a.recent), len(b.recent)) :]),
        purchases=_merge_purchases(a.purchases, b.purchases),
        placed=tuple(sorted((*a.placed, *b.placed), key=lambda order: order.timestamp)[-MAX_PLACED:]),
        affinities=_merge_affinities(newer, older, factor),
        margin=_add(newer.margin, older.margin, factor),
        discount=_add(newer.discount, older.discount, factor),
        funnels=_merge_funnels(a.funnels, b.funnels),
        sessions=a.sessions + b.sessions,
        session_start=max(a.session_start, b.session_start),
        events=a.events + b.events,
        orders=a.orders + b.orders,
        revenue=a.revenue + b.revenue,
        searches=(*(text for text in b.searches if text not in a.searches), *a.searches)[-MAX_SEARCHES:],
        habits=merge_habits(a.habits, b.habits),
        abandoned_at=_merge_abandoned(a, b),
        extra={name: a.extra.get(name, 0.0) + b.extra.get(name, 0.0) for name in (*a.extra, *b.extra)},
        traits=traits,
        origins=origins,
    )


def _merge_abandoned(a: Profile, b: Profile) -> float:
    """The latest, unless an order came after it: that may have been placed on the other side."""
    latest = max(a.abandoned_at, b.abandoned_at)
    ordered = max((bought.last for bought in (*a.purchases, *b.purchases)), default=0.0)
    return latest if latest > ordered else 0.0


def _add(newer: tuple[float, float], older: tuple[float, float], factor: float) -> tuple[float, float]:
    return newer[0] + older[0] * factor, newer[1] + older[1] * factor


def _merge_affinities(newer: Profile, older: Profile, factor: float) -> dict[str, dict[str, float]]:
    merged = {facet: dict(values) for facet, values in newer.affinities.items()}
    for facet, values in older.affinities.items():
        known = merged.setdefault(facet, {})
        for name, value in values.items():
            known[name] = known.get(name, 0.0) + value * factor
    return merged


def _merge_purchases(a: tuple[Purchase, ...], b: tuple[Purchase, ...]) -> tuple[Purchase, ...]:
    merged = {purchase.product_id: purchase for purchase in a}
    for other in b:
        known = merged.get(other.product_id)
        merged[other.product_id] = _both(known, other) if known else other
    if len(merged) <= MAX_PURCHASES:
        return tuple(merged.values())
    return tuple(sorted(merged.values(), key=lambda purchase: (purchase.last, purchase.product_id))[-MAX_PURCHASES:])


def _both(a: Purchase, b: Purchase) -> Purchase:
    return Purchase(
        a.product_id, a.quantity + b.quantity, a.orders + b.orders, min(a.first, b.first), max(a.last, b.last)
    )


def _merge_funnels(a: dict[str, Funnel], b: dict[str, Funnel]) -> dict[str, Funnel]:
    merged = dict(a)
    for category, other in b.items():
        known = merged.get(category, Funnel())
        merged[category] = Funnel(
            known.views + other.views, known.carts + other.carts, known.purchases + other.purchases
        )
    return merged

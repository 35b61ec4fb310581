"""One order that two profiles of a visitor tell of: a browser and a webhook may both report it.

It counts once: in orders, revenue, purchases and recent products. What of it was given back on either side is given
back. The weight that it has in affinities and in the counts of a category stays twice: what products were when they
were bought is not kept with an order.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from ..records import Action, PlacedOrder, Profile, RecentItem
from .bought import Bought

Told = tuple[str, float]
"""A product that was bought, and when."""


def without_twice(a: Profile, b: Profile) -> tuple[Profile, Profile]:
    """Both profiles, each such order left where it was told first; only the latest orders are remembered by id."""
    theirs = {order.order_id: order for order in b.placed}
    twice = [(order, theirs[order.order_id]) for order in a.placed if order.order_id in theirs]
    if not twice:
        return a, b
    sides, gone = (Bought(a), Bought(b)), (Counter[Told](), Counter[Told]())
    for pair in twice:
        first = 0 if _rank(a, pair[0]) <= _rank(b, pair[1]) else 1
        _take_back(sides[first], pair[first], pair[1 - first])
        _forget(sides[1 - first], pair[1 - first])
        gone[1 - first].update((name, pair[1 - first].timestamp) for name, _ in pair[1 - first].lines)
    return _with(a, sides[0], gone[0]), _with(b, sides[1], gone[1])


def _rank(profile: Profile, order: PlacedOrder) -> tuple[float, tuple[tuple[str, float], ...], int]:
    """What was told first comes first; of two that say the same the one that is still among the recent products."""
    told = {(name, order.timestamp) for name, _ in order.lines}
    seen = sum(one.action == Action.PURCHASE and (one.product_id, one.timestamp) in told for one in profile.recent)
    return order.timestamp, order.lines, -seen


def _take_back(bought: Bought, kept: PlacedOrder, other: PlacedOrder) -> None:
    """Give back where the order stays what the other side knows was given back."""
    left = dict(other.lines)
    back = {name: had - left.get(name, 0.0) for name, had in kept.lines if had > left.get(name, 0.0)}
    refund = max(0.0, kept.amount - other.amount)
    if back:
        bought.give_back(kept.order_id, kept.timestamp, refund, back)
    elif refund:
        bought.lower(kept.order_id, refund)


def _forget(bought: Bought, order: PlacedOrder) -> None:
    """As if it had never been told."""
    if order.lines:
        bought.give_back(order.order_id, order.timestamp, order.amount, {})
    elif order.amount:  # it named no products, or all of them were given back for less than they cost
        bought.lower(order.order_id, order.amount)
        bought.orders -= 1
    bought.placed = tuple(one for one in bought.placed if one.order_id != order.order_id)


def _with(profile: Profile, bought: Bought, gone: Counter[Told]) -> Profile:
    return msgspec.structs.replace(
        profile,
        orders=max(0, bought.orders),
        revenue=bought.revenue,
        purchases=bought.purchases,
        placed=bought.placed,
        recent=_without(profile.recent, gone) if gone else profile.recent,
    )


def _without(recent: tuple[RecentItem, ...], gone: Counter[Told]) -> tuple[RecentItem, ...]:
    """One fewer for each line of an order that is gone: another order may have been placed at the same moment."""
    left = gone.copy()
    kept: list[RecentItem] = []
    for one in recent:
        told = (one.product_id, one.timestamp)
        if one.action == Action.PURCHASE and left[told]:
            left[told] -= 1
        else:
            kept.append(one)
    return tuple(kept)

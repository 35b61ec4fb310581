"""One order that two profiles of a visitor tell of: a browser and a webhook may both report it.

It counts once: in orders, revenue, purchases and recent products. What of it was given back on either side is given
back. The weight that it has in affinities and in the counts of a category stays twice: what products were when they
were bought is not kept with an order.
"""

from __future__ import annotations

import msgspec

from ..records import Action, PlacedOrder, Profile
from .bought import Bought


def without_twice(a: Profile, b: Profile) -> tuple[Profile, Profile]:
    """Both profiles, each such order left where it was told first; only the latest orders are remembered by id."""
    theirs = {order.order_id: order for order in b.placed}
    twice = [(order, theirs[order.order_id]) for order in a.placed if order.order_id in theirs]
    if not twice:
        return a, b
    sides, gone = (Bought(a), Bought(b)), (set[float](), set[float]())
    for pair in twice:
        first = 0 if (pair[0].timestamp, pair[0].lines) <= (pair[1].timestamp, pair[1].lines) else 1
        _take_back(sides[first], pair[first], pair[1 - first])
        _forget(sides[1 - first], pair[1 - first])
        gone[1 - first].add(pair[1 - first].timestamp)
    return _with(a, sides[0], gone[0]), _with(b, sides[1], gone[1])


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


def _with(profile: Profile, bought: Bought, gone: set[float]) -> Profile:
    recent = profile.recent
    if gone:
        recent = tuple(one for one in recent if one.action != Action.PURCHASE or one.timestamp not in gone)
    return msgspec.structs.replace(
        profile,
        orders=max(0, bought.orders),
        revenue=bought.revenue,
        purchases=bought.purchases,
        placed=bought.placed,
        recent=recent,
    )

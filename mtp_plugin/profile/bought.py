"""What a visitor bought, net of what was given back."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Mapping

import msgspec

from ..records import PlacedOrder, Profile, Purchase

MAX_PURCHASES = 200
MAX_PLACED = 5
MAX_LINES = 250
"""Lines remembered of one order."""

_EXACT = 1e-9

Pieces = Mapping[str, float]
"""How many pieces of each product."""
Undone = tuple[str, float]
"""A product, and the latest time at which the purchase that was given back can have been."""


class Bought:
    """Purchases by product and the latest orders, while events are folded into a profile."""

    __slots__ = ("orders", "placed", "purchases", "revenue")

    def __init__(self, profile: Profile) -> None:
        self.purchases, self.placed = profile.purchases, profile.placed
        self.orders, self.revenue = profile.orders, profile.revenue

    def place(self, order_id: str, t: float, amount: float, pieces: Pieces) -> bool:
        """Take an order, ``False`` when it is one that was told already.

        :param order_id: empty when nobody knows
        :param amount: what it is worth
        """
        if self._place_of(order_id) is not None:
            return False
        self.orders, self.revenue = self.orders + 1, self.revenue + amount
        self._add(pieces, t)
        if order_id:
            placed = list(self.placed)
            order = PlacedOrder(order_id, t, amount, tuple(pieces.items())[:MAX_LINES])
            insort(placed, order, key=lambda known: known.timestamp)
            self.placed = tuple(placed[-MAX_PLACED:])
        return True

    def give_back(self, order_id: str, t: float, amount: float, pieces: Pieces) -> list[Undone]:
        """Take pieces back, or a whole order when none are named; gives the purchases of which nothing is left."""
        place = self._place_of(order_id)
        if place is not None:
            return self._from_order(place, amount, pieces)
        self.revenue -= amount
        return [undone for product_id, quantity in pieces.items() for undone in self._from_any(product_id, quantity, t)]

    def lower(self, order_id: str, refund: float) -> None:
        """Take money back for an order that keeps its lines."""
        self.revenue -= refund
        self.placed = tuple(
            msgspec.structs.replace(one, amount=one.amount - refund) if one.order_id == order_id else one
            for one in self.placed
        )

    def _place_of(self, order_id: str) -> int | None:
        places = (place for place, order in enumerate(self.placed) if order.order_id == order_id)
        return next(places, None) if order_id else None

    def _from_order(self, place: int, amount: float, pieces: Pieces) -> list[Undone]:
        order, undone = self.placed[place], []
        lines = dict(order.lines)
        for product_id, quantity in (pieces or dict(lines)).items():
            had = lines.pop(product_id, 0.0)
            if had > quantity:
                lines[product_id] = had - quantity
            elif had:
                undone.append((product_id, order.timestamp))
            self._reduce(product_id, min(quantity, had), had > 0 and had <= quantity)
        whole = bool(order.lines) and not lines
        refund = min(order.amount, amount or (order.amount if whole else 0.0))
        self.orders, self.revenue = self.orders - whole, self.revenue - refund
        rest = PlacedOrder(order.order_id, order.timestamp, order.amount - refund, tuple(lines.items()))
        self.placed = (*self.placed[:place], rest, *self.placed[place + 1 :])
        return undone

    def _from_any(self, product_id: str, quantity: float, t: float) -> list[Undone]:
        """Of an order that is not known: as many of the product's purchases as these pieces make up."""
        known = next((purchase for purchase in self.purchases if purchase.product_id == product_id), None)
        if known is None:
            return []
        left = known.quantity - quantity
        stay = math.ceil(known.orders * left / known.quantity - _EXACT) if left > 0 else 0
        self._reduce(product_id, quantity, known.orders - stay)
        return [(product_id, min(t, known.last))] * (known.orders - stay)

    def _add(self, pieces: Pieces, t: float) -> None:
        purchases = {purchase.product_id: purchase for purchase in self.purchases}
        for product_id, quantity in pieces.items():
            known = purchases.pop(product_id, None) or Purchase(product_id, 0.0, 0, t, t)
            purchases[product_id] = Purchase(
                product_id, known.quantity + quantity, known.orders + 1, min(known.first, t), max(known.last, t)
            )
        self.purchases = tuple(purchases.values())
        if len(purchases) > MAX_PURCHASES:
            latest = sorted(purchases.values(), key=lambda p: (p.last, p.product_id))[-MAX_PURCHASES:]
            kept = {purchase.product_id for purchase in latest}
            self.purchases = tuple(purchase for purchase in self.purchases if purchase.product_id in kept)

    def _reduce(self, product_id: str, quantity: float, orders: int) -> None:
        self.purchases = tuple(
            left
            for purchase in self.purchases
            if (left := _less(purchase, quantity, orders) if purchase.product_id == product_id else purchase)
        )


def _less(purchase: Purchase, quantity: float, orders: int) -> Purchase | None:
    left, times = purchase.quantity - quantity, purchase.orders - orders
    if left <= 0 or times <= 0:
        return None
    return Purchase(purchase.product_id, left, times, purchase.first, purchase.last)

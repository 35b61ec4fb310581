"""What lies in a cart, by the events of the person whose it is."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ..records import Event, EventProduct

ABANDONED = "Cart Abandoned"
TOUCHED = ("Product Added", "Product Removed", "Checkout Started", "Order Completed", ABANDONED)
"""Events that say something of a cart."""


class Cart(msgspec.Struct, frozen=True):
    """A cart as it stands; ``told`` that its being abandoned was noticed already; ``since`` when it was begun."""

    products: tuple[EventProduct, ...] = ()
    touched_at: float = 0.0
    since: float = 0.0
    told: bool = False
    currency: str = ""

    @property
    def value(self) -> float:
        """What it is worth, as far as prices were said."""
        return round(sum((product.price or 0.0) * product.quantity for product in self.products), 2)


def cart_of(events: Iterable[Event]) -> Cart:
    """The cart after these events of one person, in order of time.

    A checkout that names its products says what is in the cart. An order ends it: what was left over is not mourned.
    A removal that arrives before its addition takes nothing away.
    """
    lines: dict[str, EventProduct] = {}
    touched = since = 0.0
    told, currency = False, ""
    for event in events:
        if event.name == ABANDONED:
            told = bool(lines)
            continue
        if event.name == "Order Completed":
            lines = {}
        elif event.name == "Checkout Started" and event.products:
            lines = {product.product_id: product for product in event.products}
        elif event.name == "Product Added":
            for product in event.products:
                lines[product.product_id] = _more(lines.get(product.product_id), product)
        elif event.name == "Product Removed":
            for product in event.products:
                _take_out(lines, product)
        else:
            continue
        if not lines:
            told, since = False, 0.0
        elif not since:
            since = event.timestamp
        said = event.properties.get("currency")
        currency = said if isinstance(said, str) and said else currency
        touched = event.timestamp
    return Cart(tuple(lines.values()), touched, since, told, currency[:3].upper())


def _more(known: EventProduct | None, added: EventProduct) -> EventProduct:
    if known is None:
        return added
    price = known.price if added.price is None else added.price
    return msgspec.structs.replace(known, quantity=known.quantity + added.quantity, price=price)


def _take_out(lines: dict[str, EventProduct], removed: EventProduct) -> None:
    known = lines.get(removed.product_id)
    if known is None:
        return
    left = known.quantity - removed.quantity
    if left > 0:
        lines[removed.product_id] = msgspec.structs.replace(known, quantity=left)
    else:
        del lines[removed.product_id]

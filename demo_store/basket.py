"""The basket: variants and quantities, in the session."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import session

from mtp_plugin.records import Product, Variant

from .offer import basket_offer
from .shop import current_shop, variant_of, variant_price

KEY = "basket"
MOST = 9
FREE_DELIVERY, DELIVERY = 60.0, 4.9


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the basket; ``left`` is how many the shop has."""

    product: Product
    variant: Variant
    quantity: int
    price: float
    left: int

    @property
    def total(self) -> float:
        return self.price * self.quantity

    @property
    def short(self) -> bool:
        """Whether the shop has fewer than are wanted."""
        return self.left < self.quantity


class Basket:
    """What is in the session's basket."""

    def __init__(self, wanted: dict[str, list[object]]) -> None:
        self._wanted = wanted

    @property
    def count(self) -> int:
        """Pieces in all."""
        return sum(int(str(quantity)) for _, quantity in self._wanted.values())

    @property
    def product_ids(self) -> list[str]:
        """The products, each once."""
        return list(dict.fromkeys(str(product_id) for product_id, _ in self._wanted.values()))

    def add(self, product: Product, variant: Variant, quantity: int) -> None:
        """Put so many more in."""
        have = self._wanted.get(variant.variant_id, [product.product_id, 0])[1]
        self.put(product.product_id, variant.variant_id, int(str(have)) + quantity)

    def put(self, product_id: str, variant_id: str, quantity: int) -> None:
        """Have exactly so many; none takes the line out."""
        if quantity > 0:
            self._wanted[variant_id] = [product_id, min(quantity, MOST)]
        else:
            self._wanted.pop(variant_id, None)
        session[KEY] = self._wanted

    def clear(self) -> None:
        """Take everything out."""
        self._wanted.clear()
        session[KEY] = self._wanted

    def rows(self) -> list[Row]:
        """The lines with what the shop knows of them; what it no longer has is left out."""
        shop, now, found = current_shop(), time.time(), []
        share = 1.0 - basket_offer() / 100 if self._wanted else 1.0
        for variant_id, (product_id, quantity) in self._wanted.items():
            product = shop.catalogue.products.get(str(product_id))
            variant = variant_of(product, variant_id) if product else None
            if product is None or variant is None:
                continue
            left = shop.stock(product)[variant_id]
            price = round(share * variant_price(product, variant, now), 2)
            found.append(Row(product, variant, int(str(quantity)), price, left))
        return found


def current_basket() -> Basket:
    """The basket of this session."""
    return Basket(dict(session.get(KEY, {})))


def delivery(goods: float) -> float:
    """What sending goods of this worth costs."""
    return 0.0 if goods >= FREE_DELIVERY or not goods else DELIVERY

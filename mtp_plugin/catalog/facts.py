"""What a condition can say about a product: the fields that ``filter`` and merchant rules see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..records import Product

Reader = Callable[[Product, float], Any]

_READERS: Mapping[str, Reader] = {
    "product_id": lambda product, now: product.product_id,
    "title": lambda product, now: product.title,
    "brand": lambda product, now: product.brand,
    "category": lambda product, now: list(product.category_path),
    "category_path": lambda product, now: product.category,
    "tags": lambda product, now: list(product.tags),
    "style": lambda product, now: product.style,
    "colors": lambda product, now: list(product.colors),
    "price": lambda product, now: product.effective_price(now),
    "list_price": lambda product, now: product.price,
    "sale_price": lambda product, now: product.sale_price,
    "on_sale": lambda product, now: product.on_sale(now),
    "currency": lambda product, now: product.currency,
    "in_stock": lambda product, now: product.in_stock,
    "stock": lambda product, now: product.stock,
    "margin": lambda product, now: product.margin,
    "rating": lambda product, now: product.rating,
    "created": lambda product, now: product.created,
    "attributes": lambda product, now: product.attributes,
}

FACT_NAMES = tuple(_READERS)
"""Every top-level fact, in the order of :func:`product_facts`."""
FACTS_OF_TIME = frozenset({"price", "on_sale"})
"""Facts that change without the catalogue changing."""
PRIVATE_FACTS = frozenset({"stock", "margin"})
"""Facts that are the shop's own business: nobody outside may filter by them, and so find them out."""


def product_facts(product: Product, now: float, names: Collection[str] = FACT_NAMES) -> dict[str, Any]:
    """The facts of one product at one moment.

    What the shop did not tell is left out, so ``{"brand": {"$exists": false}}`` finds products without one.

    :param now: seconds since 1970; decides ``on_sale`` and ``price``
    :param names: only these; names that are no fact are passed over
    :returns: names of :data:`FACT_NAMES`. ``price`` is what the product costs at *now*, ``list_price`` the price
        without the sale; ``category`` is the path as a list, ``category_path`` the same as ``"A > B"``
    """
    facts = {name: _READERS[name](product, now) for name in names if name in _READERS}
    return {name: value for name, value in facts.items() if value is not None and value != ""}

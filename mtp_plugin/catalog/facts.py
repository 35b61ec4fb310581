"""What a condition can say about a product: the fields that ``filter`` and merchant rules see."""

from __future__ import annotations

from typing import Any

from ..records import Product

FACT_NAMES = (
    "product_id",
    "title",
    "brand",
    "category",
    "category_path",
    "tags",
    "style",
    "colors",
    "price",
    "list_price",
    "sale_price",
    "on_sale",
    "currency",
    "in_stock",
    "stock",
    "margin",
    "rating",
    "created",
    "attributes",
)
"""Every top-level fact, in the order of :func:`product_facts`."""


def product_facts(product: Product, now: float) -> dict[str, Any]:
    """The facts of one product at one moment.

    What the shop did not tell is left out, so ``{"brand": {"$exists": false}}`` finds products without one.

    :param now: seconds since 1970; decides ``on_sale`` and ``price``
    :returns: names of :data:`FACT_NAMES`. ``price`` is what the product costs at *now*, ``list_price`` the price
        without the sale; ``category`` is the path as a list, ``category_path`` the same as ``"A > B"``
    """
    facts: dict[str, Any] = {
        "product_id": product.product_id,
        "title": product.title,
        "brand": product.brand,
        "category": list(product.category_path),
        "category_path": product.category,
        "tags": list(product.tags),
        "style": product.style,
        "colors": list(product.colors),
        "price": product.effective_price(now),
        "list_price": product.price,
        "sale_price": product.sale_price,
        "on_sale": product.on_sale(now),
        "currency": product.currency,
        "in_stock": product.in_stock,
        "stock": product.stock,
        "margin": product.margin,
        "rating": product.rating,
        "created": product.created,
        "attributes": product.attributes,
    }
    return {name: value for name, value in facts.items() if value is not None and value != ""}

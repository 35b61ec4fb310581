"""The products that an event speaks of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from ..records import ACTIONS, EventProduct
from .limits import MAX_PRODUCTS, identifier

_IDS = ("product_id", "productId", "item_id", "sku", "id")
_HUGE = 1e12


def products_of(name: str, properties: Mapping[str, Any], field: str = "properties") -> tuple[EventProduct, ...]:
    """The products in an event's properties: its ``products``, else the one it describes itself.

    :param name: canonical name of the event; those that change a profile must name a product
    :raises InputError: a product without an id, or an impossible quantity or price
    """
    listed = properties.get("products")
    if listed is not None:
        if not isinstance(listed, list) or not all(isinstance(product, Mapping) for product in listed):
            raise InputError("this must be a list of objects", field=f"{field}.products")
        if len(listed) > MAX_PRODUCTS:
            raise InputError(f"there are {len(listed)} products, {MAX_PRODUCTS} are allowed", field=f"{field}.products")
        return tuple(_product(product, f"{field}.products.{place}") for place, product in enumerate(listed))
    if any(key in properties for key in _IDS[:-1]):
        return (_product(properties, field),)
    if name in ACTIONS and not (name.startswith("Order ") and "order_id" in properties and name != "Order Completed"):
        raise InputError(f"{name} must name its product", field=f"{field}.product_id")
    return ()


def _product(given: Mapping[str, Any], field: str) -> EventProduct:
    key = next((key for key in _IDS if given.get(key) not in (None, "")), "product_id")
    variant = given.get("variant_id") or given.get("variant") or ""
    position = _number(given.get("position"), f"{field}.position", 0, 1e6)
    quantity = _number(given.get("quantity"), f"{field}.quantity", 0, 1e6)
    return EventProduct(
        product_id=identifier(given.get(key), f"{field}.{key}"),
        quantity=1.0 if quantity is None else quantity,
        price=_number(given.get("price"), f"{field}.price", 0, _HUGE),
        variant_id=str(variant)[:128],
        position=None if position is None else int(position),
    )


def _number(value: Any, field: str, low: float, high: float) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not low <= number <= high:
        raise InputError(f"this must be a number from {low:g} to {high:g}", field=field)
    return number

"""The products that an event speaks of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputError
from ..records import ACTIONS, EventProduct
from .limits import MAX_ID, MAX_PRODUCTS, identifier

_IDS = ("product_id", "productId", "item_id", "sku")
_LISTED_IDS = (*_IDS, "id")
"""Inside ``products`` an ``id`` can only be the product's."""
_WHOLE_ORDERS = frozenset({"Order Refunded", "Order Cancelled"})
"""Events that may name an order alone, and then mean the whole of it."""
_VARIANTS = frozenset({"variant_id", "variant"})
_NUMBERS = frozenset({int, float})
_MOST = 1e6
_HUGE = 1e12


def products_of(name: str, properties: Mapping[str, Any], field: str = "properties") -> tuple[EventProduct, ...]:
    """The products in an event's properties: its ``products``, else the one it describes itself.

    :param name: canonical name of the event; those that change a profile must name a product
    :raises InputError: a product without an id, or an impossible quantity or price
    """
    listed = properties.get("products")
    if listed is not None:
        if not isinstance(listed, list):
            raise InputError("this must be a list of objects", field=f"{field}.products")
        if len(listed) > MAX_PRODUCTS:
            raise InputError(f"there are {len(listed)} products, {MAX_PRODUCTS} are allowed", field=f"{field}.products")
        products = tuple(_listed(product, f"{field}.products.{place}") for place, product in enumerate(listed))
        if products:
            return products
    if key := _key_of(properties, _IDS):
        return (_product(properties, key, field),)
    if name in ACTIONS and not (name in _WHOLE_ORDERS and properties.get("order_id")):
        raise InputError(f"{name} must name its product", field=f"{field}.product_id")
    return ()


def _listed(given: Any, field: str) -> EventProduct:
    if not isinstance(given, dict):
        raise InputError("this must be an object", field=field)
    return _product(given, _key_of(given, _LISTED_IDS) or "product_id", field)


def _key_of(given: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The first of these keys under which something stands, ``""`` if none."""
    for key in keys:
        if key in given:
            value = given[key]
            if value is not None and value != "":
                return key
    return ""


def _product(given: Mapping[str, Any], key: str, field: str) -> EventProduct:
    position = _number(given, "position", field, _MOST) if "position" in given else None
    quantity = _number(given, "quantity", field, _MOST) if "quantity" in given else None
    return EventProduct(
        identifier(given.get(key), field, key),
        1.0 if quantity is None else quantity,
        _number(given, "price", field, _HUGE) if "price" in given else None,
        "" if _VARIANTS.isdisjoint(given) else _variant(given),
        None if position is None else int(position),
    )


def _variant(given: Mapping[str, Any]) -> str:
    for key in ("variant_id", "variant"):
        if key in given:
            value = given[key]
            if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
                return str(value)[:MAX_ID]
    return ""


def _number(given: Mapping[str, Any], key: str, field: str, most: float) -> float | None:
    value = given[key]
    if type(value) in _NUMBERS and 0 <= value <= most:
        return float(value)
    if value is None or value == "":
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= most:
        raise InputError(f"this must be a number from 0 to {most:g}", field=f"{field}.{key}")
    return number

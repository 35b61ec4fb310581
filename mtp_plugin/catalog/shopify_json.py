"""A product as Shopify's webhooks and Admin REST API tell it, read as the rows of Shopify's own export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..errors import InputError
from ..records import Product, RowError
from .shopify import read_rows
from .values import Reading

ID = "shopify_id"
"""The attribute that holds Shopify's number of the product; its ``product_id`` is the handle, as in the export."""


def product_from_shopify(body: Mapping[str, Any], currency: str) -> Product:
    """The product of a body of ``products/create`` or ``products/update``.

    :param currency: of prices, which the body does not name
    :raises InputError: it is no product, or one without a price
    """
    handle = _text(body.get("handle")) or _text(body.get("id"))
    if not handle or not _text(body.get("title")):
        raise InputError("a product needs a title and a handle", field="title")
    variants = [variant for variant in body.get("variants") or () if isinstance(variant, Mapping)]
    rows = [(place, _row(body, handle, variant, place)) for place, variant in enumerate(variants, 1)]
    for found in read_rows(rows or [(1, _head(body, handle))], Reading(currency, ".")):
        if isinstance(found, RowError):
            raise InputError(found.reason, field=found.field)
        product = found[1]
        return msgspec.structs.replace(product, attributes={**product.attributes, ID: _text(body.get("id"))})
    raise InputError("the product has no variant that can be read", field="variants")


def _head(body: Mapping[str, Any], handle: str) -> dict[str, str]:
    image = body.get("image")
    status = _text(body.get("status")) or "active"
    return {
        "Handle": handle,
        "Title": _text(body.get("title")),
        "Body (HTML)": _text(body.get("body_html")),
        "Vendor": _text(body.get("vendor")),
        "Type": _text(body.get("product_type")),
        "Tags": _text(body.get("tags")),
        "Status": status if body.get("published_at", True) else "draft",
        "Image Src": _text(image.get("src")) if isinstance(image, Mapping) else "",
    }


def _row(body: Mapping[str, Any], handle: str, variant: Mapping[str, Any], place: int) -> dict[str, str]:
    row = _head(body, handle) if place == 1 else {"Handle": handle}
    for number, option in enumerate(body.get("options") or (), 1):
        if number > 3 or not isinstance(option, Mapping):
            break
        row[f"Option{number} Name"] = _text(option.get("name")) if place == 1 else ""
        row[f"Option{number} Value"] = _text(variant.get(f"option{number}"))
    return row | {
        "Variant SKU": _text(variant.get("sku")),
        "Variant Price": _text(variant.get("price")),
        "Variant Compare At Price": _text(variant.get("compare_at_price")),
        "Variant Inventory Tracker": _text(variant.get("inventory_management")),
        "Variant Inventory Policy": _text(variant.get("inventory_policy")),
        "Variant Inventory Qty": _text(variant.get("inventory_quantity")),
    }


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value).strip()

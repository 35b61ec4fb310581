"""Google Retail (Vertex AI Search for commerce) catalogues: one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..records import Product, RowError
from .combine import Row, combine, variant_of
from .readers import BadField, read_id
from .text import lines, strip_html
from .values import Reading, product_from

AVAILABILITY = {"IN_STOCK": True, "OUT_OF_STOCK": False, "PREORDER": True, "BACKORDER": True}
UNSAID = ("", "AVAILABILITY_UNSPECIFIED")


def read_google_retail(path: Path, reading: Reading) -> Iterator[tuple[int, Product] | RowError]:
    """The products of a file, each with its line; ``VARIANT`` objects join the product of their ``primaryProductId``.

    :param reading: its currency counts where ``priceInfo`` names none; numbers in text use a point
    """
    reading = Reading(reading.currency, ".")
    groups: dict[str, list[Row]] = {}
    seen: dict[str, int] = {}
    for line, text in enumerate(lines(path), 1):
        if not text.strip():
            continue
        try:
            row, object_id = _row(line, _object(text), reading)
            if object_id in seen:
                raise BadField("id", f"repeats {object_id!r} of line {seen[object_id]}")
            seen[object_id] = line
            groups.setdefault(row.product.product_id, []).append(row)
        except BadField as error:
            yield RowError(line, error.field, error.reason)
    for rows in groups.values():
        rows.sort(key=lambda row: row.variant is not None)
        yield rows[0].line, combine(rows)


def _object(text: str) -> dict[str, Any]:
    try:
        read = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise BadField("", f"is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise BadField("", "is no JSON object")
    return read


def _row(line: int, data: dict[str, Any], reading: Reading) -> tuple[Row, str]:
    name = data.get("name")
    object_id = read_id("id", data.get("id") or (name.rpartition("/")[2] if isinstance(name, str) else ""))
    if not object_id:
        raise BadField("id", "is missing")
    primary = read_id("primaryProductId", data.get("primaryProductId") or "")
    is_variant = data.get("type") == "VARIANT" and primary not in ("", object_id)
    product = product_from(_values(primary if is_variant else object_id, data), reading)
    if not is_variant:
        return Row(line, product), object_id
    sizes = _texts(data, "sizes")
    variant = variant_of(product, object_id, title=product.title, size=sizes[0] if sizes else "")
    return Row(line, product, variant), object_id


def _values(product_id: str, data: dict[str, Any]) -> dict[str, Any]:
    colors, rating = _part(data, "colorInfo"), _part(data, "rating")
    categories, brands, images = _texts(data, "categories"), _texts(data, "brands"), data.get("images") or []
    if not isinstance(images, list) or not all(isinstance(image, dict) for image in images):
        raise BadField("images", "needs a list of objects")
    attributes = _attributes(data.get("attributes"))
    style = attributes.get("style")
    return {
        "product_id": product_id,
        "title": data.get("title"),
        "description": strip_html(_text(data, "description")),
        "url": data.get("uri"),
        "image": images[0].get("uri") if images else None,
        "brand": brands[0] if brands else None,
        "category_path": categories[0] if categories else None,
        "tags": [*_texts(data, "tags"), *(path.replace(">", "/") for path in categories[1:])],
        "style": style[0] if isinstance(style, list) and style else None,
        "colors": _texts(colors, "colors") or _texts(colors, "colorFamilies"),
        "stock": data.get("availableQuantity"),
        "in_stock": _available(data.get("availability")),
        "rating": rating.get("averageRating"),
        "rating_count": rating.get("ratingCount"),
        "created": data.get("publishTime") or data.get("availableTime"),
        "attributes": attributes | {field: _texts(data, field) for field in ("sizes", "materials", "patterns")},
        **_prices(_part(data, "priceInfo")),
    }


def _prices(info: dict[str, Any]) -> dict[str, Any]:
    """``price`` is what is asked now; a higher ``originalPrice`` makes it a sale for the time it is in effect."""
    price, original = info.get("price"), info.get("originalPrice")
    prices = {"currency": info.get("currencyCode"), "price": price, "cost": info.get("cost")}
    if original in (None, "", 0, "0") or price in (None, ""):
        return prices | ({} if price not in (None, "") else {"price": original or None})
    if _number("priceInfo.originalPrice", original) > _number("priceInfo.price", price):
        window = {"sale_from": info.get("priceEffectiveTime"), "sale_until": info.get("priceExpireTime")}
        prices |= {"price": original, "sale_price": price, **window}
    return prices


def _number(field: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadField(field, f"{str(value)[:40]!r} is no price") from None


def _available(value: Any) -> bool | None:
    if value is None or value in UNSAID:
        return None
    if not isinstance(value, str) or value not in AVAILABILITY:
        raise BadField("availability", f"{str(value)[:40]!r} is unknown; there are {', '.join(AVAILABILITY)}")
    return AVAILABILITY[value]


def _attributes(value: Any) -> dict[str, Any]:
    """Custom attributes, as a list of key and value or as an object; texts and numbers stay lists."""
    if value is None:
        return {}
    pairs = list(value.items()) if isinstance(value, dict) else _pairs(value)
    attributes: dict[str, Any] = {}
    for key, part in pairs:
        if not isinstance(part, Mapping) or not isinstance(key, str):
            raise BadField("attributes", 'each needs a key and a value such as {"text": ["Cotton"]}')
        attributes[key] = part.get("text") or part.get("numbers") or []
    return attributes


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise BadField("attributes", "needs a list of objects with key and value, or one object")
    return [(part.get("key"), part.get("value")) for part in value]


def _part(data: dict[str, Any], name: str) -> dict[str, Any]:
    part = data.get(name) or {}
    if not isinstance(part, dict):
        raise BadField(name, "needs an object")
    return part


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name) or ""
    if not isinstance(value, str):
        raise BadField(name, "needs a text")
    return value


def _texts(data: dict[str, Any], name: str) -> list[str]:
    value = data.get(name) or []
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise BadField(name, "needs a list of texts")
    return value

"""From loose values, as files and shops hand them over, to a checked :class:`~mtp_plugin.records.Product`.

Every source of products ends here, so a field means and accepts the same wherever it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from ..records import Product
from .money import MoneyError, parse_money, parse_number
from .readers import (
    BadField,
    is_empty,
    read_attributes,
    read_count,
    read_flag,
    read_id,
    read_line,
    read_number,
    read_path,
    read_text,
    read_texts,
    read_time,
    read_url,
    read_variants,
)

FIELDS = (*Product.__struct_fields__, "category", "cost", "in_stock", "published")
"""What a source may give: the fields of a product, and ``category`` (the same as ``category_path``), ``cost`` (gives
the margin), ``in_stock`` (a yes or no for shops that do not count), ``published`` (the opposite of ``hidden``)."""


class Reading(msgspec.Struct, frozen=True):
    """How values are read: the currency of prices that name none, the decimal mark (``""``: told by each number)."""

    currency: str = ""
    decimal: str = ""


def product_from(values: Mapping[str, Any], reading: Reading = Reading()) -> Product:
    """A product from its fields; empty text and ``None`` count as not given.

    :param values: keys of :data:`FIELDS`; texts, numbers, dates and lists in any of the usual shapes
    :raises BadField: the first field that cannot be taken
    """
    unknown = set(values) - set(FIELDS)
    if unknown:
        raise BadField(min(map(str, unknown)), f"there is no such field; there are {', '.join(FIELDS)}")
    given = {field: value for field, value in values.items() if not is_empty(value)}
    read: dict[str, Any] = {"currency": _currency(given.get("currency", reading.currency))}
    for field, value in given.items():
        if field in _READERS:
            read[field] = _READERS[field](field, value)
    for field in ("stock", "rating_count"):
        if field in given:
            read[field] = read_count(field, given[field], reading.decimal)
    for field in ("price", "sale_price", "cost"):
        if field in given:
            read[field] = _price(field, given[field], read, reading)
    if "margin" in given:
        read["margin"] = _share("margin", given["margin"], reading)
    return _finish(read)


def _finish(read: dict[str, Any]) -> Product:
    """Derive what one field says about another, and check what only makes sense together."""
    for field in ("product_id", "title"):
        if not read.get(field):
            raise BadField(field, "is missing")
    read["category_path"] = read.pop("category", read.get("category_path", ()))
    in_stock, published, cost = read.pop("in_stock", None), read.pop("published", None), read.pop("cost", None)
    if in_stock is False:
        read["stock"] = 0
    if published is False:
        read["hidden"] = True
    earns = read.get("sale_price", read.get("price"))
    if "margin" not in read and cost is not None and earns:
        read["margin"] = max(0.0, round((earns - cost) / earns, 6))
    if read.get("sale_price") is not None and read.get("price") is None:
        read["price"] = read.pop("sale_price")
    start, end = read.get("sale_from"), read.get("sale_until")
    if start is not None and end is not None and end <= start:
        raise BadField("sale_until", "is not after sale_from")
    return Product(**read)


def _currency(value: Any) -> str:
    text = str(value).strip().upper()
    if text and not (len(text) == 3 and text.isascii() and text.isalpha()):
        raise BadField("currency", f"{text[:20]!r} is no ISO 4217 code such as EUR")
    return text


def _price(field: str, value: Any, read: dict[str, Any], reading: Reading) -> float:
    """A price; a currency written beside it is the product's."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return read_number(field, value)
    if not isinstance(value, str):
        raise BadField(field, f"is {type(value).__name__}, a price is needed")
    try:
        money = parse_money(value, currency=read["currency"], decimal=reading.decimal)
    except MoneyError as error:
        raise BadField(field, str(error)) from error
    if money.currency and field == "price":
        read["currency"] = money.currency
    elif money.currency and money.currency != read["currency"]:
        raise BadField(field, f"is in {money.currency}, the price in {read['currency'] or 'no currency'}")
    return money.amount


def _share(field: str, value: Any, reading: Reading) -> float:
    percent = isinstance(value, str) and value.strip().endswith("%")
    try:
        text = value.strip().rstrip("% ") if isinstance(value, str) else None
        number = parse_number(text, decimal=reading.decimal) if text is not None else float(value)
    except (MoneyError, TypeError, ValueError):
        raise BadField(field, f"{str(value)[:40]!r} is no share") from None
    share = number / 100 if percent else number
    if not 0 <= share <= 1:
        raise BadField(field, f"{str(value)[:40]!r} is no share of the price; write 0.4 or 40%")
    return share


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "product_id": read_id,
    "title": read_line,
    "brand": read_line,
    "category_path": read_path,
    "category": read_path,
    "tags": read_texts(","),
    "style": read_line,
    "colors": read_texts(","),
    "attributes": read_attributes,
    "description": read_text,
    "sale_from": read_time,
    "sale_until": read_time,
    "image": read_url,
    "url": read_url,
    "rating": read_number,
    "created": read_time,
    "hidden": read_flag,
    "in_stock": read_flag,
    "published": read_flag,
    "variants": read_variants,
}

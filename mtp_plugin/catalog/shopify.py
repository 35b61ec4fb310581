"""Shopify's product export: a row for each variant and each further picture, held together by the Handle."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..errors import InputError
from ..records import Product, RowError
from .combine import Row, combine, variant_of
from .readers import BadField, read_texts
from .text import lines, strip_html
from .values import Reading, product_from

NEEDED = ("Handle", "Title", "Variant Price")
COLORS = frozenset(
    {"color", "colour", "farbe", "couleur", "colore", "kleur", "cor", "färg", "kolor", "цвет", "颜色", "顏色"}
)
SIZES = frozenset(
    {"size", "größe", "groesse", "taille", "talla", "taglia", "maat", "tamanho", "storlek", "尺码", "尺寸"}
)
OPTIONS = (1, 2, 3)


def read_shopify(path: Path, reading: Reading) -> Iterator[tuple[int, Product] | RowError]:
    """The products of an export, each with the line of its first row; ``product_id`` is the Handle.

    Rows of one product may stand apart. A bad variant is reported and left out; a product whose own row is bad is
    left out whole.

    :param reading: the export names no currency, so this one's counts
    :raises InputError: the file is no such export
    """
    reading = Reading(reading.currency, ".")
    groups: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for line, row in _rows(path):
        handle = row.get("Handle", "").strip()
        if handle:
            groups.setdefault(handle, []).append((line, row))
        else:
            yield RowError(line, "Handle", "is missing")
    for rows in groups.values():
        yield from read_rows(rows, reading)


def read_rows(rows: list[tuple[int, dict[str, str]]], reading: Reading) -> Iterator[tuple[int, Product] | RowError]:
    """The product of all its rows, and what is wrong with some of them."""
    rows.sort(key=lambda located: not located[1].get("Title", "").strip())
    first_line, first = rows[0]
    options = {number: first.get(f"Option{number} Name", "").strip() for number in OPTIONS}
    try:
        read = [Row(first_line, product_from(_words(first, options, rows), reading))]
    except BadField as error:
        yield RowError(first_line, error.field, error.reason)
        return
    sold = [(line, row) for line, row in rows if _sells(row)]
    for line, row in sorted(sold, key=lambda located: located[0]):
        try:
            read.append(_variant(line, row, first, options, reading))
        except BadField as error:
            yield RowError(line, error.field, error.reason)
    if sold and len(read) == 1:
        return
    product = combine(read)
    if len(sold) == 1 and _is_default(sold[0][1]):
        product = msgspec.structs.replace(product, variants=())
    yield first_line, product


def _words(first: dict[str, str], options: dict[int, str], rows: list[tuple[int, dict[str, str]]]) -> dict[str, Any]:
    """The fields that a product has once."""
    pictures = (row.get("Image Src", "").strip() for _, row in sorted(rows, key=lambda located: located[0]))
    category = first.get("Product Category", "") or first.get("Type", "") or first.get(_GOOGLE + "Product Category", "")
    return {
        "product_id": first["Handle"],
        "title": first.get("Title", ""),
        "description": strip_html(first.get("Body (HTML)", "")),
        "brand": first.get("Vendor", ""),
        "category_path": "" if category.strip().isdigit() else category,
        "tags": first.get("Tags", ""),
        "published": first.get("Published", ""),
        "hidden": first.get("Status", "active").strip().lower() not in ("", "active"),
        "image": next(filter(None, pictures), ""),
        "attributes": _attributes(first, options, rows),
    }


_GOOGLE = "Google Shopping / Google "


def _attributes(
    first: dict[str, str], options: dict[int, str], rows: list[tuple[int, dict[str, str]]]
) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for number, name in options.items():
        if name and name.lower() not in COLORS and not (name == "Title" and _is_default(first)):
            values = [row.get(f"Option{number} Value", "") for _, row in sorted(rows, key=lambda located: located[0])]
            key = "sizes" if name.lower() in SIZES else name.lower()
            attributes[key] = list(read_texts("\0")(key, values))
    for name in ("Gender", "Age Group", "Condition"):
        attributes[name.lower().replace(" ", "_")] = first.get(f"Google Shopping / {name}", "")
    if first.get("Gift Card", "").strip().lower() == "true":
        attributes["gift_card"] = True
    return attributes


def _variant(line: int, row: dict[str, str], first: dict[str, str], options: dict[int, str], reading: Reading) -> Row:
    chosen = {name: row.get(f"Option{number} Value", "").strip() for number, name in options.items() if name}
    colors = [value for name, value in chosen.items() if name.lower() in COLORS]
    sizes = [value for name, value in chosen.items() if name.lower() in SIZES]
    label = " / ".join(filter(None, chosen.values()))
    fields: dict[str, Any] = {"product_id": first["Handle"], "title": first["Title"], "colors": colors, **_prices(row)}
    fields |= {"stock": _stock(row), "image": row.get("Variant Image", ""), "cost": row.get("Cost per item", "")}
    product = product_from(fields, reading)
    variant_id = row.get("Variant SKU", "").strip().lstrip("'") or f"{first['Handle']}:{label}"
    return Row(line, product, variant_of(product, variant_id, title=label, size=sizes[0] if sizes else ""))


def _prices(row: dict[str, str]) -> dict[str, str]:
    """A compare-at price above the price means a sale; equal or below, it means nothing."""
    price, before = row.get("Variant Price", "").strip(), row.get("Variant Compare At Price", "").strip()
    if not price:
        raise BadField("Variant Price", "is missing")
    for name, text in (("Variant Price", price), ("Variant Compare At Price", before)):
        if text and not text.replace(".", "", 1).isdecimal():
            raise BadField(name, f"{text[:40]!r} is no price")
    if before and float(before) > float(price):
        return {"price": before, "sale_price": price}
    return {"price": price}


def _stock(row: dict[str, str]) -> str | None:
    """Counted only where a tracker says so; a variant that sells on without stock is never out of it."""
    tracked = bool(row.get("Variant Inventory Tracker", "").strip())
    sells_on = row.get("Variant Inventory Policy", "").strip().lower() == "continue"
    return row.get("Variant Inventory Qty", "") if tracked and not sells_on else None


def _sells(row: dict[str, str]) -> bool:
    """Whether the row is a variant, not just one more picture."""
    return any(row.get(name, "").strip() for name in ("Variant Price", "Variant SKU", "Option1 Value"))


def _is_default(row: dict[str, str]) -> bool:
    return row.get("Option1 Value", "").strip() in ("", "Default Title")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(lines(path))
    header: list[str] = []
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not any(cells):
                continue
            if header:
                yield line, dict(zip(header, cells, strict=False))
                continue
            header = [cell.strip() for cell in cells]
            missing = [name for name in NEEDED if name not in header]
            if missing:
                raise InputError(f"this is no Shopify product export: no column {', '.join(missing)}", field="file")
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}", field="file") from error

"""Titles of products in a file of orders, where it has them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..track.clock import parse_time
from .read import delimiter_of, header, open_text

TITLES = ("description", "title", "product_title", "product_name")
PRODUCTS = ("stockcode", "product_id", "productid", "item_id", "itemid", "sku", "item")
TIMES = ("invoicedate", "timestamp", "time", "event_time", "datetime", "date", "ts", "created_at")


def read_words(path: str | Path, *, before: float, mapping: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The last title of each product from rows older than *before*; none where the file has no such columns.

    :param mapping: our field to the file's column, where ``product_id`` and ``timestamp`` are named
    """
    if not str(path).lower().removesuffix(".gz").endswith((".csv", ".tsv", ".txt")):
        return {}
    names = header(path)
    mapped = mapping or {}
    product = _place(names, mapped.get("product_id"), PRODUCTS)
    moment = _place(names, mapped.get("timestamp"), TIMES)
    title = _place(names, None, TITLES)
    if min(product, moment, title) < 0:
        return {}
    shout = names[product] == "stockcode"  # where one product is written in both cases
    words: dict[str, str] = {}
    with open_text(path) as file:
        for row in csv.reader(file, delimiter=delimiter_of(file.readline())):
            if len(row) > max(product, moment, title) and row[title] and _older(row[moment], before):
                name = row[product].strip()
                words[name.upper() if shout else name] = row[title]
    return words


def _place(names: list[str], mapped: Any, known: tuple[str, ...]) -> int:
    """Place of a column, -1 for none."""
    wanted = (mapped.strip().lower(),) if isinstance(mapped, str) else known
    return next((names.index(name) for name in wanted if name in names), -1)


def _older(text: str, before: float) -> bool:
    try:
        value: Any = float(text)
    except ValueError:
        value = text
    try:
        return parse_time(value, "timestamp") < before
    except InputError:
        return False

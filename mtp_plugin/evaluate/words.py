"""Titles of products in a file of orders, where it has them."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from .read import header, open_text

TITLES = ("description", "title", "product_title", "product_name")
PRODUCTS = ("stockcode", "product_id", "item_id", "sku", "item")
TIMES = ("invoicedate", "timestamp", "time", "event_time", "date")


def read_words(path: str | Path, *, before: float) -> dict[str, str]:
    """The last title of each product from rows older than *before*; none where the file has no such columns."""
    if not str(path).lower().removesuffix(".gz").endswith((".csv", ".tsv", ".txt")):
        return {}
    names = header(path)
    places = [next((names.index(name) for name in known if name in names), -1) for known in (TITLES, PRODUCTS, TIMES)]
    if min(places) < 0:
        return {}
    title, product, moment = places
    words: dict[str, str] = {}
    with open_text(path) as file:
        delimiter = "\t" if "\t" in file.readline() else ","
        for row in csv.reader(file, delimiter=delimiter):
            if len(row) > max(places) and row[title] and _older(row[moment], before):
                words[row[product].strip().upper()] = row[title]
    return words


def _older(text: str, before: float) -> bool:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() < before

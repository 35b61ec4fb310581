"""Products out of invoice lines in the columns of UCI Online Retail: there is no catalogue, so the sales tell it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..records import Product, RowError
from .readers import BadField
from .text import lines
from .values import Reading, product_from

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice")
CURRENCY = "GBP"
_PRODUCT = re.compile(r"\d{5}[A-Z]*|DCGS\d+[A-Z]*|DCGSSBOY|DCGSSGIRL", re.IGNORECASE)


def is_product(stock_code: str) -> bool:
    """Whether a stock code is a thing on a shelf, not postage, a fee, a voucher or a correction."""
    return _PRODUCT.fullmatch(stock_code) is not None


@dataclass(slots=True)
class _Seen:
    """What the lines of one stock code said."""

    line: int
    titles: Counter[str] = field(default_factory=Counter)
    prices: Counter[str] = field(default_factory=Counter)
    first: str = ""


def read_online_retail(path: Path, reading: Reading) -> Iterator[tuple[int, Product] | RowError]:
    """One product a stock code, in capitals: its commonest name and unit price among the sales, its first day.

    Lines that sold nothing (returns, corrections, price 0) do not count.

    :param reading: unused but for the decimal mark; the prices are pounds
    :raises InputError: a column is missing
    """
    codes: dict[str, _Seen] = {}
    for line, row in _rows(path):
        code = row["StockCode"].strip().upper()
        if not is_product(code) or row["Quantity"].startswith("-") or not row["Description"].strip():
            continue
        if row["UnitPrice"].strip("0.,") == "" or row["UnitPrice"].startswith("-"):
            continue
        seen = codes.setdefault(code, _Seen(line, first=row["InvoiceDate"]))
        seen.titles[row["Description"].strip()] += 1
        seen.prices[row["UnitPrice"]] += 1
    for code, seen in codes.items():
        yield _product(code, seen)


def _product(code: str, seen: _Seen) -> tuple[int, Product] | RowError:
    title, price = seen.titles.most_common(1)[0][0], seen.prices.most_common(1)[0][0]
    values = {"product_id": code, "title": title, "price": price, "created": seen.first}
    try:
        return seen.line, product_from(values, Reading(CURRENCY, "."))
    except BadField as error:
        return RowError(seen.line, error.field, error.reason)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(lines(path), restval="", restkey="")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"these are no invoice lines of Online Retail: no column {', '.join(missing)}", field="file")
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}", field="file") from error

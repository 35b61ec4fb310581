"""Invoices in the columns of the UCI Online Retail data sets.

A product's stock code is five digits and perhaps letters, or begins with ``DCGS``; anything else (``POST``, ``D``,
``BANK CHARGES``, ``gift_0001_20``) is postage, a discount, a fee or a voucher. An invoice number with ``C`` before it
is a cancellation. A negative quantity without one is an adjustment of the stock, nobody's purchase.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..records import Event, EventProduct, RowError
from .clock import FileTimes
from .csv_events import open_table, open_text
from .imported import imported_event
from .limits import identifier

_PRODUCT = re.compile(r"\d{5}[A-Z]*|DCGS\d+[A-Z]*|DCGSSBOY|DCGSSGIRL")
_COLUMNS = {
    "invoice": ("InvoiceNo", "Invoice"),
    "code": ("StockCode",),
    "quantity": ("Quantity",),
    "time": ("InvoiceDate",),
    "price": ("UnitPrice", "Price"),
    "customer": ("CustomerID", "Customer ID"),
    "country": ("Country",),
}
_MONTH_FIRST, _DAY_FIRST = "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"
_SLASHED = re.compile(r"\s*(\d{1,2})/(\d{1,2})/")


@dataclass(frozen=True)
class _Line:
    """One line as it is understood; ``time`` is seconds since 1970."""

    invoice: str
    customer: str
    country: str
    time: float
    product: EventProduct


class _Invoice:
    """The lines of one invoice until the last was read."""

    __slots__ = ("country", "customer", "products", "time")

    def __init__(self, line: _Line) -> None:
        self.time, self.customer, self.country = line.time, line.customer, line.country
        self.products: list[EventProduct] = []

    def add(self, line: _Line) -> None:
        self.time = min(self.time, line.time)
        self.products.append(line.product)


def is_online_retail(header: str) -> bool:
    """Whether these are the columns of an Online Retail file."""
    return "StockCode" in header and "InvoiceDate" in header


def read_online_retail(path: Path, mapping: Mapping[str, Any], times: FileTimes) -> Iterator[Event | RowError]:
    """One ``Order Completed`` an invoice, one ``Order Refunded`` a cancellation, an error for each line left out.

    An invoice without a customer is an anonymous basket of its own.

    :raises InputError: a mapping is given, or a column is missing
    """
    if mapping:
        raise InputError("the columns of online-retail are fixed and take no mapping", field="mapping")
    invoices: dict[str, _Invoice] = {}
    # Descriptions come in several encodings; what is read of a line is ASCII.
    with open_text(path, errors="replace") as file:
        reader = open_table(file)
        lines = _Lines(_columns(reader.fieldnames or ()), times, _date_shape(path))
        try:
            for row in reader:
                try:
                    line = lines.read(row)
                    invoices.setdefault(line.invoice, _Invoice(line)).add(line)
                except InputError as error:
                    yield RowError(reader.line_num, error.field, error.message)
        except csv.Error as error:
            raise InputError(f"line {reader.line_num}: {error}", field="file") from error
    for number in sorted(invoices, key=lambda n: (invoices[n].time, n)):
        yield _event(number, invoices[number])


def _columns(header: Iterable[str]) -> dict[str, str]:
    there = set(header)
    found = {ours: next((name for name in names if name in there), "") for ours, names in _COLUMNS.items()}
    for ours, name in found.items():
        if not name:
            raise InputError(f"there is no column {' or '.join(_COLUMNS[ours])}", field="file")
    return found


def _date_shape(path: Path) -> str:
    """Whether a file's dates have the day first: one number over 12 decides for all of them."""
    with open_text(path, errors="replace") as file:
        for row in open_table(file):
            found = _SLASHED.match(row.get("InvoiceDate") or "")
            if not found:
                break
            if int(found[1]) > 12:
                return _DAY_FIRST
            if int(found[2]) > 12:
                break
    return _MONTH_FIRST


class _Lines:
    """Reads lines; the same texts of dates come again and again, so each is read once."""

    def __init__(self, columns: Mapping[str, str], times: FileTimes, shape: str) -> None:
        self._columns, self._times, self._shape = columns, times, shape
        self._known: dict[str, float] = {}

    def read(self, row: Mapping[str, str | None]) -> _Line:
        """The line.

        :raises InputError: it is left out; the field and the reason
        """
        cells = {ours: (row[name] or "").strip() for ours, name in self._columns.items()}
        code = cells["code"].upper()
        if not _PRODUCT.fullmatch(code):
            raise self._left_out("code", "not a product")
        quantity, price = self._number(cells, "quantity"), self._number(cells, "price")
        if quantity <= 0 and not is_cancellation(cells["invoice"]):
            raise self._left_out("quantity", "stock adjustment")
        if price <= 0:
            raise self._left_out("price", "no price")
        customer = cells["customer"].removesuffix(".0")
        return _Line(
            invoice=identifier(cells["invoice"], self._columns["invoice"]),
            customer=identifier(customer, self._columns["customer"]) if customer else "",
            country=cells["country"][:100],
            time=self._time(cells["time"]),
            product=EventProduct(product_id=code, quantity=abs(quantity), price=price),
        )

    def _left_out(self, ours: str, reason: str) -> InputError:
        return InputError(reason, field=self._columns[ours])

    def _number(self, cells: Mapping[str, str], ours: str) -> float:
        try:
            number = float(cells[ours])
        except ValueError:
            raise self._left_out(ours, "not a number") from None
        if not -1e9 < number < 1e9:
            raise self._left_out(ours, "not a number")
        return number

    def _time(self, text: str) -> float:
        if text not in self._known:
            self._known[text] = self._parsed(text)
        return self._known[text]

    def _parsed(self, text: str) -> float:
        field = self._columns["time"]
        if not _SLASHED.match(text):
            return self._times.read(text, field)
        try:
            parsed = datetime.strptime(text, self._shape).replace(tzinfo=self._times.zone)
        except ValueError:
            raise self._left_out("time", "not a date") from None
        return self._times.read(parsed, field)


def is_cancellation(invoice: str) -> bool:
    """Whether an invoice number is that of a cancellation."""
    return invoice[:1] in ("C", "c")


def _event(number: str, invoice: _Invoice) -> Event:
    return imported_event(
        "Order Refunded" if is_cancellation(number) else "Order Completed",
        key=number,
        timestamp=invoice.time,
        user_id=invoice.customer,
        anonymous_id="" if invoice.customer else f"invoice-{number}",
        products=tuple(invoice.products),
        properties={"order_id": number, "country": invoice.country},
    )

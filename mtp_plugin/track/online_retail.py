"""Invoices in the columns of the UCI Online Retail data sets.

A product's stock code begins with five digits; anything else (``POST``, ``D``, ``BANK CHARGES``, ``gift_0001_20``) is
postage, a discount, a fee or a voucher. An invoice number with ``C`` before it is a cancellation. A negative quantity
without one is an adjustment of the stock, nobody's purchase.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InputError
from ..records import Event, EventProduct, RowError
from .clock import parse_time
from .csv_events import open_text
from .imported import imported_event

_PRODUCT = re.compile(r"\d{5}")
_COLUMNS = {
    "invoice": ("InvoiceNo", "Invoice"),
    "code": ("StockCode",),
    "quantity": ("Quantity",),
    "time": ("InvoiceDate",),
    "price": ("UnitPrice", "Price"),
    "customer": ("CustomerID", "Customer ID"),
    "country": ("Country",),
}
_PLACES = ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M")


class _Invoice:
    """The lines of one invoice until the last was read."""

    __slots__ = ("country", "customer", "products", "time")

    def __init__(self, time: float, customer: str, country: str) -> None:
        self.time, self.customer, self.country = time, customer, country
        self.products: list[EventProduct] = []


def read_online_retail(path: Path, mapping: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Event | RowError]:
    """One ``Order Completed`` an invoice, one ``Order Refunded`` a cancellation, an error for each line left out.

    An invoice without a customer is an anonymous basket of its own.

    :raises InputError: a mapping is given, or a column is missing
    """
    if mapping:
        raise InputError("the columns of online-retail are fixed and take no mapping", field="mapping")
    invoices: dict[str, _Invoice] = {}
    with open_text(path) as file:
        reader = csv.DictReader(file)
        columns = _columns(reader.fieldnames or ())
        for row in reader:
            reason = _take(row, columns, invoices, zone)
            if reason:
                yield RowError(reader.line_num, *reason)
    for number in sorted(invoices, key=lambda n: (invoices[n].time, n)):
        yield _event(number, invoices[number])


def _columns(header: Any) -> dict[str, str]:
    found = {ours: next((name for name in names if name in header), "") for ours, names in _COLUMNS.items()}
    for ours, name in found.items():
        if not name:
            raise InputError(f"there is no column {' or '.join(_COLUMNS[ours])}", field="file")
    return found


def _take(
    row: Mapping[str, str], columns: Mapping[str, str], invoices: dict[str, _Invoice], zone: ZoneInfo
) -> tuple[str, str] | None:
    """Add a line to its invoice, or say which field leaves it out and why."""
    number, code = row[columns["invoice"]].strip(), row[columns["code"]].strip().upper()
    if not _PRODUCT.match(code):
        return columns["code"], "not a product"
    try:
        quantity, price = float(row[columns["quantity"]]), float(row[columns["price"]])
        time = _time(row[columns["time"]], columns["time"], zone)
    except ValueError:
        return columns["quantity"], "quantity or price is no number"
    except InputError as error:
        return error.field, error.message
    cancelled = number.upper().startswith("C")
    if quantity <= 0 and not cancelled:
        return columns["quantity"], "stock adjustment"
    if price <= 0:
        return columns["price"], "no price"
    invoice = invoices.get(number)
    if invoice is None:
        customer = row[columns["customer"]].strip().removesuffix(".0")
        invoice = invoices[number] = _Invoice(time, customer, row[columns["country"]].strip())
    invoice.products.append(EventProduct(product_id=code, quantity=abs(quantity), price=price))
    return None


def _time(text: str, field: str, zone: ZoneInfo) -> float:
    from datetime import datetime

    for shape in _PLACES if "/" in text else ():
        try:
            return datetime.strptime(text, shape).replace(tzinfo=zone).timestamp()
        except ValueError:
            continue
    return parse_time(text, field, zone)


def _event(number: str, invoice: _Invoice) -> Event:
    cancelled = number.upper().startswith("C")
    return imported_event(
        "Order Refunded" if cancelled else "Order Completed",
        key=number,
        timestamp=invoice.time,
        user_id=invoice.customer,
        anonymous_id="" if invoice.customer else f"invoice-{number}",
        products=tuple(invoice.products),
        properties={"order_id": number, "country": invoice.country},
    )

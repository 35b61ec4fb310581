"""Catalogue files: which format one is, and its products one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from ..errors import InputError
from ..records import Product, RowError
from .csv_mapped import read_csv, read_header
from .google_merchant import read_google_merchant
from .google_retail import read_google_retail
from .online_retail import read_online_retail
from .readers import BadField, read_url
from .shopify import read_shopify
from .text import start_of
from .values import Reading

FORMATS = ("csv", "shopify", "google-merchant", "google-retail", "online-retail")
_MARKS = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
_READERS = {
    "shopify": read_shopify,
    "google-merchant": read_google_merchant,
    "google-retail": read_google_retail,
    "online-retail": read_online_retail,
}


def read_products(
    path: str | PathLike[str], *, format: str = "", mapping: Mapping[str, Any] | None = None, currency: str
) -> Iterator[Product | RowError]:
    """The products of a file, and an error for each row that cannot be one.

    :param format: one of :data:`FORMATS`; empty is told by name and content
    :param mapping: for ``csv``, our field to the file's column; every format takes ``{"url": {"template":
        "/p/{product_id}"}}`` for products that have no address of their own
    :param currency: ISO 4217 code of prices that name none
    :raises InputError: the file or the mapping as a whole cannot be used; may come in the middle of the products
    """
    path = Path(path)
    name = format or detect(path, mapping)
    if name not in FORMATS:
        raise InputError(f"there is no format {name!r}; there are {', '.join(FORMATS)}", field="format")
    mapping, template = _take_template(mapping)
    reading = Reading(currency)
    if name == "csv":
        located = read_csv(path, mapping, reading)
    elif mapping:
        raise InputError(f"{name} knows its own columns; of a mapping it takes no more than url", field="mapping")
    else:
        located = _READERS[name](path, reading)
    return _unique(located, template)


def detect(path: Path, mapping: Mapping[str, Any] | None = None) -> str:
    """The format of a file by its first characters and, for a table, by its columns.

    :raises InputError: it cannot be read or is empty
    """
    start = start_of(path, 4096).lstrip(_MARKS)
    if not start:
        raise InputError("the file is empty", field="file")
    if start.startswith(b"<"):
        return "google-merchant"
    if start.startswith(b"{"):
        return "google-retail"
    if start.startswith((b"[{", b"[\n", b"[\r")):
        raise InputError("the file is one JSON list; write one object a line (jq -c '.[]')", field="file")
    if start.startswith((b"PK\x03\x04", b"PAR1", b"%PDF", b"\xd0\xcf\x11\xe0")):
        raise InputError("the file is no text; export it as CSV, XML or JSON lines", field="file")
    encoding = mapping["file"].get("encoding", "") if mapping and isinstance(mapping.get("file"), Mapping) else ""
    header = set(read_header(path, encoding))
    if {"Handle", "Variant Price"} <= header:
        return "shopify"
    if {"InvoiceNo", "StockCode", "UnitPrice"} <= header and not mapping:
        return "online-retail"
    return "csv"


def _take_template(mapping: Mapping[str, Any] | None) -> tuple[dict[str, Any], str]:
    mapping = dict(mapping or {})
    spec = mapping.get("url")
    if not isinstance(spec, Mapping) or set(spec) != {"template"}:
        return mapping, ""
    template = mapping.pop("url")["template"]
    if not isinstance(template, str) or "{product_id}" not in template:
        raise InputError('write a template such as "/p/{product_id}"', field="mapping.url.template")
    try:
        return mapping, read_url("url", template)
    except BadField as error:
        raise InputError(error.reason, field="mapping.url.template") from error


def _unique(located: Iterator[tuple[int, Product] | RowError], template: str) -> Iterator[Product | RowError]:
    """Each id once, the first; and the address filled in."""
    lines: dict[str, int] = {}
    for found in located:
        if isinstance(found, RowError):
            yield found
            continue
        line, product = found
        first = lines.setdefault(product.product_id, line)
        if first != line:
            yield RowError(line, "product_id", f"repeats {product.product_id!r} of line {first}")
        elif template and not product.url:
            yield msgspec.structs.replace(product, url=template.replace("{product_id}", _quoted(product.product_id)))
        else:
            yield product


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")

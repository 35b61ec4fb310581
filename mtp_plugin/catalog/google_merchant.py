"""Google Merchant feeds: RSS 2.0 or Atom whose items carry fields of the ``g:`` namespace; read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from ..errors import InputError
from ..records import Product, RowError
from .combine import Row, combine, variant_of
from .readers import BadField, read_id
from .text import DAMAGED, open_bytes, strip_html
from .values import Reading, product_from

GOOGLE = "{http://base.google.com/ns/1.0}"
ITEMS = ("item", "{http://www.w3.org/2005/Atom}entry", "{http://purl.org/rss/1.0/}item")
AVAILABILITY = {"instock": True, "outofstock": False, "preorder": True, "backorder": True}
ATTRIBUTES = ("material", "pattern", "gender", "age_group", "condition", "size_type", "size_system", "gtin", "mpn")
LABELS = tuple(f"custom_label_{number}" for number in range(5))
CHUNK = 1 << 16

Fields = dict[str, list[str]]


def read_google_merchant(path: Path, reading: Reading) -> Iterator[tuple[int, Product] | RowError]:
    """The products of a feed, each with the line of its first item; items of one ``item_group_id`` are its variants.

    :param reading: its currency counts where a price names none; the decimal mark is a point, as Google asks
    :raises InputError: the file is not well-formed, not a feed, or tries what XML parsers must not do
    """
    reading = Reading(reading.currency, ".")
    groups: dict[str, list[Row]] = {}
    seen: dict[str, int] = {}
    for line, fields in _items(path):
        try:
            item_id = read_id("id", _first(fields, "id"))
            if not item_id:
                raise BadField("id", "is missing")
            if item_id in seen:
                raise BadField("id", f"repeats {item_id!r} of line {seen[item_id]}")
            seen[item_id] = line
            row = _row(line, item_id, fields, reading)
            groups.setdefault(row.product.product_id, []).append(row)
        except BadField as error:
            yield RowError(line, error.field, error.reason)
    if not seen:
        raise InputError("the file holds no item with a g:id: this is no Merchant feed", field="file")
    for rows in groups.values():
        yield rows[0].line, combine(rows)


def _row(line: int, item_id: str, fields: Fields, reading: Reading) -> Row:
    group = read_id("item_group_id", _first(fields, "item_group_id"))
    product = product_from(_values(group or item_id, fields), reading)
    if not group:
        return Row(line, product)
    return Row(line, product, variant_of(product, item_id, title=product.title, size=_first(fields, "size")))


def _values(product_id: str, fields: Fields) -> dict[str, Any]:
    start, end = _interval(_first(fields, "sale_price_effective_date"))
    return {
        "product_id": product_id,
        "title": _first(fields, "title"),
        "description": strip_html(_first(fields, "description")),
        "url": _first(fields, "link"),
        "image": _first(fields, "image_link"),
        "brand": _first(fields, "brand"),
        "category_path": _category(fields),
        "colors": _first(fields, "color").split("/"),
        "price": _first(fields, "price"),
        "sale_price": _first(fields, "sale_price"),
        "sale_from": start,
        "sale_until": end,
        "cost": _first(fields, "cost_of_goods_sold"),
        "stock": _first(fields, "quantity") or _first(fields, "sell_on_google_quantity"),
        "in_stock": _available(_first(fields, "availability")),
        "tags": [label for name in LABELS for label in fields.get(name, [])],
        "rating": _first(fields, "product_rating"),
        "attributes": _attributes(fields),
    }


def _attributes(fields: Fields) -> dict[str, Any]:
    attributes: dict[str, Any] = {name: _first(fields, name) for name in ATTRIBUTES}
    if not fields.get("item_group_id"):
        attributes["size"] = _first(fields, "size")
    return attributes


def _category(fields: Fields) -> str:
    """The shop's own path; Google's taxonomy in words where there is none (its numbers say nothing to a shopper)."""
    taxonomy = _first(fields, "google_product_category")
    return _first(fields, "product_type") or ("" if taxonomy.isdigit() else taxonomy)


def _available(text: str) -> bool | None:
    word = "".join(character for character in text.lower() if character.isalpha())
    if not word:
        return None
    if word not in AVAILABILITY:
        reason = f"{text[:40]!r} is unknown; there are in_stock, out_of_stock, preorder, backorder"
        raise BadField("availability", reason)
    return AVAILABILITY[word]


def _interval(text: str) -> tuple[str, str]:
    start, slash, end = text.partition("/")
    if text and not (slash and start and end):
        reason = f"{text[:60]!r} is no interval; write two times with a slash between"
        raise BadField("sale_price_effective_date", reason)
    return start, end


def _first(fields: Fields, name: str) -> str:
    return fields.get(name, [""])[0]


def _items(path: Path) -> Iterator[tuple[int, Fields]]:
    collector = _Collector()
    parser = DefusedXMLParser(target=collector, forbid_dtd=True)
    collector.line = lambda: parser.parser.CurrentLineNumber
    try:
        with open_bytes(path) as file:
            while chunk := file.read(CHUNK):
                parser.feed(chunk)
                yield from collector.drain()
            parser.close()
    except ParseError as error:
        raise InputError(f"the XML is not well-formed: {error}", field="file") from error
    except DefusedXmlException as error:
        raise InputError(
            f"the XML declares entities or a document type, which is refused: {error}", field="file"
        ) from error
    except (LookupError, ValueError) as error:
        raise InputError(f"the XML names an encoding that cannot be read: {error}", field="file") from error
    except DAMAGED as error:
        raise InputError(f"the packed file is damaged: {error}", field="file") from error
    yield from collector.drain()


class _Collector:
    """Target of the parser: keeps the direct children of the item being read, nothing else."""

    def __init__(self) -> None:
        self.line: Any = lambda: 0
        self._done: list[tuple[int, Fields]] = []
        self._item: Fields | None = None
        self._start = 0
        self._depth = 0
        self._text: list[str] = []

    def drain(self) -> list[tuple[int, Fields]]:
        """The items finished since last time."""
        done, self._done = self._done, []
        return done

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._item is None:
            if tag in ITEMS:
                self._item, self._start, self._depth = {}, self.line(), 0
            return
        self._depth += 1
        if self._depth == 1:
            self._text = []
            if tag == "{http://www.w3.org/2005/Atom}link" and attributes.get("rel", "alternate") == "alternate":
                self._item.setdefault("link", []).append(attributes.get("href", ""))

    def data(self, text: str) -> None:
        if self._item is not None and self._depth == 1:
            self._text.append(text)

    def end(self, tag: str) -> None:
        if self._item is None:
            return
        if self._depth == 0:
            self._done.append((self._start, self._item))
            self._item = None
            return
        text = "".join(self._text).strip()
        if self._depth == 1 and text:
            values = self._item.setdefault(tag.rpartition("}")[2], [])
            values.insert(0 if tag.startswith(GOOGLE) else len(values), text)
        self._depth -= 1

    def close(self) -> None:
        """Nothing is left over."""

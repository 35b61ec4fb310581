"""Any table of text: commas, semicolons, tabs or bars; columns by a mapping, or by their usual names."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..records import Product, RowError
from .combine import Row, combine, variant_of
from .money import MoneyError, decimal_of
from .readers import BadField, read_id
from .text import DELIMITERS, delimiter_of, lines
from .values import FIELDS, Reading, product_from

VARIANT_FIELDS = ("variant_id", "variant_title", "size")
FILE_OPTIONS = ("encoding", "delimiter", "decimal")
NUMBERS = ("price", "sale_price", "cost")

USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "product_id": ("productid", "id", "sku", "itemid", "productcode", "articlenumber", "articleno", "code", "handle"),
    "title": ("title", "name", "producttitle", "productname", "itemname"),
    "brand": ("brand", "vendor", "manufacturer", "brandname"),
    "category_path": ("categorypath", "category", "categories", "producttype", "productcategory", "type"),
    "tags": ("tags", "keywords", "labels"),
    "style": ("style",),
    "colors": ("colors", "color", "colours", "colour"),
    "description": ("description", "bodyhtml", "longdescription", "shortdescription"),
    "price": ("price", "regularprice", "listprice", "unitprice", "retailprice"),
    "sale_price": ("saleprice", "specialprice", "discountprice", "offerprice"),
    "sale_from": ("salefrom", "salepricefrom", "specialpricefrom", "datesalepricestarts"),
    "sale_until": ("saleuntil", "saleto", "salepriceto", "specialpriceto", "datesalepriceends"),
    "currency": ("currency", "currencycode"),
    "stock": ("stock", "quantity", "qty", "inventory", "stockquantity", "inventoryquantity"),
    "in_stock": ("instock", "availability", "available"),
    "margin": ("margin",),
    "cost": ("cost", "costprice", "costperitem", "costofgoodssold"),
    "image": ("image", "imageurl", "imagelink", "imagesrc", "picture", "images"),
    "url": ("url", "link", "producturl", "productlink", "permalink"),
    "rating": ("rating", "averagerating", "ratingaverage"),
    "rating_count": ("ratingcount", "reviewcount", "reviews"),
    "created": ("created", "createdat", "datecreated", "dateadded", "publishdate"),
    "hidden": ("hidden",),
    "published": ("published", "visible", "enabled", "active"),
    "variant_id": ("variantid",),
    "variant_title": ("varianttitle",),
    "size": ("size", "sizes"),
}
"""Header names, lower case without blanks and signs, that need no mapping; the first that a file has is taken."""


def read_csv(
    path: Path, mapping: Mapping[str, Any] | None, reading: Reading
) -> Iterator[tuple[int, Product] | RowError]:
    """The products of a table, each with its line.

    :param mapping: our field to a column name, or to ``{"column", "split", "default"}`` or ``{"value"}``;
        ``attributes`` to an object of such; ``file`` to ``{"encoding", "delimiter", "decimal"}``
    :raises InputError: the mapping or the file as a whole cannot be used
    """
    options = _options(mapping)
    header = _header(path, options)
    columns = _Columns(header, {name: value for name, value in (mapping or {}).items() if name != "file"})
    reading = Reading(reading.currency, options.get("decimal") or reading.decimal or _decimal(path, options, columns))
    return _read(path, options, columns, reading)


def read_header(path: Path, encoding: str = "") -> list[str]:
    """The column names of a table, whatever divides them."""
    return _header(path, {"encoding": encoding})


def _read(
    path: Path, options: Mapping[str, str], columns: _Columns, reading: Reading
) -> Iterator[tuple[int, Product] | RowError]:
    groups: dict[str, list[Row]] = {}
    for line, cells in _rows(path, options):
        try:
            if len(cells) > columns.width:
                raise BadField(
                    "", f"has {len(cells)} cells, the header {columns.width}; quote cells that hold a delimiter"
                )
            values = columns.values(cells)
            extra = {name: values.pop(name, "") for name in VARIANT_FIELDS}
            product = product_from(_with_size(values, extra), reading)
            if not columns.has_variants:
                yield line, product
                continue
            variant_id = read_id("variant_id", extra["variant_id"])
            if not variant_id:
                raise BadField("variant_id", "is missing")
            variant = variant_of(product, variant_id, title=extra["variant_title"], size=extra["size"])
            groups.setdefault(product.product_id, []).append(Row(line, product, variant))
        except BadField as error:
            yield RowError(line, error.field, error.reason)
    for rows in groups.values():
        yield from _grouped(rows)


def _grouped(rows: list[Row]) -> Iterator[tuple[int, Product] | RowError]:
    kept: dict[str, Row] = {}
    for row in rows:
        assert row.variant is not None  # noqa: S101  only such rows are grouped
        first = kept.setdefault(row.variant.variant_id, row)
        if first is not row:
            yield RowError(row.line, "variant_id", f"repeats {row.variant.variant_id!r} of line {first.line}")
    yield rows[0].line, combine(list(kept.values()))


def _with_size(values: dict[str, Any], extra: Mapping[str, str]) -> dict[str, Any]:
    """A size without variants is an attribute: there is nothing else to hang it on."""
    if extra["size"] and not extra["variant_id"]:
        values["attributes"] = {"size": extra["size"], **values.get("attributes", {})}
    return values


class _Columns:
    """Which cell holds which field."""

    def __init__(self, header: list[str], mapping: Mapping[str, Any]) -> None:
        self.width = len(header)
        self._header = header
        self._cells: dict[str, Any] = {}
        self._attributes: dict[str, Any] = {}
        if mapping:
            self._map(mapping)
        else:
            self._guess()
        for field in ("product_id", "title"):
            if field not in self._cells:
                raise InputError(
                    f"no column is known to hold {field}; the file has {', '.join(header)}: "
                    f'say which with a mapping, such as {{"{field}": "{header[0]}"}}',
                    field=f"mapping.{field}",
                )

    @property
    def has_variants(self) -> bool:
        return "variant_id" in self._cells

    def values(self, cells: list[str]) -> dict[str, Any]:
        """The fields of one row."""
        values = {field: take(cells) for field, take in self._cells.items()}
        attributes = {name: take(cells) for name, take in self._attributes.items()}
        if attributes:
            values["attributes"] = attributes
        return values

    def _map(self, mapping: Mapping[str, Any]) -> None:
        known = (*FIELDS, *VARIANT_FIELDS)
        for field, spec in mapping.items():
            if field == "attributes":
                if not isinstance(spec, Mapping):
                    raise InputError(
                        'attributes are mapped one by one: {"material": "Material"}', field="mapping.attributes"
                    )
                for name, part in spec.items():
                    self._attributes[name] = self._cell(part, f"mapping.attributes.{name}")
            elif field not in known:
                raise InputError(f"there is no field {field}; {_close(field, known)}", field=f"mapping.{field}")
            else:
                self._cells[field] = self._cell(spec, f"mapping.{field}")

    def _cell(self, spec: Any, at: str) -> Any:
        if isinstance(spec, str):
            return _taker(self._position(spec, at), "", "")
        if isinstance(spec, Mapping) and set(spec) == {"value"}:
            constant = spec["value"]
            return lambda cells: constant
        if not isinstance(spec, Mapping) or "column" not in spec or set(spec) - {"column", "split", "default"}:
            raise InputError('give a column name, {"column", "split", "default"} or {"value"}', field=at)
        return _taker(self._position(spec["column"], at), str(spec.get("split", "")), spec.get("default", ""))

    def _position(self, name: Any, at: str) -> int:
        if name not in self._header:
            raise InputError(f"the file has no column {name!r}; {_close(str(name), self._header)}", field=at)
        return self._header.index(name)

    def _guess(self) -> None:
        plain = [_plain(name) for name in self._header]
        for field, names in USUAL_NAMES.items():
            found = next((name for name in names if name in plain), None)
            if found is not None:
                self._cells[field] = _taker(plain.index(found), "", "")
        for position, name in enumerate(self._header):
            if name.lower().startswith(("attributes.", "attribute:")):
                self._attributes[name[11:].strip() if name[9] == "s" else name[10:].strip()] = _taker(position, "", "")


def _taker(position: int, split: str, default: Any) -> Any:
    def take(cells: list[str]) -> Any:
        cell = cells[position] if position < len(cells) else ""
        if not cell.strip():
            return default
        return [part.strip() for part in cell.split(split)] if split else cell

    return take


def _decimal(path: Path, options: Mapping[str, str], columns: _Columns) -> str:
    """The decimal mark of the file's prices, where any of them tells it."""

    def texts() -> Iterator[str]:
        for _, cells in _rows(path, options):
            values = columns.values(cells)
            yield from (values[field] for field in NUMBERS if isinstance(values.get(field), str))

    try:
        return decimal_of(texts())
    except MoneyError as error:
        raise InputError(str(error), field="mapping.file.decimal") from error


def _options(mapping: Mapping[str, Any] | None) -> dict[str, str]:
    options = (mapping or {}).get("file", {})
    if not isinstance(options, Mapping) or set(options) - set(FILE_OPTIONS):
        raise InputError(f"file takes {', '.join(FILE_OPTIONS)}", field="mapping.file")
    if options.get("decimal", "") not in ("", ".", ","):
        raise InputError('write "." or ","', field="mapping.file.decimal")
    if options.get("delimiter", "") not in ("", *DELIMITERS):
        raise InputError("use one of " + " ".join(map(repr, DELIMITERS)), field="mapping.file.delimiter")
    return dict(options)


def _header(path: Path, options: Mapping[str, str]) -> list[str]:
    for _, cells in _rows(path, options, header=True):
        names = [cell.strip() for cell in cells]
        repeated = {name for name in names if name and names.count(name) > 1}
        if repeated:
            raise InputError(f"the column {min(repeated)!r} stands twice in the header", field="file")
        return names
    raise InputError("the file is empty", field="file")


def _rows(path: Path, options: Mapping[str, str], header: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with its first line; the header left out, or alone."""
    text = lines(path, options.get("encoding", ""))
    delimiter = options.get("delimiter") or delimiter_of(path, options.get("encoding", ""))
    reader = csv.reader(text, delimiter=delimiter)
    start, head = 1, True
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if head == header:
                yield line, cells
            if head and header:
                return
            head = False
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}", field="file") from error


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _close(word: str, known: Iterable[str]) -> str:
    plain = {_plain(name): name for name in known}
    close = difflib.get_close_matches(_plain(word), plain, n=1)
    return f"did you mean {plain[close[0]]}?" if close else f"there are {', '.join(plain.values())}"

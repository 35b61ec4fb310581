"""From a file or the shop's own catalogue into the store: whole or not at all, and never an empty shop by accident."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from typing import Any

import msgspec

from ..errors import InputError
from ..ports import Catalog, CatalogStore
from ..records import ImportResult, Product, RowError
from .files import read_products

MAX_ERRORS = 1000
"""Errors kept in a result; the rest is counted in ``notes["more errors"]``."""
STEP = 1000


def import_file(
    path: str | PathLike[str],
    store: CatalogStore,
    *,
    format: str = "",
    mapping: Mapping[str, Any] | None = None,
    currency: str,
    strict: bool = False,
    hide_missing: bool = True,
    progress: Callable[[int], None] | None = None,
) -> ImportResult:
    """Import a catalogue file. Known ids are updated, the same file twice changes nothing.

    :param strict: one bad row and nothing is imported; the result then has errors and no counts
    :param hide_missing: products that the file does not have are hidden
    :param progress: called with the number of products read, every thousand and at the end
    :raises InputError: the file as a whole cannot be used, or holds no good product: the store stays as it is
    """
    rows = read_products(path, format=format, mapping=mapping, currency=currency)
    return _import(rows, store, strict=strict, hide_missing=hide_missing, progress=progress)


def import_catalog(
    catalog: Catalog,
    store: CatalogStore,
    *,
    currency: str = "",
    strict: bool = False,
    hide_missing: bool = True,
    progress: Callable[[int], None] | None = None,
) -> ImportResult:
    """Import the products that the shop's own catalogue tells of, by the rules of :func:`import_file`.

    :param currency: ISO 4217 code of products that name none
    """
    rows = catalog.rows() if hasattr(catalog, "rows") else catalog.products()
    named = (_in_currency(row, currency) for row in rows)
    return _import(named, store, strict=strict, hide_missing=hide_missing, progress=progress)


def _import(
    rows: Iterable[Product | RowError],
    store: CatalogStore,
    *,
    strict: bool,
    hide_missing: bool,
    progress: Callable[[int], None] | None,
) -> ImportResult:
    errors: list[RowError] = []
    # Read to the end before the store is touched: a file that breaks off must not hide what stands behind the break.
    products = list(_good(rows, errors, progress or _silent))
    errors.sort(key=lambda error: error.line)
    kept = tuple(errors[:MAX_ERRORS])
    notes = {"more errors": len(errors) - MAX_ERRORS} if len(errors) > MAX_ERRORS else {}
    if strict and errors:
        return ImportResult(skipped=len(products) + len(errors), errors=kept, notes=notes)
    if not products:
        raise InputError(_nothing(errors), field="file")
    result = store.import_products(products, hide_missing=hide_missing)
    return msgspec.structs.replace(
        result,
        skipped=result.skipped + len(errors),
        errors=(*result.errors, *kept),
        notes={**result.notes, **notes},
    )


def _good(
    rows: Iterable[Product | RowError], errors: list[RowError], progress: Callable[[int], None]
) -> Iterator[Product]:
    count = 0
    for row in rows:
        if isinstance(row, RowError):
            errors.append(row)
            continue
        count += 1
        if count % STEP == 0:
            progress(count)
        yield row
    progress(count)


def _nothing(errors: list[RowError]) -> str:
    if not errors:
        return "there is no product to import; nothing was changed, for an empty import would hide the whole shop"
    first = errors[0]
    where = f"line {first.line}: {first.field}: {first.reason}" if first.field else f"line {first.line}: {first.reason}"
    return f"none of {len(errors)} rows is a good product, so nothing was changed; the first is {where}"


def _in_currency(row: Product | RowError, currency: str) -> Product | RowError:
    if isinstance(row, Product) and not row.currency and currency:
        return msgspec.structs.replace(row, currency=currency)
    return row


def _silent(count: int) -> None:
    """Nobody watches."""

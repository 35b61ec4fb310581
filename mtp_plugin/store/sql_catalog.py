"""The imported products in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from ..records import ImportResult, Product
from .chunks import chunks
from .database import Database
from .product_rows import ProductRow, product_row, row_product
from .schema import catalog_version, product
from .words import storable

CHUNK = 500
"""Rows of one statement; SQLite takes at most 32,766 values."""

VERSION = select(catalog_version.c.version).where(catalog_version.c.id == 1)
BY_IDS = select(product).where(product.c.product_id.in_(bindparam("ids", expanding=True)))
BUYABLE = select(product.c.product_id).where(
    product.c.product_id.in_(bindparam("ids", expanding=True)),
    product.c.hidden.is_(False),
    or_(product.c.stock.is_(None), product.c.stock > 0),
)


class SqlCatalog:
    """Implements :class:`mtp_plugin.ports.CatalogStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        return int(self._database.glance(VERSION)[0][0])

    def import_products(self, products: Iterable[Product], *, hide_missing: bool) -> ImportResult:
        # Read to its end first: a slow source must not hold a transaction open.
        rows = {item.product_id: product_row(item) for item in products}
        with self._database.writing() as connection:
            before = _stored(connection)
            added = [row for row in rows.values() if row.product_id not in before]
            updated = [row for row in rows.values() if row.product_id in before and before[row.product_id] != row]
            gone = [row.product_id for row in before.values() if not row.hidden and row.product_id not in rows]
            hidden = gone if hide_missing else []
            _add(connection, added)
            _change(connection, updated)
            _hide(connection, hidden)
            if added or updated or hidden:
                _next_version(connection)
        unchanged = len(rows) - len(added) - len(updated)
        return ImportResult(added=len(added), updated=len(updated), unchanged=unchanged, hidden=len(hidden))

    def products(self) -> Iterator[Product]:
        last = ""
        while True:
            query = select(product).where(product.c.product_id > last).order_by(product.c.product_id).limit(5000)
            with self._database.reading() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            last = rows[-1].product_id
            yield from (row_product(row) for row in rows)

    def get(self, product_ids: Sequence[str]) -> dict[str, Product]:
        found: dict[str, Product] = {}
        for ids in chunks(list(filter(storable, product_ids)), CHUNK):
            found.update((row.product_id, row_product(row)) for row in self._database.glance(BY_IDS, {"ids": ids}))
        return found

    def availability(self, product_ids: Sequence[str]) -> dict[str, bool]:
        buyable: set[str] = set()
        for ids in chunks(list(filter(storable, product_ids)), CHUNK):
            buyable.update(row[0] for row in self._database.glance(BUYABLE, {"ids": ids}))
        return {product_id: product_id in buyable for product_id in product_ids}

    def set_stock(self, stock: Mapping[str, int | None]) -> int:
        with self._database.writing() as connection:
            before = _stored(connection, list(filter(storable, stock)))
            changed = [{"at": name, "to": stock[name]} for name, row in before.items() if row.stock != stock[name]]
            if changed:
                statement = update(product).where(product.c.product_id == bindparam("at"))
                connection.execute(statement.values(stock=bindparam("to")), changed)
                _next_version(connection)
        return len(before)


def _stored(connection: Connection, product_ids: Sequence[str] | None = None) -> dict[str, ProductRow]:
    if product_ids is None:
        return {row[0]: ProductRow(*row) for row in connection.execute(select(product))}
    found: dict[str, ProductRow] = {}
    for ids in chunks(product_ids, CHUNK):
        found.update((row[0], ProductRow(*row)) for row in connection.execute(BY_IDS, {"ids": ids}))
    return found


def _add(connection: Connection, rows: Sequence[ProductRow]) -> None:
    if rows:
        connection.execute(insert(product), [row._asdict() for row in rows])


def _change(connection: Connection, rows: Sequence[ProductRow]) -> None:
    if not rows:
        return
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("hidden", "stock", "body")}
    statement = update(product).where(product.c.product_id == bindparam("at")).values(values)
    connection.execute(
        statement,
        [{"at": r.product_id, "new_hidden": r.hidden, "new_stock": r.stock, "new_body": r.body} for r in rows],
    )


def _hide(connection: Connection, product_ids: Sequence[str]) -> None:
    for ids in chunks(product_ids, CHUNK):
        connection.execute(update(product).where(product.c.product_id.in_(ids)).values(hidden=True))


def _next_version(connection: Connection) -> None:
    connection.execute(update(catalog_version).values(version=catalog_version.c.version + 1))

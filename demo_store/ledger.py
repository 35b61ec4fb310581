"""Orders and what they took from the shelves, in one SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, account TEXT NOT NULL, placed REAL NOT NULL,
    name TEXT NOT NULL, total REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS lines (
    number INTEGER NOT NULL REFERENCES orders, product_id TEXT NOT NULL, variant_id TEXT NOT NULL,
    title TEXT NOT NULL, quantity INTEGER NOT NULL, price REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS lines_product ON lines (product_id);
"""


class SoldOut(Exception):
    """A line of an order asks for more than there is."""

    def __init__(self, title: str, left: int) -> None:
        super().__init__(f"only {left} of {title} left" if left else f"{title} is sold out")
        self.title, self.left = title, left


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one variant at one price; ``stock`` is what the catalogue had."""

    product_id: str
    variant_id: str
    title: str
    quantity: int
    price: float
    stock: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was placed; ``key`` is the unguessable part of its address."""

    number: int
    key: str
    account: str
    placed: float
    name: str
    total: float
    lines: tuple[tuple[str, str, int, float], ...] = ()


class Ledger:
    """The shop's books.

    :param path: of the SQLite file, made on first use
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()) as database:
            database.executescript(_SCHEMA)

    def sold(self, product_ids: Sequence[str]) -> dict[str, int]:
        """Pieces sold by variant, of these products, in one query."""
        if not product_ids:
            return {}
        marks = ",".join("?" * len(product_ids))
        question = f"SELECT variant_id, SUM(quantity) FROM lines WHERE product_id IN ({marks}) GROUP BY variant_id"  # noqa: S608
        with closing(self._open()) as database:
            return dict(database.execute(question, tuple(product_ids)))

    def place(self, key: str, account: str, name: str, lines: Iterable[Line]) -> Order:
        """Write an order; the same key twice is the same order.

        :raises SoldOut: a line asks for more than there is; nothing is written
        """
        lines = tuple(lines)
        total = round(sum(line.price * line.quantity for line in lines), 2)
        with closing(self._open()) as database, database:
            database.execute("BEGIN IMMEDIATE")
            known = database.execute("SELECT number FROM orders WHERE key = ?", (key,)).fetchone()
            if known is None:
                for line in lines:
                    _check(database, line)
                placed = database.execute(
                    "INSERT INTO orders (key, account, placed, name, total) VALUES (?, ?, ?, ?, ?)",
                    (key, account, time.time(), name, total),
                )
                database.executemany(
                    "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)",
                    [(placed.lastrowid, x.product_id, x.variant_id, x.title, x.quantity, x.price) for x in lines],
                )
        order = self.order(key)
        assert order is not None  # noqa: S101  written above
        return order

    def order(self, key: str) -> Order | None:
        """The order of this key."""
        with closing(self._open()) as database:
            row = database.execute("SELECT * FROM orders WHERE key = ?", (key,)).fetchone()
            return _order(database, row) if row else None

    def orders_of(self, account: str) -> list[Order]:
        """An account's orders, newest first."""
        with closing(self._open()) as database:
            rows = database.execute(
                "SELECT * FROM orders WHERE account = ? ORDER BY number DESC", (account,)
            ).fetchall()
            return [_order(database, row) for row in rows]

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        return database


def _check(database: sqlite3.Connection, line: Line) -> None:
    sold = database.execute(
        "SELECT COALESCE(SUM(quantity), 0) FROM lines WHERE variant_id = ?", (line.variant_id,)
    ).fetchone()[0]
    if line.quantity > line.stock - sold:
        raise SoldOut(line.title, max(0, line.stock - sold))


def _order(database: sqlite3.Connection, row: tuple[int, str, str, float, str, float]) -> Order:
    lines = database.execute(
        "SELECT product_id, title, quantity, price FROM lines WHERE number = ?", (row[0],)
    ).fetchall()
    return Order(*row, lines=tuple(lines))

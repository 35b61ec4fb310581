"""Which column of a table holds which of our fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ..errors import InputError
from .aliases import canonical
from .orders import OrderKey

GUESSES: Mapping[str, tuple[str, ...]] = {
    "name": ("event", "event_name", "event_type", "action", "name", "type"),
    "timestamp": ("timestamp", "time", "event_time", "datetime", "date", "ts", "created_at"),
    "user_id": ("user_id", "userid", "customer_id", "customerid", "user"),
    "anonymous_id": ("anonymous_id", "anonymousid", "visitor_id", "visitorid", "session_id", "session"),
    "product_id": ("product_id", "productid", "item_id", "itemid", "sku", "item"),
    "quantity": ("quantity", "qty"),
    "price": ("price", "unit_price"),
    "order_id": ("order_id", "orderid", "transaction_id", "transactionid", "invoice"),
    "message_id": ("message_id", "messageid", "event_id"),
    "query": ("query", "search_term"),
}
"""Our fields, each with the columns that are taken for it when no mapping names one, best first."""
FIELDS = tuple(GUESSES)

ACTION_NAMES: Mapping[str, str] = {
    "view": "Product Viewed",
    "cart": "Product Added",
    "addtocart": "Product Added",
    "remove": "Product Removed",
    "removefromcart": "Product Removed",
    "transaction": "Order Completed",
    "order": "Order Completed",
    "buy": "Order Completed",
    "click": "Product Clicked",
}
"""Short words for events as exports have them; spaces, underscores and capitals do not matter."""


class Columns:
    """Which column holds which of our fields, and what holds for every row.

    :param header: the table's columns
    :param mapping: our field to a column, or to ``{"value": ...}`` for all rows alike; a field not named is guessed
    :raises InputError: a field or column that does not exist, or nothing to tell time, name or visitor by
    """

    def __init__(self, header: Iterable[str], mapping: Mapping[str, Any]) -> None:
        self._header = list(header)
        self._columns: dict[str, str] = {}
        self._constants: dict[str, Any] = {}
        for field, column in mapping.items():
            self._map(field, column)
        for field in FIELDS:
            if field not in mapping:
                self._guess(field)
        for field, remedy in (("timestamp", ""), ("name", ', or {"name": {"value": "Order Completed"}}')):
            if not self.has(field):
                raise InputError(f"no column tells the {field}; map one{remedy}", field=f"mapping.{field}")
        if not (self.has("user_id") or self.has("anonymous_id")):
            raise InputError("no column tells the visitor; map user_id or anonymous_id", field="mapping.user_id")

    def _map(self, field: str, column: Any) -> None:
        if field not in FIELDS:
            raise InputError(f"there is no field {field!r}; use {', '.join(FIELDS)}", field=f"mapping.{field}")
        if isinstance(column, Mapping) and "value" in column:
            self._constants[field] = column["value"]
        elif isinstance(column, str) and column in self._header:
            self._columns[field] = column
        else:
            there = ", ".join(self._header)
            raise InputError(f"there is no column {column!r}; there are {there}", field=f"mapping.{field}")

    def _guess(self, field: str) -> None:
        by_name = {column.strip().lower().replace(" ", "_"): column for column in self._header}
        for name in GUESSES[field]:
            if name in by_name and by_name[name] not in self._columns.values():
                self._columns[field] = by_name[name]
                return

    @property
    def used(self) -> list[str]:
        """The table's columns that are read."""
        return list(dict.fromkeys(self._columns.values()))

    def has(self, field: str) -> bool:
        """Whether a column or a constant tells this field."""
        return field in self._columns or field in self._constants

    def read(self, row: Mapping[str, Any], field: str) -> Any:
        """The value of our *field* in a row, ``None`` when empty."""
        value = row.get(self._columns[field]) if field in self._columns else self._constants.get(field)
        if isinstance(value, str):
            return value.strip() or None
        if isinstance(value, float) and value != value:
            return None
        # A column of whole numbers with gaps is kept as fractions by many tools; ids must not end in ``.0``.
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def name(self, row: Mapping[str, Any]) -> str:
        """The canonical name of the row's event, ``""`` when there is none."""
        return _name(str(self.read(row, "name") or ""))

    def order_key(self, row: Mapping[str, Any]) -> OrderKey | None:
        """What the lines of one order have in common; ``None`` for a row that belongs to no order."""
        order = self.read(row, "order_id")
        if order is None or not (name := self.name(row)).startswith("Order "):
            return None
        whose = (name, str(self.read(row, "user_id")), str(self.read(row, "anonymous_id")), str(order))
        return whose if name == "Order Completed" else (*whose, str(self.read(row, "timestamp")))


@lru_cache(maxsize=1024)
def _name(word: str) -> str:
    return ACTION_NAMES.get(word.lower().replace("_", "").replace(" ", ""), canonical(word))

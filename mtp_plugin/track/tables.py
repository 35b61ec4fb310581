"""Rows of a table as events, by a mapping of our fields to the table's columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InputError
from ..records import Event, EventProduct, RowError
from .aliases import canonical
from .clock import parse_time
from .imported import imported_event
from .limits import identifier
from .products import products_of

FIELDS = ("name", "timestamp", "user_id", "anonymous_id", "product_id", "quantity", "price", "order_id", "message_id", "query")
_GUESSES: Mapping[str, tuple[str, ...]] = {
    "name": ("event", "name", "event_name", "event_type", "action", "type"),
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
_ACTIONS = {"view": "Product Viewed", "cart": "Product Added", "addtocart": "Product Added", "transaction": "Order Completed",
            "order": "Order Completed", "buy": "Order Completed", "click": "Product Clicked", "remove": "Product Removed"}


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
        for field, names in _GUESSES.items():
            if field not in mapping:
                self._guess(field, names)
        for field, remedy in (("timestamp", ""), ("name", ', or {"name": {"value": "Order Completed"}}')):
            if not self._has(field):
                raise InputError(f"no column tells the {field}; map one{remedy}", field=f"mapping.{field}")
        if not (self._has("user_id") or self._has("anonymous_id")):
            raise InputError("no column tells the visitor; map user_id or anonymous_id", field="mapping.user_id")

    def _map(self, field: str, column: Any) -> None:
        if field not in FIELDS:
            raise InputError(f"there is no field {field!r}; use {', '.join(FIELDS)}", field=f"mapping.{field}")
        if isinstance(column, Mapping) and "value" in column:
            self._constants[field] = column["value"]
        elif column in self._header:
            self._columns[field] = column
        else:
            raise InputError(f"there is no column {column!r}; there are {', '.join(self._header)}", field=f"mapping.{field}")

    def _guess(self, field: str, names: tuple[str, ...]) -> None:
        by_name = {column.lower().replace(" ", "_"): column for column in self._header}
        for name in names:
            if name in by_name and by_name[name] not in self._columns.values():
                self._columns[field] = by_name[name]
                return

    def _has(self, field: str) -> bool:
        return field in self._columns or field in self._constants

    def read(self, row: Mapping[str, Any], field: str) -> Any:
        """The value of our *field* in a row, ``None`` when empty."""
        value = row.get(self._columns[field]) if field in self._columns else self._constants.get(field)
        return None if value == "" else value


def table_events(
    rows: Iterable[tuple[int, Mapping[str, Any]]], columns: Columns, zone: ZoneInfo
) -> Iterator[Event | RowError]:
    """One event a row; rows of one order that stand together become one event."""
    seen: dict[str, int] = {}
    order: list[tuple[int, Event]] = []
    for line, row in rows:
        try:
            event = _event(row, columns, zone, seen)
        except InputError as error:
            yield RowError(line, error.field, error.message)
            continue
        if order and not _same_order(order[-1][1], event):
            yield _joined(order)
            order = []
        order.append((line, event))
    if order:
        yield _joined(order)


def _event(row: Mapping[str, Any], columns: Columns, zone: ZoneInfo, seen: dict[str, int]) -> Event:
    name = str(columns.read(row, "name") or "")
    if not name:
        raise InputError("the event has no name", field="name")
    name = _ACTIONS.get(name.lower().replace("_", "").replace(" ", ""), canonical(name))
    timestamp = parse_time(_time_value(columns.read(row, "timestamp")), "timestamp", zone)
    user, anonymous = columns.read(row, "user_id"), columns.read(row, "anonymous_id")
    if user is None and anonymous is None:
        raise InputError("the row names no visitor", field="user_id")
    given = {field: value for field in ("product_id", "quantity", "price") if (value := columns.read(row, field)) is not None}
    properties = {field: str(value) for field in ("order_id", "query") if (value := columns.read(row, field)) is not None}
    products = products_of(name, {**given, **properties}, "row")
    key = str(columns.read(row, "message_id") or properties.get("order_id") or "")
    return imported_event(
        name,
        key=key or _counted(f"{name}|{timestamp}|{user}|{anonymous}|{given}|{properties}", seen),
        timestamp=timestamp,
        user_id=identifier(user, "user_id") if user is not None else "",
        anonymous_id=identifier(anonymous, "anonymous_id") if anonymous is not None else "",
        products=products,
        properties=properties,
    )


def _time_value(value: Any) -> Any:
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _counted(key: str, seen: dict[str, int]) -> str:
    """Rows that are alike are told apart by how many came before, so that each counts, and counts once."""
    place = seen[key] = seen.get(key, 0) + 1
    return key if place == 1 else f"{key}|{place}"


def _same_order(a: Event, b: Event) -> bool:
    return bool(b.properties.get("order_id")) and (a.name, a.profile_id, a.properties.get("order_id")) == (
        b.name, b.profile_id, b.properties["order_id"],
    )  # fmt: skip


def _joined(order: list[tuple[int, Event]]) -> Event:
    first = order[0][1]
    if len(order) == 1:
        return first
    products: tuple[EventProduct, ...] = tuple(product for _, event in order for product in event.products)
    return imported_event(
        first.name,
        key=str(first.properties["order_id"]),
        timestamp=first.timestamp,
        user_id=first.user_id,
        anonymous_id=first.anonymous_id,
        products=products,
        properties=first.properties,
    )

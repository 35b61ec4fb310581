"""Rows of a table as events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..errors import InputError
from ..records import Event, RowError
from .clock import FileTimes
from .columns import Columns
from .imported import Occurrences, imported_event
from .limits import MAX_NAME, bounded, identifier
from .orders import Orders
from .products import products_of

Row = Mapping[Any, Any]
Rows = Callable[[], Iterable[tuple[int, Row]]]
SURPLUS = None
"""Where a row has the cells that no column is for, as :class:`csv.DictReader` does it."""


def table_events(rows: Rows, columns: Columns, times: FileTimes) -> Iterator[Event | RowError]:
    """One event a row; the rows of one order, wherever they stand, become one event, where the last of them is.

    :param rows: gives all rows with their line, each time it is called
    """
    orders = Orders(key for _, row in rows() if (key := columns.order_key(row))) if columns.has("order_id") else None
    alike = Occurrences()
    for line, row in rows():
        event: Event | None = None
        try:
            event = _event(row, columns, times, alike)
        except InputError as error:
            yield RowError(line, error.field, error.message)
        key = columns.order_key(row) if orders else None
        if orders and key:
            event = orders.take(key, event)
        if event is not None:
            yield event
    if orders:
        yield from orders.rest()


def _event(row: Row, columns: Columns, times: FileTimes, alike: Occurrences) -> Event:
    if row.get(SURPLUS):
        raise InputError("the row has more cells than there are columns")
    name = columns.name(row)
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InputError("the row names no event", field="name")
    timestamp = times.read(columns.read(row, "timestamp"), "timestamp")
    user, anonymous = _visitor(row, columns, "user_id"), _visitor(row, columns, "anonymous_id")
    if not user and not anonymous:
        raise InputError("the row names no visitor", field="user_id")
    given = {field: value for field in _PRODUCT if (value := columns.read(row, field)) is not None}
    properties = {
        field: bounded(str(value), field) for field in _KEPT if (value := columns.read(row, field)) is not None
    }
    message_id = columns.read(row, "message_id")
    told = f"{name}|{timestamp}|{user}|{anonymous}|{given}|{properties}"
    return imported_event(
        name,
        key=alike(told) if message_id is None else str(message_id),
        timestamp=timestamp,
        user_id=user,
        anonymous_id=anonymous,
        products=products_of(name, {**given, **properties}, "row"),
        properties=properties,
    )


_PRODUCT = ("product_id", "quantity", "price")
_KEPT = ("order_id", "query")


def _visitor(row: Row, columns: Columns, field: str) -> str:
    value = columns.read(row, field)
    return "" if value is None else identifier(value, field)

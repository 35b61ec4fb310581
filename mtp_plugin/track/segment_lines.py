"""Events as JSON lines: one body of Segment's ``track``, ``page`` or ``identify`` call a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..records import Event, RowError
from .aliases import canonical
from .bodies import decode_object, given_object
from .clock import FileTimes
from .csv_events import open_text
from .imported import Occurrences, imported_event
from .limits import MAX_NAME, PERSONAL_TRAITS, bounded, identifier
from .page import without_queries
from .products import products_of

_NAMES = {"page": "Page Viewed", "identify": "Identify"}


def read_lines(path: Path, mapping: Mapping[str, Any], times: FileTimes) -> Iterator[Event | RowError]:
    """The events of a file of JSON lines; each needs ``event``, ``timestamp`` and ``userId`` or ``anonymousId``.

    :raises InputError: a mapping is given
    """
    if mapping:
        raise InputError("JSON lines have Segment's field names and take no mapping", field="mapping")
    alike = Occurrences()
    with open_text(path) as file:
        for line, text in enumerate(file, 1):
            if text.strip():
                yield _read(line, text, times, alike)


def _read(line: int, text: str, times: FileTimes, alike: Occurrences) -> Event | RowError:
    try:
        return _event(decode_object(text.encode()), text, times, alike)
    except InputError as error:
        return RowError(line, error.field, error.message)


def _event(call: dict[str, Any], text: str, times: FileTimes, alike: Occurrences) -> Event:
    name = _name(call)
    properties = bounded(given_object(call, "properties"), "properties")
    traits = bounded(given_object(call, "traits"), "traits", PERSONAL_TRAITS) if name == "Identify" else {}
    products = products_of(name, properties)
    properties.pop("products", None)
    without_queries(properties)
    user, anonymous = (_visitor(call, field) for field in ("userId", "anonymousId"))
    if not user and not anonymous:
        raise InputError("say whose event this is: userId or anonymousId", field="userId")
    return imported_event(
        name,
        key=_key(call, name, properties) or alike(text.strip()),
        timestamp=times.read(call.get("timestamp"), "timestamp"),
        user_id=user,
        anonymous_id=anonymous,
        products=products,
        properties=properties,
        traits=traits,
    )


def _name(call: Mapping[str, Any]) -> str:
    kind = call.get("type") or "track"
    if kind in ("page", "identify"):
        return _NAMES[kind]
    if kind != "track":
        raise InputError("only track, page and identify calls are imported", field="type")
    name = call.get("event")
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InputError("the line names no event", field="event")
    return canonical(name)


def _key(call: Mapping[str, Any], name: str, properties: Mapping[str, Any]) -> str:
    """What the sender says identifies it; an order is completed once, other things can happen to it often."""
    told = call.get("messageId") or (properties.get("order_id") if name == "Order Completed" else None)
    return str(told) if isinstance(told, (str, int)) else ""


def _visitor(call: Mapping[str, Any], field: str) -> str:
    value = call.get(field)
    return "" if value is None or value == "" else identifier(value, field)

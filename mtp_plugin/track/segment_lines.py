"""Events as JSON lines: one body of Segment's ``track`` call a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from ..errors import InputError
from ..records import Event, RowError
from .aliases import canonical
from .clock import parse_time
from .csv_events import open_text
from .imported import imported_event
from .limits import bounded, identifier
from .products import products_of


def read_lines(path: Path, mapping: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Event | RowError]:
    """The events of a file of JSON lines; each needs ``event``, ``timestamp`` and ``userId`` or ``anonymousId``.

    :raises InputError: a mapping is given, or the file is not UTF-8
    """
    if mapping:
        raise InputError("JSON lines have Segment's field names and take no mapping", field="mapping")
    with open_text(path) as file:
        try:
            for line, text in enumerate(file, 1):
                if text.strip():
                    yield _read(line, text, zone)
        except UnicodeDecodeError as error:
            raise InputError(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}", field="file") from error


def _read(line: int, text: str, zone: ZoneInfo) -> Event | RowError:
    try:
        return _event(msgspec.json.decode(text), text, zone)
    except msgspec.DecodeError as error:
        return RowError(line, "", f"not JSON: {error}")
    except InputError as error:
        return RowError(line, error.field, error.message)


def _event(call: Any, text: str, zone: ZoneInfo) -> Event:
    if not isinstance(call, dict) or not isinstance(call.get("event"), str):
        raise InputError("this must be an object with the name of an event", field="event")
    properties = call.get("properties") or {}
    if not isinstance(properties, dict):
        raise InputError("this must be an object", field="properties")
    name, properties = canonical(call["event"]), bounded(properties, "properties")
    products = products_of(name, properties)
    properties.pop("products", None)
    user, anonymous = call.get("userId"), call.get("anonymousId")
    if user in (None, "") and anonymous in (None, ""):
        raise InputError("say whose event this is: userId or anonymousId", field="userId")
    return imported_event(
        name,
        key=str(call.get("messageId") or properties.get("order_id") or text.strip()),
        timestamp=parse_time(call.get("timestamp"), "timestamp", zone),
        user_id=identifier(user, "userId") if user not in (None, "") else "",
        anonymous_id=identifier(anonymous, "anonymousId") if anonymous not in (None, "") else "",
        products=products,
        properties=properties,
    )

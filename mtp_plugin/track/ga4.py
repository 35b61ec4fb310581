"""GA4's measurement protocol in terms of Segment's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..errors import InputError
from .bodies import Call, Ga4Body, given_object

_PARAMETERS = {
    "transaction_id": "order_id",
    "search_term": "query",
    "item_list_id": "list_id",
    "item_list_name": "category",
}
_ITEM = {
    "item_id": "product_id",
    "item_name": "name",
    "item_brand": "brand",
    "item_variant": "variant",
    "index": "position",
}
_FIELDS = {
    "properties": "params",
    "products": "items",
    "event": "name",
    "anonymousId": "client_id",
    "userId": "user_id",
    "messageId": "params.message_id",
    **{ours: theirs for theirs, ours in (_PARAMETERS | _ITEM).items() if ours not in ("name", "category")},
}
_LATEST = 1e17


def shared_call(whole: Ga4Body) -> Call:
    """What a body says once for all of its events.

    :raises InputError: its time is none
    """
    return Call(
        type="track",
        anonymous_id=whole.client_id,
        user_id=whole.user_id,
        timestamp=_seconds(whole.timestamp_micros),
    )


def event_call(event: Mapping[str, Any], shared: Call) -> Call:
    """One event as a ``track`` call.

    :raises InputError: its parameters or its time are none
    """
    properties = from_ga4(given_object(event, "params"))
    own = _seconds(event.get("timestamp_micros"))
    return msgspec.structs.replace(
        shared,
        timestamp=shared.timestamp if own is None else own,
        event=event.get("name"),
        message_id=properties.pop("message_id", None),
        properties=properties,
    )


def from_ga4(params: Mapping[str, Any]) -> dict[str, Any]:
    """GA4's parameters as Segment's properties; what has no name there keeps its own."""
    properties = {_PARAMETERS.get(name, name): value for name, value in params.items() if name != "items"}
    items = params.get("items")
    if isinstance(items, list):
        properties["products"] = [_product(item) for item in items]
    elif items is not None:
        properties["products"] = items
    return properties


def ga4_field(field: str) -> str:
    """A path in our terms as the sender wrote it.

    >>> ga4_field("events.0.properties.products.1.product_id")
    'events.0.params.items.1.item_id'
    """
    return ".".join(_FIELDS.get(part, part) for part in field.split("."))


def _product(item: Any) -> Any:
    return {_ITEM.get(name, name): value for name, value in item.items()} if isinstance(item, Mapping) else item


def _seconds(micros: Any) -> float | None:
    if micros is None or micros == "":
        return None
    digits = isinstance(micros, str) and micros.isascii() and micros.isdigit() and len(micros) <= 17
    number = int(micros) if digits else micros
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number < _LATEST:
        raise InputError("this must be microseconds since 1970", field="timestamp_micros")
    return number / 1e6

"""A webhook of any service, read by a mapping: our field to the path of theirs.

A path is dotted (``customer.id``); ``{"value": ...}`` is the same for every body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...errors import InputError
from ..aliases import canonical
from ..clock import parse_time
from ..limits import bounded, identifier
from ..products import products_of
from .reading import Happening, Person, Reading

Path = str | dict[str, Any]


class FieldMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where in a body each of our fields stands. ``events`` translates their names of events."""

    event: Path
    events: dict[str, str] = {}
    user_id: Path = ""
    anonymous_id: Path = ""
    email: Path = ""
    phone: Path = ""
    key: Path = ""
    timestamp: Path = ""
    products: Path = ""
    product: dict[str, Path] = {}
    properties: dict[str, Path] = {}
    traits: dict[str, Path] = {}


def read_mapped(mapping: FieldMap, topic: str, body: Mapping[str, Any], now: float, fallback_key: str) -> Reading:
    """What a body says by a mapping.

    :param fallback_key: what identifies it if the mapping names nothing
    :raises InputError: a field is missing or of the wrong kind
    """
    said = topic or str(_at(body, mapping.event, "event") or "")
    if mapping.events and said not in mapping.events:
        return Reading(ignored=f"the event {said[:40]!r} is not mapped")
    if not said:
        raise InputError("the body names no event", field="event")
    name = canonical(mapping.events.get(said, said))
    properties = bounded(_values(body, mapping.properties), "properties")
    lines = _lines(body, mapping)
    products = products_of(name, {**properties, "products": lines} if lines else properties)
    properties.pop("products", None)
    happened = _at(body, mapping.timestamp, "timestamp")
    happening = Happening(
        name=name,
        key=str(_at(body, mapping.key, "key") or fallback_key)[:200],
        timestamp=now if happened in (None, "") else min(parse_time(happened, "timestamp"), now),
        products=products,
        properties=properties,
        traits=bounded(_values(body, mapping.traits), "traits") if name == "Identify" else {},
    )
    return Reading(person=_person(body, mapping), happenings=(happening,))


def _person(body: Mapping[str, Any], mapping: FieldMap) -> Person:
    user, anonymous = (_name(body, getattr(mapping, field), field) for field in ("user_id", "anonymous_id"))
    contacts = {}
    for field in ("email", "phone"):
        value = _at(body, getattr(mapping, field), field)
        if isinstance(value, str) and value.strip():
            contacts[field] = value
    return Person(user_id=user, anonymous_id=anonymous, contacts=contacts)


def _name(body: Mapping[str, Any], path: Path, field: str) -> str:
    value = _at(body, path, field)
    return "" if value in (None, "") else identifier(value, field)


def _lines(body: Mapping[str, Any], mapping: FieldMap) -> list[dict[str, Any]]:
    listed = _at(body, mapping.products, "products")
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise InputError("this must be a list", field="products")
    return [_values(line, mapping.product) for line in listed if isinstance(line, Mapping)]


def _values(body: Mapping[str, Any], paths: Mapping[str, Path]) -> dict[str, Any]:
    found = {name: _at(body, path, name) for name, path in paths.items()}
    return {name: value for name, value in found.items() if value is not None}


def _at(body: Any, path: Path, field: str) -> Any:
    if isinstance(path, dict):
        return path.get("value")
    for part in path.split(".") if path else ():
        if not isinstance(body, Mapping):
            return None
        body = body.get(part)
    return body if path else None

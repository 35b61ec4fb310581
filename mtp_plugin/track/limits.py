"""Bounds on what a sender can make us keep."""

from __future__ import annotations

from typing import Any

from ..errors import InputError

MAX_DEPTH = 6
MAX_KEYS = 200
MAX_TEXT = 2000
MAX_LIST = 250
MAX_ID = 128
MAX_NAME = 200
MAX_PRODUCTS = 250

PERSONAL = frozenset(
    "email emailaddress phone phonenumber telephone mobile firstname lastname fullname username address street "
    "birthday birthdate dateofbirth ip ipaddress password creditcard cardnumber iban ssn".split()
)
"""Names, squeezed, of properties that say who somebody is: they are taken out before anything is stored."""


def bounded(value: Any, field: str, depth: int = 0) -> Any:
    """The value without personal properties.

    :raises InputError: too deep, too many, or too long
    """
    if depth > MAX_DEPTH:
        raise InputError(f"this is nested more than {MAX_DEPTH} deep", field=field)
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise InputError(f"this text has {len(value)} characters, {MAX_TEXT} are allowed", field=field)
        return value.replace("\x00", "")
    if isinstance(value, list):
        if len(value) > MAX_LIST:
            raise InputError(f"this list has {len(value)} members, {MAX_LIST} are allowed", field=field)
        return [bounded(member, f"{field}.{place}", depth + 1) for place, member in enumerate(value)]
    if isinstance(value, dict):
        if len(value) > MAX_KEYS:
            raise InputError(f"this has {len(value)} keys, {MAX_KEYS} are allowed", field=field)
        return {
            key.replace("\x00", "")[:MAX_NAME]: bounded(member, f"{field}.{key[:MAX_ID]}", depth + 1)
            for key, member in value.items()
            if _squeezed(key) not in PERSONAL
        }
    return value


def identifier(value: Any, field: str) -> str:
    """An id that somebody made up: text or a whole number, printable, at most :data:`MAX_ID` characters.

    :raises InputError: it is none
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise InputError("this must be a text that is not empty", field=field)
    text = value.strip()
    if len(text) > MAX_ID or not text.isprintable():
        raise InputError(f"this must be printable and at most {MAX_ID} characters long", field=field)
    return text


def _squeezed(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "")

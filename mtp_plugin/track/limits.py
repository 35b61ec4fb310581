"""Bounds on what a sender can make us keep, and what is never kept."""

from __future__ import annotations

import re
from typing import Any

from ..errors import InputError
from ..records import MAX_ID as MAX_ID

MAX_DEPTH = 6
MAX_KEYS = 200
MAX_TEXT = 2000
MAX_LIST = 250
MAX_NAME = 200
MAX_PRODUCTS = 250
MAX_INTEGER = 2**63
MOST_NAMES = 4096
"""Keys that are remembered with what is kept of them."""

PERSONAL = frozenset(
    {
        *("email", "emailaddress", "mail", "phone", "phonenumber", "telephone", "mobile", "mobilenumber"),
        *("firstname", "lastname", "fullname", "surname", "username", "address", "street"),
        *("birthday", "birthdate", "dateofbirth", "ip", "ipaddress", "password", "passwd"),
        *("creditcard", "cardnumber", "iban", "ssn"),
    }
)
"""Names of properties that say who somebody is, squeezed; with words before them, such as ``billing_address``, too."""
PERSONAL_TRAITS = PERSONAL | {"name", "avatar", "website"}
"""The same for traits, where a ``name`` is a person's and not a product's."""

HIDDEN = "[email]"
"""Stands in texts where an e-mail address stood."""

_PART = r"[^\s@<>()\[\],;:\"'/?&=]"
_ADDRESS = re.compile(rf"{_PART}{{1,64}}@{_PART}{{1,190}}\.[A-Za-z]{{2,24}}")
_WORD = re.compile(r"[A-Z]?[^\W_A-Z]+|[A-Z]+(?![^\W_A-Z])")


def bounded(value: Any, field: str, personal: frozenset[str] = PERSONAL, depth: int = 0) -> Any:
    """A JSON value without personal properties and e-mail addresses.

    :raises InputError: too deep, too many, too long, or a number beyond 64 bits
    """
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise InputError(f"this text has {len(value)} characters, {MAX_TEXT} are allowed", field=field)
        return plain(value)
    if isinstance(value, (dict, list)):
        if depth > MAX_DEPTH:
            raise InputError(f"this is nested more than {MAX_DEPTH} deep", field=field)
        if isinstance(value, dict):
            return _bounded_object(value, field, personal, depth + 1)
        return _bounded_list(value, field, personal, depth + 1)
    if isinstance(value, int) and not -MAX_INTEGER <= value < MAX_INTEGER:
        raise InputError("this number has more than 64 bits; send it as a text", field=field)
    return value


def _bounded_list(value: list[Any], field: str, personal: frozenset[str], depth: int) -> list[Any]:
    if len(value) > MAX_LIST:
        raise InputError(f"this list has {len(value)} members, {MAX_LIST} are allowed", field=field)
    return [bounded(member, f"{field}.{place}", personal, depth) for place, member in enumerate(value)]


def _bounded_object(value: dict[str, Any], field: str, personal: frozenset[str], depth: int) -> dict[str, Any]:
    if len(value) > MAX_KEYS:
        raise InputError(f"this has {len(value)} keys, {MAX_KEYS} are allowed", field=field)
    names, kept = _NAMES[personal], dict[str, Any]()
    for key, member in value.items():
        name = names[key]
        if name is None:
            raise InputError(f"a key must be printable and at most {MAX_NAME} characters long", field=field)
        if not name and key:
            continue
        # Most members are short and plain: they need neither a call nor the name of their place.
        kind = type(member)
        if kind is str and len(member) <= MAX_TEXT:
            kept[name] = plain(member) if "@" in member or "\x00" in member else member
        elif kind is float or member is None or (kind is int and -MAX_INTEGER <= member < MAX_INTEGER):
            kept[name] = member
        else:
            kept[name] = bounded(member, f"{field}.{key}", personal, depth)
    return kept


class _Names(dict[str, str | None]):
    """Keys as they are kept, ``""`` when personal, ``None`` when no name; each is judged once.

    :param personal: names that are not kept
    """

    def __init__(self, personal: frozenset[str]) -> None:
        self._personal = personal
        self.as_given: set[str] = set()
        """Those that are kept letter by letter."""

    def __missing__(self, key: str) -> str | None:
        if len(key) > MAX_NAME or not key.isprintable():
            return None
        if len(self) >= MOST_NAMES:
            self.clear()
            self.as_given.clear()
        name = self[key] = "" if is_personal(key, self._personal) else plain(key)
        if name == key:
            self.as_given.add(key)
        return name


def kept_name(key: str, personal: frozenset[str] = PERSONAL) -> str | None:
    """The key as it is kept, ``""`` when it is personal, ``None`` when it is no name."""
    return _NAMES[personal][key]


def plain(text: str) -> str:
    """The text without NUL, which databases refuse, and without e-mail addresses."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return _ADDRESS.sub(HIDDEN, text) if "@" in text else text


def is_plain(body: bytes) -> bool:
    """Whether all texts in this JSON are as :func:`plain` gives them: neither sign is there, written out or not."""
    return b"@" not in body and (b"\\" not in body or (b"\\u0000" not in body and b"\\u0040" not in body))


def is_kept_whole(values: dict[str, Any]) -> bool:
    """Whether :func:`bounded` gives an object as it is, if its members are within their bounds and plain."""
    if not _AS_GIVEN.issuperset(values):
        return False
    return _NESTED.isdisjoint(map(type, values.values()))


def is_personal(key: str, personal: frozenset[str] = PERSONAL) -> bool:
    """Whether a property of this name says who somebody is, however it is spelt.

    >>> is_personal("billingAddress"), is_personal("E-Mail"), is_personal("email_campaign")
    (True, True, False)
    """
    words = [word.lower() for word in _WORD.findall(key)]
    return any("".join(words[place:]) in personal for place in range(len(words)))


_NAMES = {personal: _Names(personal) for personal in (PERSONAL, PERSONAL_TRAITS)}
_AS_GIVEN = _NAMES[PERSONAL].as_given
_NESTED = frozenset({dict, list})


def identifier(value: Any, field: str, key: str = "") -> str:
    """An id that somebody made up: text or a whole number, printable, at most :data:`MAX_ID` characters.

    :param key: under which it stands in *field*, if not *field* itself
    :raises InputError: it is none
    """
    if isinstance(value, str):
        text = value.strip()
        if text and len(text) <= MAX_ID and text.isprintable():
            return text
    elif isinstance(value, int) and not isinstance(value, bool) and -MAX_INTEGER <= value < MAX_INTEGER:
        return str(value)
    where = f"{field}.{key}" if key else field
    if isinstance(value, str) and value.strip():
        raise InputError(f"this must be printable and at most {MAX_ID} characters long", field=where)
    raise InputError("this must be a text that is not empty", field=where)

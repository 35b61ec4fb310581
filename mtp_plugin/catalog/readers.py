"""Readers of single values: each takes a field's name and whatever was given, and gives the value or a reason."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from ..records import MAX_ID as MAX_ID
from ..records import Variant
from .money import MoneyError, parse_number

MAX_TEXT = 20_000

_YES = {
    "1",
    "true",
    "t",
    "yes",
    "y",
    "on",
    "x",
    "ja",
    "oui",
    "si",
    "sí",
    "available",
    "instock",
    "preorder",
    "backorder",
}
_NO = {"0", "false", "f", "no", "n", "off", "nein", "non", "unavailable", "outofstock", "soldout", "discontinued"}
_EPOCH = re.compile(r"[0-9]{9,11}(\.[0-9]+)?")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")


class BadField(ValueError):
    """A value cannot be taken: which *field*, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field, self.reason = field, reason


def read_text(field: str, value: Any) -> str:
    """Text in composed form (NFC), without control characters, outer white space removed."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise BadField(field, f"is {type(value).__name__}, a text is needed")
    text = str(value).strip()
    if not (text.isascii() and text.isprintable()):  # most text is, and needs no more
        text = _composed(field, text)
    if len(text) > MAX_TEXT:
        raise BadField(field, f"has {len(text):,} characters; {MAX_TEXT:,} are allowed")
    return text


def _composed(field: str, text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadField(field, "holds half a character (a lone surrogate)")
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    return unicodedata.normalize("NFC", kept).strip()


def read_line(field: str, value: Any) -> str:
    """Text on one line: white space of any kind becomes a blank."""
    text = read_text(field, value)
    return text if text.isascii() and text.isprintable() and "  " not in text else " ".join(text.split())


def read_id(field: str, value: Any) -> str:
    """An id: short text on one line, kept as it is."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, (bool, bytes, list, tuple, Mapping)):
        value = str(value)  # UUIDs and the like
    text = read_text(field, value)
    if len(text) > MAX_ID:
        raise BadField(field, f"has {len(text)} characters; {MAX_ID} are allowed")
    if any(character in "\n\t" for character in text):
        raise BadField(field, "holds a line break or a tab")
    return text


def read_url(field: str, value: Any) -> str:
    """An address a page may link to: http, https or one without a scheme; pictures may also be ``data:image``."""
    text = read_text(field, value)
    scheme = _SCHEME.match(text)
    picture = field == "image" and text.lower().startswith("data:image/")
    if scheme and scheme[1].lower() not in ("http", "https") and not picture:
        raise BadField(field, f"{text[:40]!r} is no address that a page may use; write http, https or a path")
    if any(character.isspace() for character in text):
        text = "".join("%20" if character == " " else character for character in text if character not in "\n\t")
    return text


def read_texts(separator: str) -> Callable[[str, Any], tuple[str, ...]]:
    """A reader of lists: a list, or one text divided by *separator*; repetitions and empty parts go."""

    def read(field: str, value: Any) -> tuple[str, ...]:
        parts = value.split(separator) if isinstance(value, str) else value
        if not isinstance(parts, Iterable) or isinstance(parts, (Mapping, bytes)):
            parts = [parts]
        texts = (read_line(field, part) for part in _ordered(parts) if not is_empty(part))
        return tuple(dict.fromkeys(text for text in texts if text))

    return read


def read_path(field: str, value: Any) -> tuple[str, ...]:
    """A category path: a list from broad to narrow, or one text divided by ``>``."""
    parts = value.split(">") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)):
        raise BadField(field, 'needs a list from broad to narrow, or a text such as "Home > Lamps"')
    texts = (read_line(field, part).replace(">", "›") for part in parts if not is_empty(part))
    return tuple(text for text in texts if text)


def read_flag(field: str, value: Any) -> bool:
    """Yes or no, in the words of the usual exports."""
    if isinstance(value, bool):
        return value
    word = "".join(c for c in str(value).lower() if c.isalnum())
    if isinstance(value, (str, int)) and word in _YES:
        return True
    if isinstance(value, (str, int)) and word in _NO:
        return False
    raise BadField(field, f"{str(value)[:40]!r} is neither yes nor no")


def read_count(field: str, value: Any, decimal: str = "") -> int:
    """Whole pieces; an oversold (negative) number is 0."""
    try:
        number = parse_number(value, decimal=decimal) if isinstance(value, str) else float(value)
    except (MoneyError, TypeError, ValueError):
        raise BadField(field, f"{str(value)[:40]!r} is no number of pieces") from None
    if isinstance(value, bool) or not math.isfinite(number) or abs(number) >= 2**31:
        raise BadField(field, f"{str(value)[:40]!r} is no number of pieces")
    return max(0, math.floor(number))


def read_time(field: str, value: Any) -> float:
    """Seconds since 1970 from a date, a ``datetime``, ISO 8601 text or a number; without a zone it is UTC.

    Text of 9 to 11 digits is such a number too; of 8 it is a date.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
    elif _is_seconds(value):
        return _seconds(field, float(value))
    else:
        moment = _moment(field, value)
    return _seconds(field, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _is_seconds(value: Any) -> bool:
    if isinstance(value, str):
        return _EPOCH.fullmatch(value.strip()) is not None
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _moment(field: str, value: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(value).strip().replace(" UTC", "+00:00"))
    except ValueError:
        reason = f"{str(value)[:40]!r} is no time; write it as 2026-11-24 or 2026-11-24T09:30:00+01:00"
        raise BadField(field, reason) from None


def _seconds(field: str, value: float) -> float:
    if not -2e10 < value < 2.5e11:
        raise BadField(field, f"{value} is no number of seconds since 1970")
    return value


def read_number(field: str, value: Any) -> float:
    """A number that is not below zero, such as a rating."""
    try:
        number = parse_number(value) if isinstance(value, str) else float(value)
    except (MoneyError, TypeError, ValueError) as error:
        raise BadField(field, str(error) if isinstance(error, MoneyError) else f"{value!r} is no number") from None
    if isinstance(value, bool) or not math.isfinite(number) or number < 0:
        raise BadField(field, f"{str(value)[:40]!r} is no number from 0 on")
    return number


def read_attributes(field: str, value: Any) -> dict[str, Any]:
    """Free attributes: names without dots, texts, numbers, flags and lists of these."""
    if not isinstance(value, Mapping):
        raise BadField(field, "needs an object of names and values")
    kept = {read_id(field, name).replace(".", "_"): part for name, part in value.items() if not is_empty(part)}
    read = {name: _attribute(f"{field}.{name}", part) for name, part in kept.items()}
    return {name: part for name, part in read.items() if part != []}


def _attribute(field: str, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float, Decimal)):
        if not math.isfinite(value) or not -(2**63) < value < 2**63:
            raise BadField(field, "is no number that can be kept")
        return value if isinstance(value, int) else float(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_attribute(field, part) for part in _ordered(value) if not is_empty(part)]
    return read_text(field, value)


def _ordered(parts: Iterable[Any]) -> Iterable[Any]:
    """Sets have no order that would be the same tomorrow, and an import must not change what is unchanged."""
    return sorted(parts, key=str) if isinstance(parts, (set, frozenset)) else parts


def read_variants(field: str, value: Any) -> tuple[Variant, ...]:
    """Variants, as records or as mappings of their fields."""
    if not isinstance(value, (list, tuple)):
        raise BadField(field, "needs a list")
    try:
        return tuple(part if isinstance(part, Variant) else msgspec.convert(part, Variant) for part in value)
    except msgspec.ValidationError as error:
        raise BadField(field, str(error)) from error


def is_empty(value: Any) -> bool:
    """Whether nothing was given: ``None`` or blank text."""
    return value is None or (isinstance(value, str) and not value.strip())

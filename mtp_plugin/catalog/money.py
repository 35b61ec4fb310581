"""Prices as people and exports write them; what could mean two things is refused instead of guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

SYMBOLS = {"€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₩": "KRW", "₫": "VND",
           "₱": "PHP", "฿": "THB", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "R$": "BRL", "US$": "USD", "C$": "CAD",
           "A$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD"}  # fmt: skip
SHARED_SYMBOLS = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "CLP", "COP", "ARS", "UYU"}),
    "¥": frozenset({"JPY", "CNY"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
}
"""Symbols of several currencies: they mean the shop's own, if it is one of these."""
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies whose minor unit is a thousandth, so that three digits may well be decimals."""

_THIN = re.compile(r"(?<=\d)[ \u00a0\u2007\u2009\u202f](?=\d{3}(?!\d))")
_NUMBER = re.compile(r"[+-]?[\d.,']+(?:-(?!\d))?")
_MAX = 1e12


class MoneyError(ValueError):
    """A price cannot be read; the message says why."""


class Ambiguous(MoneyError):
    """The one separator may divide thousands or decimals."""


class Money(NamedTuple):
    """An amount in the major unit; ``currency`` is ``""`` where none was written."""

    amount: float
    currency: str


def parse_money(text: str, *, currency: str = "", decimal: str = "") -> Money:
    """Read a price such as ``1.299,00 €``, ``USD 1,299.00``, ``12`` or ``CHF 1'299.-``.

    :param currency: the shop's own, to tell what ``$`` means and whether three decimals are likely
    :param decimal: ``"."`` or ``","`` where the file is known to use it; ``""`` tells it by the number itself
    :raises MoneyError: it is no price, below zero, or (:class:`Ambiguous`) ``1.299`` without *decimal*
    """
    plain = _plain(text)
    found = _NUMBER.findall(plain)
    if len(found) != 1 or not any(character.isdigit() for character in found[0]):
        raise MoneyError(f"{text[:40]!r} is no price")
    before, _, after = plain.partition(found[0])
    written = _currency(before, after, currency, text)
    amount = parse_number(
        found[0].removesuffix("-"), decimal=decimal, three_decimals=(written or currency) in THREE_DECIMALS
    )
    if amount < 0:
        raise MoneyError(f"{text[:40]!r} is below zero")
    if amount > _MAX:
        raise MoneyError(f"{text[:40]!r} is too large")
    return Money(amount, written)


def parse_number(text: str, *, decimal: str = "", three_decimals: bool = False) -> float:
    """Read a number with separators of any of the usual kinds, as :func:`parse_money` does its own.

    :raises MoneyError: it is none, or ambiguous
    """
    sign = -1.0 if text.startswith("-") else 1.0
    body = _plain(text).lstrip("+-")
    body = body.rstrip(".,") if body[:-1].isdigit() else body
    mark = decimal if decimal and decimal in ".," else _decimal_mark(body, three_decimals, text)
    whole, _, part = body.rpartition(mark) if mark and mark in body else (body, "", "")
    groups = re.split(r"[.,']", whole) if whole else ["0"]
    if (part and not part.isdigit()) or not _grouped(groups):
        raise MoneyError(f"{text[:40]!r} is no number")
    return sign * float("".join(groups) + "." + (part or "0"))


def decimal_of(texts: Iterable[str]) -> str:
    """The decimal mark of a column, learnt from the numbers that can only be read one way; ``""`` if none tells.

    :raises MoneyError: the numbers contradict each other
    """
    marks: set[str] = set()
    for text in texts:
        found = _NUMBER.findall(_plain(text))
        if len(found) == 1:
            marks.add(_telling_mark(found[0].strip("+-")))
    marks.discard("")
    if len(marks) > 1:
        raise MoneyError('some numbers use "." and some "," for decimals; say which in the mapping with "decimal"')
    return marks.pop() if marks else ""


def _telling_mark(body: str) -> str:
    """The decimal mark that this number proves, ``""`` if it proves none."""
    try:
        mark = _decimal_mark(body, False, body)
    except MoneyError:
        return ""
    if mark:
        return mark
    repeated = [separator for separator in ".," if body.count(separator) > 1]
    return {".": ",", ",": "."}[repeated[0]] if len(repeated) == 1 else ""


def _decimal_mark(body: str, three_decimals: bool, text: str) -> str:
    dots, commas = body.count("."), body.count(",")
    if dots and commas:
        mark = "." if body.rfind(".") > body.rfind(",") else ","
        if body.count(mark) > 1:
            raise MoneyError(f"{text[:40]!r} is no number")
        return mark
    if dots + commas != 1:
        return ""
    mark = "." if dots else ","
    whole, _, part = body.partition(mark)
    if len(part) == 3 and part.isdigit() and "'" not in whole and 0 < len(whole) <= 3 and whole[0] != "0":
        if three_decimals:
            return mark
        raise Ambiguous(
            f"{text[:40]!r} may be {whole}{part} or {whole}.{part}; write it with decimals, or say in the mapping "
            'which mark divides decimals, such as "decimal": "."'
        )
    return mark


def _grouped(groups: list[str]) -> bool:
    """Whether these are thousands: groups of three, or the Indian twos before a last three."""
    if not all(group.isdigit() for group in groups):
        return False
    if len(groups) == 1:
        return True
    inner = {len(group) for group in groups[1:-1]}
    return 1 <= len(groups[0]) <= 3 and len(groups[-1]) == 3 and (inner <= {3} or inner == {2})


def _currency(before: str, after: str, own: str, text: str) -> str:
    words = [word for word in (part.strip().strip(".-").strip() for part in (before, after)) if word]
    codes = {_code(word, own, text) for word in words}
    if len(codes) > 1:
        raise MoneyError(f"{text[:40]!r} names two currencies")
    return codes.pop() if codes else ""


def _code(word: str, own: str, text: str) -> str:
    if word in SYMBOLS:
        return SYMBOLS[word]
    if word in SHARED_SYMBOLS:
        if own not in SHARED_SYMBOLS[word]:
            raise MoneyError(
                f"{text[:40]!r}: {word} means several currencies, none of them {own or 'said'}; write its code"
            )
        return own
    if len(word) == 3 and word.isascii() and word.isalpha():
        return word.upper()
    raise MoneyError(f"{text[:40]!r} is no price")


def _plain(text: str) -> str:
    """Digits of every script as 0 to 9, marks as ``. , '``; a space counts as a mark only before three digits."""
    digits = text.strip()
    if not digits.isascii():
        digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in digits)
    return _THIN.sub("'", digits).replace("’", "'").replace("٫", ",").replace("٬", "'")

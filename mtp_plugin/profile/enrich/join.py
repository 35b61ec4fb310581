"""From a row of a CRM to a customer and its traits."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from ...errors import SetupError
from ...ports import TraitSource

EMAIL_HASH = "email_hash"
"""The trait that the shop gives a customer so that a CRM can find it by address: ``mtp.hash_email(address)``."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?")
_WORDS = {"true": True, "false": False}


class Row(msgspec.Struct, frozen=True):
    """What a row says: the account's id or the customer's address (or its hash), and traits as they stand there."""

    user_id: str
    email: str
    traits: dict[str, Any]


class Crm(msgspec.Struct, frozen=True, kw_only=True):
    """A CRM and how its rows join with profiles.

    :param name: small letters, digits, ``-`` and ``_``; stands in the origin of its traits, ``crm:<name>``
    :param id: column of the shop's account id
    :param email: column of an e-mail address, or of the hash that the shop gave as the trait ``email_hash``
    :param traits: our names and their columns; empty takes every column but those two
    :param everyone: whether to keep traits of accounts that were never seen here
    :raises SetupError: a name that cannot be one, or neither *id* nor *email*
    """

    name: str
    source: TraitSource
    id: str = ""
    email: str = ""
    traits: dict[str, str] = {}
    everyone: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise SetupError(f"a CRM's name has small letters, digits, - and _, such as hubspot, not {self.name!r}")
        if not self.id and not self.email:
            raise SetupError(f"CRM {self.name!r}: say which column names the customer, id=... or email=...")

    def read(self, row: Mapping[str, Any]) -> Row:
        """What a row says."""
        if self.traits:
            found = {ours: row.get(column) for ours, column in self.traits.items() if column in row}
        else:
            found = {str(name): value for name, value in row.items() if name not in (self.id, self.email)}
        return Row(
            user_id=_text(row.get(self.id)) if self.id else "",
            email=_text(row.get(self.email)) if self.email else "",
            traits={name: plain_value(value) for name, value in found.items() if name},
        )


def plain_value(value: Any) -> Any:
    """A value of a file, database or API as a trait: numbers and truth values as such, nothing as ``None``.

    >>> [plain_value(text) for text in ("3", "01234", " gold ", "true", "")]
    [3, '01234', 'gold', True, None]
    """
    if isinstance(value, str):
        return _of_text(value.strip())
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, (bool, int, list, dict)):
        return value
    return str(value)


def _of_text(text: str) -> Any:
    if not text:
        return None
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None or isinstance(value, bool) else str(value).strip()

"""E-mail addresses and phone numbers as keyed hashes: the same person gives the same hash, the hash gives no person."""

from __future__ import annotations

import hmac
import unicodedata

import phonenumbers

from ..errors import InputError

MIN_KEY = 16
MAX_EMAIL = 254


class Hasher:
    """HMAC-SHA256 under a key of the shop.

    Without the key nobody can find an address by trying all of them. A hash begins with the id of its key, so that
    after a rotation old ones are told from new ones.

    :param key: at least 16 bytes
    :param key_id: short name of the key, letters and digits
    """

    def __init__(self, key: bytes, key_id: str = "k1") -> None:
        if len(key) < MIN_KEY:
            raise ValueError(f"the key of personal data has {len(key)} bytes, at least {MIN_KEY} are needed")
        if not key_id.isalnum():
            raise ValueError(f"key_id must be letters and digits, not {key_id!r}")
        self._key, self.key_id = key, key_id

    def email(self, address: str) -> str:
        """The hash of an e-mail address, such as ``k1:9f86...``.

        :raises InputError: it is none
        """
        return self._hash("email", normal_email(address))

    def phone(self, number: str, region: str = "US") -> str:
        """The hash of a phone number.

        :param region: ISO 3166 code of the country that a number without a country code is of
        :raises InputError: it is none
        """
        return self._hash("phone", normal_phone(number, region))

    def subject(self, profile_id: str) -> str:
        """The hash under which logs speak of a visitor, such as ``k1:9f86...`` for ``u:42``."""
        return self._hash("subject", profile_id)

    def _hash(self, kind: str, value: str) -> str:
        return f"{self.key_id}:{hmac.digest(self._key, f'{kind}:{value}'.encode(), 'sha256').hex()}"


def normal_email(address: str) -> str:
    """Trimmed, NFKC, small letters, the domain in its ASCII form. What stands before the ``@`` is the provider's to
    interpret, so dots and plus signs stay.

    :raises InputError: not an address
    """
    text = unicodedata.normalize("NFKC", address).strip().lower()
    name, at, domain = text.rpartition("@")
    if not at or not name or "@" in name or len(text) > MAX_EMAIL or " " in text or not text.isprintable():
        raise InputError("this is not an e-mail address", field="email")
    try:
        domain = domain.rstrip(".").encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InputError("the part after the @ is not a domain", field="email") from error
    if "." not in domain:
        raise InputError("the part after the @ is not a domain", field="email")
    return f"{name}@{domain}"


def normal_phone(number: str, region: str) -> str:
    """The number in E.164, such as ``+493012345678``.

    :raises InputError: not a possible number
    """
    try:
        parsed = phonenumbers.parse(unicodedata.normalize("NFKC", number), region.upper())
    except phonenumbers.NumberParseException as error:
        raise InputError("this is not a phone number", field="phone") from error
    if not phonenumbers.is_possible_number(parsed):
        raise InputError("this is not a possible phone number", field="phone")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))

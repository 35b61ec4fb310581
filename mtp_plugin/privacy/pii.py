"""E-mail addresses and phone numbers as keyed hashes: the same person gives the same hash, the hash gives no person."""

from __future__ import annotations

import hmac
import ipaddress
import unicodedata
from collections.abc import Mapping

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
    :param older: keys from before rotations by their ids: what they hashed is still found
    """

    def __init__(self, key: bytes, key_id: str = "k1", older: Mapping[str, bytes] | None = None) -> None:
        self._keys = {key_id: key, **(older or {})}
        for name, one in self._keys.items():
            if len(one) < MIN_KEY:
                raise ValueError(f"the key of personal data has {len(one)} bytes, at least {MIN_KEY} are needed")
            if not name.isalnum():
                raise ValueError(f"key_id must be letters and digits, not {name!r}")
        if older and key_id in older:
            raise ValueError(f"two keys are called {key_id!r}")
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

    def emails(self, address: str) -> list[str]:
        """The hash under each key, the newest first: to look for what was hashed before a rotation."""
        return self._each("email", normal_email(address))

    def phones(self, number: str, region: str = "US") -> list[str]:
        """The same of a phone number."""
        return self._each("phone", normal_phone(number, region))

    def subjects(self, profile_id: str) -> list[str]:
        """The same of a visitor's id."""
        return self._each("subject", profile_id)

    def is_stale(self, digest: str) -> bool:
        """Whether a hash was made under an older key and is to be replaced when the value is seen again."""
        return digest.partition(":")[0] != self.key_id

    def _each(self, kind: str, value: str) -> list[str]:
        text = f"{kind}:{value}".encode()
        return [f"{name}:{hmac.digest(key, text, 'sha256').hex()}" for name, key in self._keys.items()]

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


def short_ip(address: str) -> str:
    """An IP address cut so that it names a network and no household: the last byte of IPv4, all but 48 bits of IPv6.

    ``""`` for what is none.
    """
    try:
        parsed = ipaddress.ip_address(address.strip())
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        parsed = mapped
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False).network_address)

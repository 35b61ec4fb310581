"""Strings of IAB Europe's Transparency and Consent Framework, version 2, as far as a shop itself needs them.

https://github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework (TCFv2, "Consent string and
vendor list format"). The shop is the publisher: where a string has the publisher's own segment, that is what counts;
else the purposes consented to in the core. Only consent is read, never legitimate interest.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from ..errors import InputError
from .consent import Purpose

PURPOSES = 24
PUBLISHER_SEGMENT = 3
LONGEST = 8192

NEEDED: dict[Purpose, tuple[int, ...]] = {
    Purpose.FUNCTIONAL: (1,),
    Purpose.ANALYTICS: (1, 8),
    Purpose.PERSONALISATION: (1, 5, 6),
    Purpose.ADVERTISING: (1, 3, 4),
}
"""Which of the framework's purposes each of ours takes: 1 store and read, 3 and 4 a profile for advertising, 5 and 6 a
profile for content, 8 measuring content."""


class TCString(msgspec.Struct, frozen=True, kw_only=True):
    """What a string says. Times are seconds since 1970; ``purposes`` are numbers of the framework's purposes."""

    created: float
    updated: float
    cmp_id: int
    cmp_version: int
    language: str
    vendor_list: int
    policy: int
    country: str
    purposes: frozenset[int]
    publisher: frozenset[int] | None = None
    vendors: frozenset[int] = frozenset()

    def choices(self) -> dict[str, bool]:
        """The decision by our purposes; each is decided, as the framework has no "not yet"."""
        consented = self.purposes if self.publisher is None else self.publisher
        return {purpose.value: consented.issuperset(needed) for purpose, needed in NEEDED.items()}


class _Bits:
    """Reads numbers from the left; what is beyond the end is an error."""

    def __init__(self, segment: str) -> None:
        try:
            read = base64.b64decode(segment.encode("ascii") + b"=" * (-len(segment) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError, UnicodeEncodeError) as error:
            raise InputError("the consent string is not base64url", field="tcf") from error
        self._number, self._length, self._at = int.from_bytes(read, "big"), 8 * len(read), 0

    def take(self, bits: int) -> int:
        self._at += bits
        if self._at > self._length:
            raise InputError("the consent string ends too early", field="tcf")
        return (self._number >> (self._length - self._at)) & ((1 << bits) - 1)

    def flags(self, count: int) -> frozenset[int]:
        """Numbers, from 1, of the bits that are set."""
        return frozenset(number for number in range(1, count + 1) if self.take(1))

    def letters(self, count: int) -> str:
        return "".join(chr(ord("A") + self.take(6) % 26) for _ in range(count))


def decode(text: str) -> TCString:
    """Read a consent string.

    :raises InputError: it is none, or of another version
    """
    if not text or len(text) > LONGEST:
        raise InputError("the consent string is empty or too long", field="tcf")
    core, *others = text.split(".")
    bits = _Bits(core)
    if bits.take(6) != 2:
        raise InputError("only version 2 of the consent string is known", field="tcf")
    head = _head(bits)
    vendors = _vendors(bits)
    publisher = None
    for other in others:
        more = _Bits(other)
        if more.take(3) == PUBLISHER_SEGMENT:
            publisher = more.flags(PURPOSES)
    return msgspec.structs.replace(head, vendors=vendors, publisher=publisher)


def _head(bits: _Bits) -> TCString:
    created, updated = bits.take(36) / 10, bits.take(36) / 10
    cmp_id, cmp_version, _screen = bits.take(12), bits.take(12), bits.take(6)
    language, vendor_list, policy = bits.letters(2), bits.take(12), bits.take(6)
    bits.take(1 + 1 + 12)  # service specific, texts of its own, special features
    purposes = bits.flags(PURPOSES)
    bits.take(PURPOSES + 1)  # legitimate interests, purpose one treatment
    return TCString(
        created=created,
        updated=updated,
        cmp_id=cmp_id,
        cmp_version=cmp_version,
        language=language,
        vendor_list=vendor_list,
        policy=policy,
        country=bits.letters(2),
        purposes=purposes,
    )


def _vendors(bits: _Bits) -> frozenset[int]:
    most = bits.take(16)
    if not bits.take(1):
        return bits.flags(most)
    found: set[int] = set()
    last = 0
    for _ in range(bits.take(12)):
        is_range, start = bits.take(1), bits.take(16)
        end = bits.take(16) if is_range else start
        # In order and apart, as the framework writes them: a short text could otherwise ask for millions of numbers.
        if not last < start <= end <= most:
            raise InputError("the consent string has a range of vendors that is none", field="tcf")
        found.update(range(start, end + 1))
        last = end
    return frozenset(found)

"""Ids that sort by time, and keys that make a repetition recognisable."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import blake2b
from random import Random

_MAX_MS = (1 << 48) - 1
_RANDOM_BITS = 56
_HASH_BITS = 74

RandomBits = Callable[[int], int]
"""Gives that many random bits, as :func:`secrets.randbits` does."""

_chance = Random()  # ids must not repeat, they need not be secret; the system's source costs 30 times as much
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_chance.seed)


def time_ordered_id(now: float, sequence: int = 0, randbits: RandomBits = _chance.getrandbits) -> str:
    """A UUIDv7 (RFC 9562) as 32 hexadecimal digits: 48 bits of milliseconds, 18 of *sequence*, 56 of chance.

    :param now: seconds since 1970
    :param sequence: place within a batch, so that its events keep their order

    >>> time_ordered_id(1.0) < time_ordered_id(1.0, 1) < time_ordered_id(1.0, 5000) < time_ordered_id(2.0)
    True
    """
    return ids_at(now, randbits)(sequence)


def ids_at(now: float, randbits: RandomBits = _chance.getrandbits) -> Callable[[int], str]:
    """Gives such ids of one moment, by their place.

    >>> of_now = ids_at(1.0)
    >>> time_ordered_id(0.5) < of_now(0) < of_now(1) < of_now(63) < of_now(64) < time_ordered_id(1.5)
    True
    """
    start = _uuid(now, 7, 0)

    def of_place(sequence: int) -> str:
        # The variant's two bits stand between the first 12 of the place and its last 6.
        place = (sequence & 0x3FFC0) << 58 | (sequence & 0x3F) << _RANDOM_BITS
        return (start | place | randbits(_RANDOM_BITS)).to_bytes(16, "big").hex()

    return of_place


def made_at(time_ordered: str) -> float | None:
    """When such an id was made, in seconds since 1970, to a thousandth; ``None`` of what is none.

    >>> made_at(time_ordered_id(1.5)), made_at("nonsense")
    (1.5, None)
    """
    try:
        return int(time_ordered[:12], 16) / 1000 if len(time_ordered) == 32 else None
    except ValueError:
        return None


def permanent_id(timestamp: float, key: str) -> str:
    """The id of an imported event, a UUIDv8: 48 bits of its own time, then a hash of what identifies it.

    >>> permanent_id(1.0, "order-1") == permanent_id(1.0, "order-1") != permanent_id(1.0, "order-2")
    True
    """
    digest = blake2b(key.encode(errors="surrogatepass"), digest_size=10).digest()
    return _uuid(timestamp, 8, int.from_bytes(digest, "big") >> (80 - _HASH_BITS)).to_bytes(16, "big").hex()


def dedupe_key(scope: str, profile_id: str, message_id: str) -> str:
    """Recognises a repeated message; *scope* and profile are part of it, so nobody can suppress another's events."""
    key = f"{scope}\x1f{profile_id}\x1f{message_id}"
    try:
        encoded = key.encode()
    except UnicodeEncodeError:  # half a character, which JSON may hold; to allow for it costs the others half as much
        encoded = key.encode(errors="surrogatepass")
    return blake2b(encoded, digest_size=16).hexdigest()


def _uuid(t: float, version: int, rest: int) -> int:
    """*rest* has 74 bits: 12 before the two bits of the variant, 62 after."""
    milliseconds = min(max(int(t * 1000), 0), _MAX_MS)
    high, low = rest >> 62, rest & (1 << 62) - 1
    return milliseconds << 80 | version << 76 | high << 64 | 0b10 << 62 | low

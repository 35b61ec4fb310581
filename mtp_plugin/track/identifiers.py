"""Ids that sort by time, and keys that make a repetition recognisable."""

from __future__ import annotations

import os
from hashlib import blake2b
from random import Random

_MAX_MS = (1 << 48) - 1
_chance = Random()  # noqa: S311  ids must not repeat, they need not be secret; the system's source costs 30 times as much
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_chance.seed)


def time_ordered_id(now: float, sequence: int = 0) -> str:
    """32 hexadecimal digits: 48 bits of milliseconds, 16 of *sequence*, 64 of chance.

    :param now: seconds since 1970
    :param sequence: place within a batch, so that its events keep their order

    >>> time_ordered_id(1.0) < time_ordered_id(1.0, 1) < time_ordered_id(2.0)
    True
    """
    return f"{_milliseconds(now):012x}{sequence & 0xFFFF:04x}{_chance.getrandbits(64):016x}"


def permanent_id(timestamp: float, key: str) -> str:
    """The id of an imported event: 48 bits of its own time, then a hash of what identifies it.

    >>> permanent_id(1.0, "order-1") == permanent_id(1.0, "order-1")
    True
    """
    return f"{_milliseconds(timestamp):012x}{blake2b(key.encode(), digest_size=10).hexdigest()}"


def dedupe_key(scope: str, profile_id: str, message_id: str) -> str:
    """Recognises a repeated message; *scope* and profile are part of it, so nobody can suppress another's events."""
    return blake2b("\x1f".join((scope, profile_id, message_id)).encode(), digest_size=16).hexdigest()


def _milliseconds(t: float) -> int:
    return min(max(int(t * 1000), 0), _MAX_MS)

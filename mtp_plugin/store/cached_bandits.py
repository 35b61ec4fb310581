"""What bandits have learnt, read once for all machines: one worker reads a version, the others take its copy.

The sums and their version are in the database alone. A copy is named by the version it was read at, so there is none
that could be old, nothing is lost with the cache, and a cache that is away costs a query.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..ports import Advance, BanditState, BanditSum, Cache

LIFE = 600
"""Seconds for which a copy is kept: workers look every few seconds."""


class CachedBandits:
    """Implements :class:`mtp_plugin.ports.BanditState`."""

    def __init__(self, state: BanditState, cache: Cache) -> None:
        self._state, self._cache = state, cache
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[BanditSum])

    def version(self) -> int:
        return self._state.version()

    def sums(self, policy: str) -> list[BanditSum]:
        key = f"bandit:{self._state.version()}:{policy}"
        copy = self._cache.get(key)
        if copy is not None:
            try:
                return self._decoder.decode(copy)
            except msgspec.MsgspecError:
                pass  # of another version of the plugin
        sums = self._state.sums(policy)
        self._cache.set(key, self._encoder.encode(sums), LIFE)
        return sums

    def add(self, sums: Sequence[BanditSum], *, advance: Advance | None = None, now: float = 0.0) -> bool:
        return self._state.add(sums, advance=advance, now=now)

    def settle(self, policy: str, before: int, discount: float) -> int:
        return self._state.settle(policy, before, discount)

    def reset(self, policy: str) -> int:
        return self._state.reset(policy)

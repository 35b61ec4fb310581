"""What bandits have learnt, in a dictionary."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ...ports import Advance, BanditSum, Cursors

Key = tuple[str, str, str, int, int]


class MemoryBandits:
    """Implements :class:`mtp_plugin.ports.BanditState`.

    :param cursors: moved together with the sums
    """

    def __init__(self, cursors: Cursors | None = None) -> None:
        self._lock = threading.Lock()
        self._cursors = cursors
        self._positions: dict[str, str] = {}
        self._sums: dict[Key, float] = {}
        self._version = 0

    def version(self) -> int:
        return self._version

    def sums(self, policy: str) -> list[BanditSum]:
        with self._lock:
            return [BanditSum(*key, value) for key, value in self._sums.items() if key[0] == policy]

    def add(self, sums: Sequence[BanditSum], *, advance: Advance | None = None, now: float = 0.0) -> bool:
        with self._lock:
            if advance and not self._moved(advance, now):
                return False
            if sums:
                self._added(sums)
        return True

    def _moved(self, advance: Advance, now: float) -> bool:
        here = self._cursors.get(advance.name) if self._cursors else self._positions.get(advance.name, "")
        if here != advance.before:
            return False
        if self._cursors:
            self._cursors.put(advance.name, advance.after, now)
        self._positions[advance.name] = advance.after
        return True

    def _added(self, sums: Sequence[BanditSum]) -> None:
        for one in sums:
            key = (one.policy, one.segment_id, one.arm, one.day, one.cell)
            self._sums[key] = self._sums.get(key, 0.0) + one.value
        self._version += 1

    def settle(self, policy: str, before: int, discount: float) -> int:
        with self._lock:
            old = [key for key in self._sums if key[0] == policy and key[3] < before]
            rows = [BanditSum(*key, self._sums.pop(key)) for key in old]
            if rows:
                self._added([one.moved(before, discount) for one in rows])
        return len(rows)

    def reset(self, policy: str) -> int:
        with self._lock:
            old = [key for key in self._sums if key[0] == policy]
            for key in old:
                del self._sums[key]
            self._version += 1
        return len(old)

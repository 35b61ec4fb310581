"""What is remembered because it is cheaper than to find it again, up to a number of entries."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """A mapping that forgets everything when it is full: what is needed is soon back, and a hit costs next to nothing.

    Threads may share it: the worst that can happen is that something is found again.

    :param limit: most entries
    """

    __slots__ = ("_entries", "_limit", "get")

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        self._limit = limit
        self._entries: dict[K, V] = {}
        self.get = self._entries.get
        """The value of a key, or ``None``."""

    def keep(self, key: K, value: V) -> V:
        """Remember a value; gives it."""
        if len(self._entries) >= self._limit:
            self._entries.clear()
        self._entries[key] = value
        return value

    def forget(self, key: K) -> None:
        """Remember this key no longer."""
        self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)

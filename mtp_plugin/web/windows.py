"""Counters of fixed windows in the process.

``limits`` brings a memory storage of its own, but that one starts a thread every hundredth of a second under load, to
look through all keys; here the work is the same for every hit and memory is bounded.
"""

from __future__ import annotations

import threading
import time

from limits.storage import Storage

MOST_KEYS = 100_000


class WindowStorage(Storage):
    """A :class:`limits.storage.Storage` for :class:`limits.strategies.FixedWindowRateLimiter`.

    When *most* keys are held the ended windows are thrown out, and if that is not enough all of them: forgetting a
    count lets somebody through once more, which is better than running out of memory.
    """

    STORAGE_SCHEME = None

    def __init__(self, most: int = MOST_KEYS) -> None:
        if most < 1:
            raise ValueError(f"most must be at least 1, not {most}")
        super().__init__()
        self._most = most
        self._windows: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count a hit; gives the hits of the window that runs."""
        now = time.monotonic()
        with self._lock:
            count, ends = self._windows.get(key, (0, 0.0))
            if ends <= now:
                self._make_room(now)
                count, ends = 0, now + expiry
            self._windows[key] = (count + amount, ends)
            return count + amount

    def _make_room(self, now: float) -> None:
        if len(self._windows) < self._most:
            return
        self._windows = {key: window for key, window in self._windows.items() if window[1] > now}
        if len(self._windows) >= self._most:
            self._windows.clear()

    def get(self, key: str) -> int:
        """Hits of the window that runs."""
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since 1970."""
        left = self._windows.get(key, (0, 0.0))[1] - time.monotonic()
        return time.time() + max(0.0, left)

    def check(self) -> bool:
        """Always well."""
        return True

    def reset(self) -> int:
        """Forget all counts; gives how many there were."""
        with self._lock:
            count = len(self._windows)
            self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget one count."""
        with self._lock:
            self._windows.pop(key, None)

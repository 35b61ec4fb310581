"""One makes what many want at the same moment: the others wait for it, a little while."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Flights:
    """Who makes what, among the threads of this process.

    :param patience: seconds that others wait at most; then they make it themselves
    """

    def __init__(self, patience: float = 0.05) -> None:
        self._patience, self._lock = patience, threading.Lock()
        self._made: dict[Hashable, threading.Event] = {}

    @contextmanager
    def first(self, key: Hashable) -> Iterator[bool]:
        """Whether the caller makes it; ``False``: somebody else did, or has taken too long.

        Others with the same key wait before the block begins, until the first leaves it.
        """
        with self._lock:
            event = self._made.get(key)
            leads = event is None
            if event is None:
                event = self._made[key] = threading.Event()
        if not leads:
            event.wait(self._patience)
            yield False
            return
        try:
            yield True
        finally:
            with self._lock:
                del self._made[key]
            event.set()

    def __len__(self) -> int:
        return len(self._made)

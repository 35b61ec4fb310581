"""One makes what many want at the same moment: the others wait for it, a little while."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from .fork import after_fork


class Flights:
    """Who makes what, among the threads of this process."""

    def __init__(self) -> None:
        self._reset()
        after_fork(self._reset)  # nobody there makes what a thread of the parent began

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[Hashable, threading.Event] = {}

    @contextmanager
    def first(self, key: Hashable, deadline: float) -> Iterator[bool]:
        """Whether the caller makes it; ``False``: somebody else did, or has taken too long.

        Others with the same key wait before the block begins, until the first leaves it or the deadline is there.

        :param deadline: by ``time.perf_counter``
        """
        with self._lock:
            event = self._made.get(key)
            leads = event is None
            if event is None:
                event = self._made[key] = threading.Event()
        if not leads:
            left = deadline - time.perf_counter()
            event.wait(min(max(left, 0.0), threading.TIMEOUT_MAX))
            yield False
            return
        try:
            yield True
        finally:
            with self._lock:
                self._made.pop(key, None)  # not there in a child that was forked in between
            event.set()

    def __len__(self) -> int:
        return len(self._made)

"""One makes what many want at the same moment: the others wait for it, a little while."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Flights:
    """Who makes what, among the threads of this process."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._process, self._lock = os.getpid(), threading.Lock()
        self._made: dict[Hashable, threading.Event] = {}

    @contextmanager
    def first(self, key: Hashable, deadline: float) -> Iterator[bool]:
        """Whether the caller makes it; ``False``: somebody else did, or has taken too long.

        Others with the same key wait before the block begins, until the first leaves it or the deadline is there.

        :param deadline: by ``time.perf_counter``
        """
        if self._process != os.getpid():
            self._reset()  # nobody here makes what a thread of the parent began
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
                del self._made[key]
            event.set()

    def __len__(self) -> int:
        return len(self._made)

"""Answers from far away that nobody waits for: what is known is given at once, what is not is fetched afterwards."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from ..errors import UnavailableError
from ..fork import after_fork
from .background import Background
from .breaker import Breaker

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LIMIT = 5000
"""Answers remembered."""
WAITING = 200
"""Most questions waiting to be asked."""
STALE = 2.0
"""For how many times its span an old answer is better than none, while a new one is fetched or cannot be."""


class Later(Generic[K, V]):
    """Remembers answers for *seconds*; fetches in one thread of its own, behind a circuit breaker.

    A question is asked once however many wait for it. An answer of ``None`` (nobody knows) is remembered as well.

    :param name: of who answers, for the log
    :param fetch: asks and waits; any exception counts as a failure
    :param seconds: how long an answer holds
    :param clock: seconds that only go forward
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[K], V | None],
        *,
        seconds: float,
        pause: float = 10.0,
        longest: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if seconds <= 0:
            raise ValueError(f"seconds must be positive, not {seconds}")
        self._fetch, self._seconds, self._clock = fetch, seconds, clock
        self._breaker = Breaker(name, pause=pause, longest=longest, clock=clock)
        self._known: dict[K, tuple[float, V | None]] = {}
        self._reset()
        after_fork(self._reset)
        self._queue: Background[K] = Background(f"mtp-{name}", self._work, limit=WAITING, group=1)

    def _reset(self) -> None:
        # In a forked child nobody answers what the parent asked.
        self._lock = threading.Lock()
        self._asked: set[K] = set()

    def get(self, key: K) -> V | None:
        """What is known now; if that is too old or nothing, it is asked for after this returns."""
        known, now = self._known.get(key), self._clock()
        if known is not None and now - known[0] < self._seconds:
            return known[1]
        if key not in self._asked and self._breaker.closed:
            self._ask(key)
        return known[1] if known is not None and now - known[0] < STALE * self._seconds else None

    @property
    def trouble(self) -> str:
        """What the last try said if it failed, else ``""``."""
        return self._breaker.trouble if self._breaker.failing else ""

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was asked for is answered or given up; gives whether it is."""
        return self._queue.flush(timeout)

    def close(self) -> None:
        """Ask no more of what waits."""
        with self._lock:
            self._asked.clear()
        self._queue.close(timeout=1.0)

    def _ask(self, key: K) -> None:
        with self._lock:
            if key in self._asked or len(self._asked) >= WAITING:
                return
            self._asked.add(key)
        self._queue.put(key)

    def _work(self, keys: list[K]) -> None:
        for key in keys:
            try:
                self._answer(key)
            finally:
                with self._lock:
                    self._asked.discard(key)

    def _answer(self, key: K) -> None:
        if not self._breaker.admits():
            return
        try:
            value = self._fetch(key)
        except Exception as error:  # whoever answers may say anything
            self._breaker.failed(error if isinstance(error, UnavailableError) else UnavailableError(str(error)))
            return
        self._breaker.succeeded()
        with self._lock:
            if len(self._known) >= LIMIT:
                self._known.clear()
            self._known[key] = (self._clock(), value)

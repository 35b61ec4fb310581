"""What there was no time for while a visitor waited, made by a thread and had by whoever asks next."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from .fork import after_fork

log = logging.getLogger(__name__)

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Made(Generic[V]):
    """What was made, how many seconds that took, and when it was done, by ``time.monotonic``."""

    value: V
    took: float
    at: float


class Afterwards(Generic[V]):
    """Makes one thing after the other in a thread, which lives while there is work.

    :param seconds: for which what was made waits to be taken
    :param limit: most things that are wanted, and most that wait to be taken; what is more is not made
    """

    def __init__(self, seconds: float, *, limit: int = 64) -> None:
        self._seconds, self._limit = seconds, limit
        self._reset()
        after_fork(self._reset)  # the thread is the parent's

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[Hashable, Callable[[], V]] = {}
        self._made: dict[Hashable, Made[V]] = {}
        self._thread: threading.Thread | None = None

    def want(self, key: Hashable, make: Callable[[], V]) -> None:
        """Have it made, once however many want it; returns at once."""
        with self._lock:
            if key in self._wanted or len(self._wanted) >= self._limit:
                return
            self._wanted[key] = make
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="mtp-afterwards", daemon=True)
                self._thread.start()

    def take(self, key: Hashable) -> Made[V] | None:
        """What was made under this key, for one who takes it; ``None`` where there is nothing, or it is too old."""
        made = self._made.pop(key, None) if self._made else None
        return made if made is not None and time.monotonic() - made.at < self._seconds else None

    def _work(self) -> None:
        while (key := self._next()) is not None:
            began = time.monotonic()
            try:
                value = self._wanted[key]()
            except Exception:
                log.exception("what there was no time for could not be made afterwards")
            else:
                ended = time.monotonic()
                self._keep(key, Made(value, ended - began, ended))
            with self._lock:
                del self._wanted[key]

    def _next(self) -> Hashable | None:
        with self._lock:
            key = next(iter(self._wanted), None)
            if key is None:
                self._thread = None
            return key

    def _keep(self, key: Hashable, made: Made[V]) -> None:
        if len(self._made) >= self._limit:
            self._made.clear()  # nobody came for them
        self._made[key] = made

    def __len__(self) -> int:
        return len(self._wanted)

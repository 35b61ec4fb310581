"""Connecting in a thread of its own: looking a name up and shaking hands know no deadline, a page does."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from ..fork import after_fork

T = TypeVar("T")
LOOK_S = 0.1
"""How often somebody who waits for long looks whether there is still hope."""
KEPT_S = 30.0
"""For how long what came late is kept: a server may have been started anew since, and nobody would notice."""


class _Answer(Generic[T]):
    """What a thread made, or the error it met; ``given_up`` when nobody waits for it any more."""

    def __init__(self) -> None:
        self.done, self.given_up = threading.Event(), False
        self.value: T | None = None
        self.error: Exception | None = None


class Ahead(Generic[T]):
    """Makes what takes an unknown time; who cannot wait goes on without, and what comes late is for the next.

    :param limit: most that are kept for the next; what is more is thrown away by *end*
    :param end: closes one
    :param kept_s: seconds for which they are kept
    :param clock: seconds that only go forward
    """

    def __init__(
        self,
        end: Callable[[T], object],
        limit: int = 10,
        kept_s: float = KEPT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._end, self._limit, self._kept_s, self._clock = end, limit, kept_s, clock
        self._inherited: list[object] = []
        self._reset()
        after_fork(self._reset_in_child)

    def _reset(self) -> None:
        self._lock, self._late = threading.Lock(), deque[tuple[float, T]]()

    def _reset_in_child(self) -> None:
        self._inherited.append(self._late)  # the parent's: neither used nor closed
        self._reset()

    def get(self, make: Callable[[], T], seconds: float, hopeless: Callable[[], bool] = lambda: False) -> T | None:
        """What *make* gives, or ``None`` when that takes longer or is hopeless meanwhile; raises what it raises."""
        found = self._kept()
        if found is not None:
            return found
        answer = _Answer[T]()
        threading.Thread(target=self._make, args=(make, answer), name="mtp-connect", daemon=True).start()
        end = time.monotonic() + seconds
        while not answer.done.wait(max(0.0, min(LOOK_S, end - time.monotonic()))):
            if time.monotonic() >= end or hopeless():
                break
        with self._lock:
            answer.given_up = not answer.done.is_set()
        if answer.error is not None:
            raise answer.error
        return answer.value

    def _kept(self) -> T | None:
        """The latest of what came late, if it is young enough; what is older is closed."""
        with self._lock:
            if self._late and self._clock() - self._late[-1][0] <= self._kept_s:
                return self._late.pop()[1]
        self.close()
        return None

    def _make(self, make: Callable[[], T], answer: _Answer[T]) -> None:
        try:
            value = make()
        except Exception as error:
            answer.error = error
            answer.done.set()
            return
        with self._lock:
            if not answer.given_up:
                answer.value = value
                answer.done.set()
                return
            if len(self._late) < self._limit:
                self._late.append((self._clock(), value))
                return
        self._end(value)

    def close(self) -> None:
        """Throw away what came late."""
        with self._lock:
            late, self._late = self._late, deque()
        for _, one in late:
            self._end(one)

"""A thread that writes what others hand it; handing over never waits, and what is too much is dropped and counted."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import UnavailableError
from ..fork import after_fork

log = logging.getLogger(__name__)

T = TypeVar("T")
PAUSE = 0.5
"""Seconds between two tries while the store is away."""
GATHER = 0.1
"""Seconds that a first item waits for others. One write then takes many, and the thread, each of whose turns keeps
requests from the interpreter, seldom runs."""


class Background(Generic[T]):
    """A bounded queue and its thread, which starts with the first item, in each process anew.

    :param write: stores a list of items; may raise :class:`UnavailableError`, then it is tried again
    :param limit: most items waiting; beyond it the oldest are dropped
    :param group: most items of one write
    """

    def __init__(self, name: str, write: Callable[[list[T]], None], *, limit: int = 10_000, group: int = 500) -> None:
        if limit < 1 or group < 1:
            raise ValueError(f"limit and group must be positive, not {limit} and {group}")
        self._name, self._write, self._limit, self._group = name, write, limit, group
        self.lost = 0
        self.watch: Callable[[int, int], None] = lambda waiting, lost: None
        """Told by the thread, never by who hands over, how many items wait and how many were lost by now."""
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        # In a forked child what waits is the parent's to write.
        self._queue: deque[T] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._writing = 0
        self._closing = False
        self._waiting = 0
        self._thread: threading.Thread | None = None

    def put(self, item: T) -> None:
        """Hand over an item; returns at once."""
        with self._changed:
            if len(self._queue) >= self._limit:
                self._queue.popleft()
                self._count_lost(1, "the queue was full")
            self._queue.append(item)
            if self._thread is None:
                self._closing = False
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
            if len(self._queue) in (1, self._group):
                self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until everything handed over is written, *timeout* seconds at most; gives whether it is."""
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._queue and not self._writing, timeout)
            finally:
                self._waiting -= 1

    def close(self, timeout: float = 5.0) -> None:
        """Write what waits, *timeout* seconds at most, and end the thread; a later :meth:`put` starts it again."""
        with self._changed:
            thread, self._closing = self._thread, True
            self._changed.notify_all()
        if thread is None:
            return
        thread.join(timeout)
        if self._queue or self._writing:
            log.warning("%s: %d entries were not written before the end", self._name, len(self._queue) + self._writing)

    def _loop(self) -> None:
        while True:
            items = self._next()
            if not items:
                return
            self._tell()
            self._store(items)
            with self._changed:
                self._writing = 0
                self._changed.notify_all()
            self._tell()

    def _tell(self) -> None:
        try:
            self.watch(len(self._queue) + self._writing, self.lost)
        except Exception:  # figures must not end the writing
            log.exception("%s: its figures could not be told", self._name)

    def _next(self) -> list[T]:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            self._changed.wait_for(self._must_write, GATHER)
            items = [self._queue.popleft() for _ in range(min(len(self._queue), self._group))]
            self._writing = len(items)
            if not items:
                self._thread = None
            return items

    def _must_write(self) -> bool:
        return bool(self._closing or self._waiting or len(self._queue) >= self._group)

    def _store(self, items: list[T]) -> None:
        while True:
            try:
                self._write(items)
                return
            except UnavailableError as error:
                if self._closing or len(self._queue) >= self._limit:
                    self._lose(items, str(error))
                    return
                self._tell()
                time.sleep(PAUSE)
            except Exception:
                log.exception("%s: entries could not be written", self._name)
                self._lose(items, "they cannot be stored")
                return

    def _lose(self, items: list[T], why: str) -> None:
        with self._changed:
            self._count_lost(len(items), why)

    def _count_lost(self, number: int, why: str) -> None:
        before, self.lost = self.lost, self.lost + number
        if before == 0 or before // 1000 != self.lost // 1000:
            log.warning("%s: %d entries lost so far, now because %s", self._name, self.lost, why)

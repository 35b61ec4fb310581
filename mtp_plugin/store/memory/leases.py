"""Leases in a dictionary: they hold among the threads of one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ...ports import JobRun


class MemoryLeases:
    """Implements :class:`mtp_plugin.ports.Leases`.

    :param clock: seconds since 1970
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.time
        self._lock = threading.Lock()
        self._held: dict[str, tuple[str, float]] = {}
        self._runs: dict[str, JobRun] = {}

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        with self._lock:
            now = self._clock()
            owner, until = self._held.get(name, (holder, 0.0))
            if owner != holder and now < until <= now + 2 * seconds:
                return False
            self._held[name] = (holder, now + seconds)
            return True

    def release(self, name: str, holder: str) -> None:
        with self._lock:
            if self._held.get(name, ("", 0.0))[0] == holder:
                del self._held[name]

    def record_run(self, run: JobRun) -> None:
        self._runs[run.name] = run

    def last_runs(self) -> dict[str, JobRun]:
        return dict(sorted(self._runs.items()))

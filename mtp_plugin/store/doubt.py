"""A server that is slow or away is asked by a thread of its own, not by one visitor after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ..fork import after_fork

log = logging.getLogger(__name__)


class Doubt:
    """Who finds a server late raises it; it stays until the thread finds the server well again.

    :param name: what it is about, for the log
    :param is_well: asks the server; slow answers count as no. Must not raise
    :param pause: seconds between two tries of the thread; the first comes at once
    """

    def __init__(self, name: str, is_well: Callable[[], bool], *, pause: float = 0.5) -> None:
        self._name, self._is_well, self._pause = name, is_well, pause
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._lock, self._raised, self._closing = threading.Lock(), False, False
        self._lowered = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def raised(self) -> bool:
        """Whether the server is not to be asked now."""
        return self._raised

    def rise(self, why: str) -> None:
        """The server is late."""
        with self._lock:
            if self._raised:
                return
            self._raised = True
            self._lowered.clear()
            self._thread = threading.Thread(target=self._watch, name="mtp-doubt", daemon=True)
            self._thread.start()
        log.warning("%s answers too late for pages, they go on without: %s", self._name, why)

    def _watch(self) -> None:
        while not self._is_well():
            if self._closing:
                return
            time.sleep(self._pause)
        self._raised = False
        self._lowered.set()
        log.warning("%s answers in time again", self._name)

    def wait(self, seconds: float) -> bool:
        """Wait a while for it to be found well; gives whether it was."""
        return self._lowered.wait(max(0.0, seconds))

    def close(self) -> None:
        """Leave the server alone; what was raised stays raised no longer."""
        thread, self._closing = self._thread, True
        if thread is not None:
            thread.join()
        self._reset()

"""A circuit breaker: a dead server costs one timeout, not one a page."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


def first_line(error: BaseException) -> str:
    """What an error says, without what its library adds; that of the driver if another library wrapped it."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


class Breaker:
    """Open after a failure for *pause* seconds, twice as long after each further one, *longest* at most.

    After a pause one caller may try, the others are refused until that one knows more, or for as long as *longest*.

    One log line when it opens and one when it closes, however many calls there are between.

    :param name: what it guards, for the log
    """

    def __init__(
        self, name: str, *, pause: float = 0.5, longest: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not 0 < pause <= longest:
            raise ValueError(f"pause must be positive and at most longest ({longest}), not {pause}")
        self._name, self._pause, self._longest, self._clock = name, pause, longest, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0
        self.openings = 0
        """How often it has opened."""
        self.trouble = ""
        """What the last failure said."""

    @property
    def closed(self) -> bool:
        """Whether it would make sense to try."""
        return self._failures == 0 or self._clock() >= self._until

    def admits(self) -> bool:
        """Whether the caller may try now; who was let in while it is failing tries for all."""
        if self._failures == 0:
            return True
        with self._lock:
            now = self._clock()
            if self._failures and now < self._until:
                return False
            self._until = now + self._longest
            return True

    @property
    def failing(self) -> bool:
        """Whether the last try failed."""
        return self._failures > 0

    def failed(self, error: BaseException) -> None:
        """Note a failure."""
        with self._lock:
            if self._failures == 0:
                self.openings += 1
                log.warning("%s cannot be reached, going on without: %s", self._name, first_line(error))
            self.trouble = first_line(error)
            pause = min(self._pause * 2.0 ** min(self._failures, 30), self._longest)
            self._failures += 1
            self._until = self._clock() + pause

    def succeeded(self) -> None:
        """Note a success."""
        if self._failures:
            with self._lock:
                self._failures = 0
            log.warning("%s can be reached again", self._name)

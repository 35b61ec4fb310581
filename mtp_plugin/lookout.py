"""Looks for what others changed, off the path of requests: who passes by has it done and goes on with what is known."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .errors import UnavailableError
from .fork import after_fork
from .patience import is_patient, left

log = logging.getLogger(__name__)

STALE_S = 0.05
"""How long somebody waits at most where nothing is known, or nobody has passed by for long."""
LONG = 10
"""Spans between two looks after which what is known is old."""


class Lookout:
    """Calls *look* at most every *every* seconds: in the caller where that may be late, else in a thread.

    A look that finds the store away is logged; what was known holds.

    :param name: of what is looked for, in the log
    :param clock: seconds that only go forward
    """

    def __init__(
        self, name: str, look: Callable[[], None], every: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._look, self._every, self._clock = name, look, every, clock
        self._due = self._succeeded = float("-inf")
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def seen(self) -> bool:
        """Whether a look has ever succeeded."""
        return self._succeeded > float("-inf")

    def pass_by(self) -> None:
        """Look if it is time to."""
        now = self._clock()
        if now >= self._due:
            self._begin(now)

    def _begin(self, now: float) -> None:
        self._due = now + self._every
        if is_patient():
            self.look_now()
            return
        thread = self._looking()
        if now - self._succeeded > LONG * self._every:
            thread.join(max(0.0, left(STALE_S)))

    def _looking(self) -> threading.Thread:
        """The thread that looks; of several who come at one moment one starts it."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self.look_now, name=f"mtp-{self._name}", daemon=True)
                self._thread.start()
            return self._thread

    def look_now(self) -> None:
        """Look in this thread; if that cannot be, say so in the log."""
        try:
            self.must_look()
        except UnavailableError as error:
            log.warning("%s could not be read, going by the last known: %s", self._name, error)
        except Exception:
            log.exception("%s could not be read, going by the last known", self._name)

    def must_look(self) -> None:
        """Look in this thread.

        :raises UnavailableError: the store is away
        """
        self._due = self._clock() + self._every
        self._look()
        self._succeeded = self._clock()

"""Group commit: while one thread waits for the disk, others queue, and the next takes all of them along."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ..errors import UnavailableError
from ..fork import after_fork

T = TypeVar("T")
STUCK_S = 3.0
"""A group that takes longer is stuck: nobody else waits for it."""


class _Ticket(Generic[T]):
    """One item and the thread that waits with it, until it is run or is to run the next group."""

    __slots__ = ("done", "error", "item", "leads", "wake")

    def __init__(self, item: T) -> None:
        self.item, self.done, self.leads = item, False, False
        self.error: BaseException | None = None
        self.wake = threading.Lock()
        self.wake.acquire()


class Turns(Generic[T]):
    """Runs items one group after the other, each in a thread that brought one of them.

    :param run: takes the items of a group; gives for each ``None`` or the error that is its own. What it raises
        befell the whole group
    :param largest: most items of a group
    :param stuck_s: seconds after which a group that is being run keeps only its own thread: a store that stands still
        must not take all threads of a process
    """

    def __init__(
        self,
        run: Callable[[Sequence[T]], Sequence[BaseException | None]],
        largest: int = 64,
        stuck_s: float = STUCK_S,
    ) -> None:
        if largest < 1 or stuck_s <= 0:
            raise ValueError(f"largest must be at least 1 and stuck_s positive, not {largest} and {stuck_s}")
        self._run, self._largest, self._stuck_s = run, largest, stuck_s
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._waiting: deque[_Ticket[T]] = deque()
        self._lock, self._busy, self._began = threading.Lock(), False, float("inf")

    def take(self, item: T) -> None:
        """Wait for the turn and have *item* run; raises its error.

        :raises UnavailableError: the group that is being run is stuck; whether the item was run is not known
        """
        ticket = _Ticket(item)
        with self._lock:
            self._refuse_if_stuck()
            self._waiting.append(ticket)
            ticket.leads, self._busy = not self._busy, True
        try:
            if not ticket.leads:
                self._wait(ticket)
            if not ticket.done:
                self._run_group()
        finally:
            self._leave(ticket)
        if ticket.error is not None:
            raise ticket.error

    def _refuse_if_stuck(self) -> None:
        if time.monotonic() - self._began > self._stuck_s:
            raise UnavailableError("the store has not answered for a while; send it again")

    def _wait(self, ticket: _Ticket[T]) -> None:
        while not ticket.wake.acquire(timeout=self._stuck_s):
            with self._lock:
                if not ticket.leads and not ticket.done:
                    self._refuse_if_stuck()

    def _run_group(self) -> None:
        """Run the next items; whoever leads is the first who waits, so its own is among them."""
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._largest))]
            self._began = time.monotonic()
        errors: Sequence[BaseException | None] = ()
        try:
            errors = self._run([ticket.item for ticket in group])
        except BaseException as error:
            if not isinstance(error, Exception):  # an interrupt is the leader's alone
                errors = [UnavailableError("what was to be stored was interrupted; send it again")] * len(group)
                raise
            errors = [error] * len(group)
        finally:
            self._began = float("inf")
            for ticket, own in zip(group, errors, strict=True):
                ticket.error, ticket.done = own, True
                ticket.wake.release()

    def _leave(self, ticket: _Ticket[T]) -> None:
        """Hand the lead on, also when the thread is interrupted while it waits."""
        with self._lock:
            if not ticket.done and ticket in self._waiting:
                self._waiting.remove(ticket)
            if not ticket.leads:
                return
            self._busy = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].wake.release()

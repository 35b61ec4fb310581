"""Group commit: while one thread waits for the disk, others queue, and the next takes all of them along."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from .fork import after_fork

T = TypeVar("T")


class _Ticket(Generic[T]):
    __slots__ = ("done", "error", "item")

    def __init__(self, item: T) -> None:
        self.item, self.done = item, False
        self.error: BaseException | None = None


class Turns(Generic[T]):
    """Runs items one group after the other.

    :param run: takes the items of a group; gives for each ``None`` or the error that is its own. What it raises
        befell the whole group
    :param largest: most items of a group
    """

    def __init__(self, run: Callable[[Sequence[T]], Sequence[BaseException | None]], largest: int = 64) -> None:
        if largest < 1:
            raise ValueError(f"largest must be at least 1, not {largest}")
        self._run, self._largest = run, largest
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._waiting: deque[_Ticket[T]] = deque()
        self._turn = threading.Lock()

    def take(self, item: T) -> None:
        """Wait for the turn and have *item* run; raises its error."""
        ticket = _Ticket(item)
        self._waiting.append(ticket)
        while not ticket.done:
            with self._turn:
                if not ticket.done:
                    self._run_group()
        if ticket.error is not None:
            raise ticket.error

    def _run_group(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._largest))]
        try:
            errors = self._run([ticket.item for ticket in group])
        except BaseException as error:
            errors = [error] * len(group)
            if not isinstance(error, Exception):
                self._finish(group, errors)
                raise
        self._finish(group, errors)

    @staticmethod
    def _finish(group: Sequence[_Ticket[T]], errors: Sequence[BaseException | None]) -> None:
        for ticket, error in zip(group, errors, strict=True):
            ticket.error = error
            ticket.done = True

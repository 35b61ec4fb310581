"""Whether somebody's page waits for what is being read, and until when: what nobody waits for may take its time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LATE, AGAIN, OPEN = -math.inf, math.nan, math.inf
"""In place of an end: late answers are taken; so they are, but who asks will ask again; there is no end yet."""
_until: ContextVar[float | None] = ContextVar("mtp_until", default=None)
"""By ``time.monotonic``; ``None`` where nobody waits."""

LONGEST_S = 3.0
"""Longest silence that a request bears for what must be had: a store that stands still must not take all threads."""


def hurry() -> None:
    """A page is being made: from here on somebody waits, until :func:`rest`."""
    _until.set(OPEN)


def rest() -> None:
    """Nobody waits any more."""
    _until.set(None)


@contextmanager
def patiently(*, resent: bool = False) -> Iterator[None]:
    """Within a request, for what must be had even if late: events that are to be kept, versions looked for.

    :param resent: who sends it sends it again when it is refused, so that nobody waits for a store that stands still
    """
    token = _until.set(None if _until.get() is None else AGAIN if resent else LATE)
    try:
        yield
    finally:
        _until.reset(token)


class within:
    """Where somebody waits, all that is done in here together may keep them for so long.

    Everything that asks another process goes by :func:`left`. Within another one the earlier end counts.

    :param seconds: such as the latency budget of a block
    """

    __slots__ = ("_before", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before = before = _until.get()
        if before is not None and before > LATE:
            _until.set(min(before, time.monotonic() + self._seconds))

    def __exit__(self, *error: object) -> None:
        _until.set(self._before)


def left(most: float) -> float:
    """The seconds for which the caller may wait for an answer, *most* at most; not above 0 when the time is over."""
    until = _until.get()
    if until is None or until == OPEN:
        return most
    return min(most, until - time.monotonic() if until > LATE else LONGEST_S)


def is_patient() -> bool:
    """Whether late answers are taken here: always outside of requests, as in jobs, commands and at the start."""
    until = _until.get()
    return until is None or not until > LATE


def is_awaited() -> bool:
    """Whether a request waits for what is done here, patiently or not."""
    return _until.get() is not None


def is_bounded() -> bool:
    """Whether somebody waits and an end was set, see :class:`within`."""
    until = _until.get()
    return until is not None and math.isfinite(until)


def is_resent() -> bool:
    """Whether what a request brings comes again when it is refused."""
    until = _until.get()
    return until is not None and until != until  # the marker is no number

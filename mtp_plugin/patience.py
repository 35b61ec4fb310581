"""Whether somebody's page waits for what is being read: what nobody waits for may take the time that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_hurried: ContextVar[bool] = ContextVar("mtp_hurried", default=False)


def hurry() -> None:
    """A page is being made: from here on somebody waits, until :func:`rest`."""
    _hurried.set(True)


def rest() -> None:
    """Nobody waits any more."""
    _hurried.set(False)


@contextmanager
def patiently() -> Iterator[None]:
    """Within a request, for what must be had however late: events that are to be kept, versions looked for."""
    token = _hurried.set(False)
    try:
        yield
    finally:
        _hurried.reset(token)


def is_patient() -> bool:
    """Whether time does not matter here: always outside of requests, as in jobs, commands and at the start."""
    return not _hurried.get()

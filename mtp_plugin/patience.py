"""Whether somebody's page waits for what is being read: what nobody waits for may take the time that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_patient: ContextVar[bool] = ContextVar("mtp_patient", default=False)


@contextmanager
def patiently() -> Iterator[None]:
    """No page waits for what is read inside: for versions looked for in a thread, for events that must be kept."""
    token = _patient.set(True)
    try:
        yield
    finally:
        _patient.reset(token)


def is_patient() -> bool:
    """Whether time does not matter here."""
    return _patient.get()

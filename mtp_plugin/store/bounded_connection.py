"""A connection to PostgreSQL that does not wait for ever for a server that stands still.

``statement_timeout`` is kept by the server, TCP's timeouts by its kernel: neither helps when the server's processes are
stopped or starved while their machine goes on acknowledging. So the waiting side looks at its own clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import Dumper
from psycopg.pq import Format

from .arrays import KINDS, Array

T = TypeVar("T")
FIRST_S = 5.0
"""Patience with a server that has just accepted the connection."""
LOOK_S = 0.1
"""How often psycopg looks up from its waiting at least."""


class Unanswered(psycopg.OperationalError):
    """The server said nothing for too long; the connection is closed, what it was doing is unknown."""

    silent = True


class ArrayDumper(Dumper):
    """Arrays that are in PostgreSQL's own form already."""

    format = Format.BINARY

    def dump(self, obj: Array) -> Array:
        return obj


DUMPERS = {kind: type(f"{kind.__name__}Dumper", (ArrayDumper,), {"oid": kind.oid}) for kind in KINDS}


class BoundedConnection(psycopg.Connection[Any]):
    """Gives up when nothing comes for ``patience`` seconds; whatever comes starts the count anew.

    Precise to a quarter of it, and to the tenth of a second at which psycopg looks up from its waiting anyway.
    """

    patience: float = FIRST_S
    hopeless: Callable[[], bool] = staticmethod(lambda: False)
    """Whether it is known meanwhile that nothing will come."""

    def take_arrays(self) -> None:
        """Know :mod:`mtp_plugin.store.arrays`."""
        for kind, dumper in DUMPERS.items():
            self.adapters.register_dumper(kind, dumper)

    def wait(self, gen: PQGen[T], interval: float = LOOK_S, timeout: float | None = None) -> T:
        return super().wait(self._bounded(gen), min(interval, self.patience / 4), timeout)

    def _bounded(self, gen: PQGen[T]) -> Generator[Any, Any, T]:
        heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard = time.monotonic()
                elif (silent := time.monotonic() - heard) > self.patience or self.hopeless():
                    self.pgconn.finish()
                    raise Unanswered(f"no answer from the server within {silent:.3g} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result

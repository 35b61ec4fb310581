"""Buffers that a thread reuses from query to query, so that answering one allocates next to nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from ..compiled import HAS_NUMBA
from ..records import FloatArray, IntArray, Profile
from . import kernels

if TYPE_CHECKING:
    from .affinity import Taste

CAPACITY = 16_384
"""Most candidates one query can collect."""
LAST_EPOCH = np.iinfo(np.int32).max


class Scratch:
    """A growing list of candidate rows with a matrix of what each source says of them.

    ``mark[row] == epoch`` tells that a row is in the list, at ``slot[row]``; a new query just counts up ``epoch``.

    :param n_rows: rows of the catalogue
    :param n_sessions: sessions in the index of neighbours
    :param n_columns: what sources may say
    """

    def __init__(self, n_rows: int, n_sessions: int, n_columns: int) -> None:
        capacity = max(1, min(n_rows, CAPACITY))
        self.epoch = self._turn = 0
        self.count = 0
        self.mark: IntArray = np.zeros(max(1, n_rows), dtype=np.int32)
        self.slot: IntArray = np.zeros(max(1, n_rows), dtype=np.int32)
        self.rows: IntArray = np.zeros(capacity, dtype=np.int32)
        self.columns: FloatArray = np.zeros((capacity, n_columns), dtype=np.float32)
        self.best: FloatArray = np.zeros(capacity, dtype=np.float32)
        self.anchor: IntArray = np.zeros(capacity, dtype=np.int32)
        self.similarity: FloatArray = np.zeros(max(1, n_sessions), dtype=np.float32)
        self.seen: IntArray = np.zeros(max(1, n_sessions), dtype=np.int32)
        self.match: IntArray = np.zeros(max(1, n_sessions), dtype=np.int32)
        self.touched: IntArray = np.zeros(max(1, n_sessions), dtype=np.int32)
        self.taste: tuple[Profile, Taste] | None = None
        """The last visitor's, who may ask for another block of the same page."""
        self.memory = (self.similarity, self.seen, self.match, self.touched)
        self.buffers = (self.mark, self.slot, self.rows, self.columns, self.best, self.anchor)

    def begin(self) -> None:
        """Forget the last query."""
        self.epoch += 1
        self.count = 0
        if self.epoch >= LAST_EPOCH:
            self.epoch = 1
            self.mark[:] = 0

    def take_turn(self) -> int:
        """A number for who looks at sessions now: in one query several indexes are asked, and each numbers its own."""
        self._turn += 1
        if self._turn >= LAST_EPOCH:
            self._turn = 1
            self.seen[:] = 0
        return self._turn

    def add(self, rows: IntArray) -> None:
        """Put rows into the list, each once and as far as there is room."""
        if HAS_NUMBA:
            self.count = kernels.collect(
                rows, self.epoch, self.mark, self.slot, self.rows, self.columns, self.best, self.anchor, self.count
            )
            return
        rows = rows[np.sort(np.unique(rows, return_index=True)[1])]
        new = rows[self.mark[rows] != self.epoch][: len(self.rows) - self.count]
        stop = self.count + len(new)
        self.mark[new] = self.epoch
        self.slot[new] = np.arange(self.count, stop)
        self.rows[self.count : stop] = new
        self.columns[self.count : stop] = 0.0
        self.best[self.count : stop] = 0.0
        self.anchor[self.count : stop] = -1
        self.count = stop

    def keep(self, places: IntArray) -> None:
        """Drop all candidates but those at *places*, ascending; they move up."""
        n, rows = len(places), self.rows[places]
        self.mark[self.rows[: self.count]] = 0
        self.mark[rows] = self.epoch
        self.slot[rows] = np.arange(n)
        self.rows[:n] = rows
        self.columns[:n] = self.columns[places]
        self.best[:n] = self.best[places]
        self.anchor[:n] = self.anchor[places]
        self.count = n


class Scratches(threading.local):
    """One :class:`Scratch` a thread, made when the thread first asks."""

    def __init__(self, n_rows: int, n_sessions: int, n_columns: int) -> None:
        self._shape = (n_rows, n_sessions, n_columns)
        self._scratch: Scratch | None = None

    def get(self) -> Scratch:
        """This thread's buffers, ready for a new query."""
        if self._scratch is None:
            self._scratch = Scratch(*self._shape)
        self._scratch.begin()
        return self._scratch

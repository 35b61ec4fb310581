"""What trees learn from: rows of candidates, put down question after question."""

from __future__ import annotations

import numpy as np

from ...records import FloatArray

STEP = 1 << 16
"""Rows for which room is made at a time: memory grows at its end, nothing is copied."""


class Lessons:
    """Rows, whether they were chosen, and their weights; ``questions`` says from how many questions."""

    def __init__(self) -> None:
        self.questions = 0
        self._count = 0
        self._rows: FloatArray = np.zeros((0, 0), dtype=np.float32)
        self._chosen: FloatArray = np.zeros(0, dtype=np.float32)
        self._weights: FloatArray = np.zeros(0, dtype=np.float32)

    def __len__(self) -> int:
        return self._count

    def add(self, rows: FloatArray, chosen: FloatArray, weights: FloatArray) -> None:
        """One question.

        :param rows: shape ``(n, features)``, as many features as before
        :param chosen: 0 or 1, ``(n,)``
        :param weights: above 0, ``(n,)``
        """
        start, stop = self._count, self._count + len(rows)
        if stop > len(self._chosen):
            self._make_room(stop, rows.shape[1])
        self._rows[start:stop], self._chosen[start:stop], self._weights[start:stop] = rows, chosen, weights
        self._count, self.questions = stop, self.questions + 1

    def arrays(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rows, chosen, weights; good until the next question is added."""
        return self._rows[: self._count], self._chosen[: self._count], self._weights[: self._count]

    def _make_room(self, needed: int, width: int) -> None:
        size = -(-needed // STEP) * STEP
        if not self._count:
            self._rows = np.zeros((0, width), dtype=np.float32)
        self._rows.resize((size, width), refcheck=False)
        self._chosen.resize(size, refcheck=False)
        self._weights.resize(size, refcheck=False)

"""What simple ways reach on the same cases: popularity, echo of the prefix, one Markov step, item-item cosine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..candidates.log import TrainingLog
from ..records import FloatArray, IntArray

Predict = Callable[[Sequence[int]], list[int]]
LONGEST = 100
"""Distinct products of one session that are paired; longer ones are robots, and cost the square of that."""


def session_baselines(log: TrainingLog, k: int) -> dict[str, Predict]:
    """Predictors by name; each takes a prefix of item codes, oldest first, and gives at least *k* codes if it can.

    Equal scores stand in the order of popularity, and what is equally popular in that of the codes.
    """
    from scipy import sparse

    n = len(log.items)
    popular = np.bincount(log.item, minlength=n)
    order = np.lexsort((np.arange(n), -popular)).tolist()
    same = log.session[1:] == log.session[:-1]
    step = (log.item[:-1][same], log.item[1:][same])
    markov = sparse.csr_matrix((np.ones(len(step[0])), step), shape=(n, n))
    near = _Cosine(log, n)

    def best(codes: IntArray, scores: FloatArray, more: int = 0) -> list[int]:
        ranked: list[int] = codes[np.lexsort((codes, -popular[codes], -scores))[: k + more]].tolist()
        return ranked

    def item_item(prefix: Sequence[int]) -> list[int]:
        parts = [near.of(item) for item in dict.fromkeys(prefix)]
        if not parts:
            return []
        codes, at = np.unique(np.concatenate([codes for codes, _ in parts]), return_inverse=True)
        scores = np.bincount(at, np.concatenate([values for _, values in parts])).astype(np.float64)
        return best(codes, scores, len(prefix))

    return {
        "popularity": lambda prefix: order[: k + len(prefix)],
        "prefix-echo": lambda prefix: list(dict.fromkeys(reversed(prefix))),
        "markov": lambda prefix: best(*_row(markov, prefix[-1]), len(prefix)) if prefix else order[:k],
        "item-item": item_item,
    }


class _Cosine:
    """Cosine of products over the sessions they were seen in, found for a product when it is first asked for."""

    def __init__(self, log: TrainingLog, n: int) -> None:
        from scipy import sparse

        pairs = np.unique(np.column_stack((log.session, log.item)), axis=0)
        _, start, size = np.unique(pairs[:, 0], return_index=True, return_counts=True)
        pairs = pairs[np.arange(len(pairs)) - np.repeat(start, size) < LONGEST]
        shape = (int(log.session.max(initial=0)) + 1, n)
        self._sessions = sparse.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape)
        self._by_item = self._sessions.T.tocsr()
        self._scale = 1 / np.sqrt(np.maximum(1, np.diff(self._by_item.indptr)))
        self._found: dict[int, tuple[IntArray, FloatArray]] = {}

    def of(self, item: int) -> tuple[IntArray, FloatArray]:
        """Codes of products seen together with this one, and their cosine."""
        if item not in self._found:
            codes, counts = _row(self._by_item[[item]] @ self._sessions, 0)
            self._found[item] = codes, counts * self._scale[codes] * self._scale[item]
        return self._found[item]


def _row(matrix: Any, row: int) -> tuple[IntArray, FloatArray]:
    part = slice(matrix.indptr[row], matrix.indptr[row + 1])
    return matrix.indices[part], matrix.data[part]

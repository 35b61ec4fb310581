"""What is popular, trending, selling best, newest or on sale: orders of the whole catalogue, made once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..records import BoolArray, FloatArray, IntArray, ProductTable
from .related import Vocabulary

CHUNK = 512


class Ranking:
    """All rows in one order.

    :param scores: shape ``(rows,)``; equals stand in the order of *then*
    """

    def __init__(self, scores: FloatArray, then: FloatArray | None = None) -> None:
        self.scores = scores
        self.order: IntArray = np.lexsort((-scores,) if then is None else (-then, -scores)).astype(np.int32)

    def top(self, k: int, allowed: BoolArray | None = None) -> IntArray:
        """The first *k* rows that are allowed."""
        if allowed is None:
            return self.order[:k]
        found: list[IntArray] = []
        missing, start, size = k, 0, CHUNK
        while missing > 0 and start < len(self.order):
            chunk = self.order[start : start + size]
            chunk = chunk[allowed[chunk]][:missing]
            found.append(chunk)
            missing -= len(chunk)
            start, size = start + size, size * 4
        return np.concatenate(found) if found else self.order[:0]


class Rankings:
    """The orders by name: ``popular``, ``trending``, ``best-sellers``, ``newest``.

    :param arrays: of the behaviour bundle: ``popular``, ``lately``, ``trending``, ``sold`` per
        product; empty for a fresh shop
    """

    def __init__(
        self, table: ProductTable, arrays: Mapping[str, NDArray[np.generic]], vocabulary: Vocabulary | None
    ) -> None:
        newest = np.nan_to_num(table.created, nan=-1.0)
        fresh = _varied(table, newest)
        self.known = vocabulary is not None

        def read(name: str) -> FloatArray:
            if vocabulary is None or name not in arrays:
                return np.zeros(len(table), dtype=np.float32)
            return vocabulary.by_row(arrays[name])[: len(table)]

        popular, trending, sold = read("popular"), read("trending"), read("sold")
        self.lately = read("lately")
        self._by_name = {
            "popular": Ranking(popular, fresh),
            "trending": Ranking(trending, popular.astype(np.float64) + fresh / (1 + np.abs(fresh).max(initial=1.0))),
            "best-sellers": Ranking(sold, popular.astype(np.float64) + fresh / (1 + np.abs(fresh).max(initial=1.0))),
            "newest": Ranking(newest, fresh),
        }

    def __getitem__(self, name: str) -> Ranking:
        return self._by_name[name]


def _varied(table: ProductTable, newest: FloatArray) -> FloatArray:
    """A score that takes the categories in turn, newest first within each: the order of a shop nobody visited yet."""
    order = np.lexsort((np.arange(len(table)), -newest))
    group = table.top_category[order].astype(np.int64)
    by_group = np.argsort(group, kind="stable")
    grouped = group[by_group]
    turn = np.empty(len(order), dtype=np.int64)
    turn[by_group] = np.arange(len(order)) - np.searchsorted(grouped, grouped)
    place = np.empty(len(order), dtype=np.float64)
    place[order[np.lexsort((np.arange(len(order)), turn))]] = np.arange(len(order), dtype=np.float64)
    return -place

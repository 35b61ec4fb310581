"""Titles of products as numbered words, to see at a glance that two of them are variants of one thing."""

from __future__ import annotations

import re
import threading

import numpy as np

from ..records import IntArray, Product, ProductTable
from .kernels import UNREAD, some_unread

WORD = re.compile(r"\w+")


class Titles:
    """Words of titles by row, read when a row is first asked for.

    ``words[starts[row] : stops[row]]`` are a row's words as ascending numbers.

    :param table: the catalogue they are of
    """

    def __init__(self, table: ProductTable) -> None:
        self._products = table.products
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()
        self._used = 0
        self.starts: IntArray = np.full(len(table), UNREAD, dtype=np.int64)
        self.stops: IntArray = np.zeros(len(table), dtype=np.int64)
        self.words: IntArray = np.zeros(1024, dtype=np.int32)

    def read(self, rows: IntArray) -> IntArray:
        """Make sure that the words of *rows* are there; gives ``words`` with all of them."""
        if some_unread(rows, self.starts):
            with self._lock:
                for row in rows[self.starts[rows] == UNREAD].tolist():
                    self._read(row)
        return self.words

    def _read(self, row: int) -> None:
        numbers = sorted(
            self._numbers.setdefault(word, len(self._numbers)) for word in title_words(self._products[row])
        )
        stop = self._used + len(numbers)
        if stop > len(self.words):
            self.words = np.concatenate((self.words, np.zeros(max(len(self.words), len(numbers)), dtype=np.int32)))
        self.words[self._used : stop] = numbers
        self.stops[row] = stop
        self.starts[row], self._used = self._used, stop


def title_words(product: Product) -> frozenset[str]:
    """Words of a title without its colours; with the brand, so that two brands' same words are not variants."""
    found = set(WORD.findall(product.title.casefold()))
    for color in product.colors:
        found.difference_update(WORD.findall(color.casefold()))
    if not found:
        return frozenset()
    return frozenset(found | {"\0" + product.brand}) if product.brand else frozenset(found)

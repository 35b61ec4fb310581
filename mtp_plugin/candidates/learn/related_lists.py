"""The best neighbours of each product, from sessions and from orders; no matrix of all pairs is ever made.

Weights are fixed-point integers: they add up in any order to the same sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...records import BoolArray, FloatArray, IntArray
from ..counts import LANDMARK_BITS, ONE, fixed_decay
from ..log import TrainingLog
from .pair_kernels import bought_block, grouped, viewed_block

WINDOW = 10
"""Steps within a session across which two products count as seen together."""
PATH = 5
NEAREST = 100
NEXT = 60
ON_PATH = 80
LARGEST_BASKET = 150
"""Products of one order that are paired; larger ones are mostly resellers' and would drown the others."""
USUAL_BASKET = 20
"""Orders of more products count less, by the root: their pairs are many and mean little."""
BASKET_BITS = 12
BLOCK = 4096
"""Products whose lists are found before they are packed."""
Arrays = dict[str, NDArray[np.generic]]


def viewed_lists(item: IntArray, starts: BoolArray, n: int) -> Arrays:
    """``viewed`` by cosine of how near they stood; ``next`` and ``path`` by the share of what followed.

    :param item: of views: sessions contiguous, the oldest view first
    :param starts: whether a view is the first of its session
    :param n: number of products
    """
    indptr, positions = grouped(item, n)
    scale = 1.0 / np.sqrt(np.maximum(np.diff(indptr).astype(np.float64), 1.0))
    worth = np.array([0] + [ONE // distance for distance in range(1, WINDOW + 1)], dtype=np.int64)
    sums, touched, ones = np.zeros((3, n), dtype=np.int64), np.zeros(n, dtype=np.int32), np.ones(n)
    lists = {"viewed": Lists(NEAREST), "next": Lists(NEXT), "path": Lists(ON_PATH)}
    viewed, following, path = lists.values()
    for first, last in blocks(n):
        sizes = np.zeros((last - first, 3), dtype=np.int64)
        viewed_block(
            first, last, indptr, positions, item, starts, scale, ones, worth, PATH, sums, touched,
            viewed.columns, viewed.values, following.columns, following.values, path.columns, path.values, sizes,
        )  # fmt: skip
        for place, found in enumerate(lists.values()):
            found.pack(sizes[:, place])
    return {key: array for name, found in lists.items() for key, array in found.arrays(name).items()}


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """Orders as compressed rows of distinct products in ascending order, recent orders worth more.

    ``basket``, ``items``: order and product of each line; ``indptr``: lines of each order; ``weight``: int64, above 0,
    of each order; ``bought``: int64, how many orders each product was in, the largest included; ``n``: number of
    products.
    """

    basket: IntArray
    items: IntArray
    indptr: IntArray
    weight: IntArray
    bought: IntArray
    n: int

    @classmethod
    def of(cls, purchases: TrainingLog, now: float, half_life: float) -> Orders:
        """The orders of a log, the largest cut off.

        :param half_life: of what an order is worth, in the log's unit of time
        """
        n = len(purchases.items)
        key = purchases.basket.astype(np.int64) * max(1, n) + purchases.item
        place = np.unique(key, return_index=True)[1]
        basket, items, time = purchases.basket[place], purchases.item[place], purchases.time[place]
        numbers, starts, sizes = np.unique(basket, return_index=True, return_counts=True)
        fit = np.arange(len(basket)) - np.repeat(starts, sizes) < LARGEST_BASKET
        damped = np.minimum(1.0, np.sqrt(USUAL_BASKET / np.maximum(sizes, 1)))
        weight = np.rint(fixed_decay(time[starts], now, half_life) * damped).astype(np.int64)
        return cls(
            basket=np.repeat(np.arange(len(numbers), dtype=np.int32), sizes)[fit],
            items=items[fit].astype(np.int32),
            indptr=np.append(0, np.cumsum(np.minimum(sizes, LARGEST_BASKET))).astype(np.int64),
            weight=np.maximum(weight >> (LANDMARK_BITS - BASKET_BITS), 1),
            bought=np.bincount(items, minlength=n).astype(np.int64),
            n=n,
        )

    def totals(self) -> IntArray:
        """The weight of the orders that hold each product, int64 of shape ``(n,)``."""
        total = np.zeros(self.n, dtype=np.int64)
        np.add.at(total, self.items, self.weight[self.basket])
        return total

    def lines(self) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray, IntArray]:
        """What the kernels read: the lines of each product, and the products of each order."""
        indptr, positions = grouped(self.items, self.n)
        return indptr, positions, self.basket, self.indptr, self.items, self.weight


def bought_lists(orders: Orders) -> Arrays:
    """``bought`` by cosine of the orders shared."""
    n, found = orders.n, Lists(NEAREST)
    scale = 1.0 / np.sqrt(np.maximum(orders.totals().astype(np.float64), 1.0))
    sums, touched, lines = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int32), orders.lines()
    for first, last in blocks(n):
        sizes = np.zeros(last - first, dtype=np.int64)
        bought_block(first, last, *lines, scale, sums, touched, found.columns, found.values, sizes)
        found.pack(sizes)
    return found.arrays("bought")


def blocks(n: int) -> Iterator[tuple[int, int]]:
    """First and last (not included) of :data:`BLOCK` products after the other."""
    for first in range(0, n, BLOCK):
        yield first, min(n, first + BLOCK)


class Lists:
    """Neighbours block by block: kernels write into ``columns`` and ``values``, :meth:`pack` keeps what they found.

    :param most: neighbours of one product
    """

    def __init__(self, most: int) -> None:
        self.columns = np.zeros((BLOCK, most), dtype=np.int32)
        self.values = np.zeros((BLOCK, most), dtype=np.float64)
        self._most = most
        self._sizes: list[IntArray] = []
        self._kept: tuple[IntArray, FloatArray] = (np.zeros(0, np.int32), np.zeros(0, np.float32))
        self._count = 0

    def pack(self, sizes: IntArray) -> None:
        """Keep the first *sizes* neighbours of each product of the block."""
        found, rows = np.arange(self._most) < sizes[:, None], len(sizes)
        start, stop = self._count, self._count + int(sizes.sum())
        for kept in self._kept:
            kept.resize(stop, refcheck=False)  # memory grows at its end: no second copy of a long list
        self._kept[0][start:], self._kept[1][start:] = self.columns[:rows][found], self.values[:rows][found]
        self._sizes.append(sizes)
        self._count = stop

    def arrays(self, name: str) -> Arrays:
        """``<name>_indptr``, ``_indices``, ``_values``; best first."""
        indptr = np.append(0, np.cumsum(np.concatenate([np.zeros(0, np.int64), *self._sizes]))).astype(np.int64)
        columns, values = self._kept
        return {f"{name}_indptr": indptr, f"{name}_indices": columns, f"{name}_values": values}

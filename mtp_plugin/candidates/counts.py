"""What item-item lists and rankings are computed from: exact integers, so that one visitor can be taken out again.

Weights are fixed-point numbers (:data:`ONE` is 1.0). Integers add up in any order to the same sum, hence
``counts(all) - counts(visitor) == counts(all without visitor)``, bit for bit. Only training and erasure use this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..records import FloatArray, IntArray
from .log import CART, PURCHASE, VIEW, TrainingLog

ONE = 1 << 16
WINDOW = 10
"""Steps within a session across which two products count as seen together."""
PATH = 5
DAY_S = 86_400.0
SHORTEST_PAUSE = 0.5
"""Days between two purchases of a product that count as buying it again."""
LARGEST_BASKET = 150
"""Products of one order that are paired; larger ones are mostly resellers' and would drown the others."""
USUAL_BASKET = 20
"""Orders of more products count less, by the root: their pairs are many and mean little."""
LANDMARK_BITS = 20

PAIRS = ("viewed", "next", "path", "bought")
ITEMS = ("popular", "recent", "base", "sold", "views", "basket", "orders", "pauses", "pause_logs")

Pairs: TypeAlias = Any
"""``scipy.sparse.csr_matrix`` of int64; scipy has no types."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Sums over visitors.

    ``pairs``: int64 matrices of shape ``(items, items)``: ``viewed`` (symmetric), ``next``, ``path`` (from, to),
    ``bought`` (symmetric, its diagonal the orders of each product). ``items``: int64 vectors of shape ``(items,)``:
    ``views``, ``basket`` (weighted orders), ``orders``, decayed ``popular``, ``recent``, ``base``, ``sold``; ``pauses``
    between two purchases of a product by one visitor, and ``pause_logs``, the sum of the logarithms of their days.
    """

    pairs: dict[str, Pairs]
    items: dict[str, IntArray]

    @classmethod
    def of(cls, log: TrainingLog, now: float, half_life: float) -> Counts:
        """Count a log.

        :param now: moment that decay is measured from; counts of different moments do not add up
        :param half_life: of popularity, in the log's unit of time
        """
        n, views, purchases = len(log.items), log.views(), log.purchases()
        decayed = {"popular": half_life, "recent": half_life / 5, "base": half_life * 2}
        worth = np.zeros(len(log), dtype=np.int64)
        for action, weight in ((VIEW, 1), (CART, 3), (PURCHASE, 5)):
            worth[log.action == action] = weight
        items = {
            name: _sum(log.item, worth * fixed_decay(log.time, now, life), n) for name, life in decayed.items()
        }  # fmt: skip
        items["sold"] = _sum(purchases.item, fixed_decay(purchases.time, now, 2 * half_life), n)
        items["orders"] = _orders(purchases, n)
        items["views"] = _sum(views.item, np.ones(len(views), dtype=np.int64), n)
        pairs = {
            "viewed": _steps(views, WINDOW, n, both=True),
            "next": _steps(views, 1, n, both=False),
            "path": _steps(views, PATH, n, both=False),
            "bought": _baskets(purchases, now, 8 * half_life, n),
        }
        items["pauses"], items["pause_logs"] = _pauses(purchases, n)
        items["basket"] = np.asarray(pairs["bought"].diagonal(), dtype=np.int64)
        return cls(pairs, items)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], n: int) -> Counts:
        """Read what :meth:`arrays` wrote; *n* is the number of products."""
        pairs = {
            name: sparse.csr_matrix(
                tuple(arrays[f"count_{name}_{part}"] for part in ("data", "indices", "indptr")), shape=(n, n)
            )
            for name in PAIRS
        }
        return cls(pairs, {name: arrays[f"count_{name}"].astype(np.int64) for name in ITEMS})

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The counts as a bundle keeps them, each name after ``count_``; serving never touches them."""
        found: dict[str, NDArray[np.generic]] = {f"count_{name}": vector for name, vector in self.items.items()}
        for name, matrix in self.pairs.items():
            found |= {f"count_{name}_{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}
        return found

    def __sub__(self, other: Counts) -> Counts:
        pairs = {name: (matrix - other.pairs[name]).tocsr() for name, matrix in self.pairs.items()}
        for matrix in pairs.values():
            matrix.eliminate_zeros()
        return Counts(pairs, {name: vector - other.items[name] for name, vector in self.items.items()})

    def same(self, other: Counts) -> bool:
        """Whether every number is equal."""
        return all((matrix != other.pairs[name]).nnz == 0 for name, matrix in self.pairs.items()) and all(
            np.array_equal(vector, other.items[name]) for name, vector in self.items.items()
        )


def fixed_decay(time: FloatArray, now: float, half_life: float) -> IntArray:
    """``2 ** ((time - now) / half_life)`` as a fixed-point number of :data:`LANDMARK_BITS` bits; 1 for the future."""
    age = np.maximum(now - time, 0.0) / half_life
    fixed: IntArray = np.rint(np.exp2(LANDMARK_BITS - np.minimum(age, 60.0))).astype(np.int64)
    return fixed


def _sum(item: IntArray, weight: IntArray, n: int) -> IntArray:
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, item, weight)
    return total


def _orders(purchases: TrainingLog, n: int) -> IntArray:
    """In how many orders each product was."""
    lines = np.unique(purchases.basket.astype(np.int64) * max(1, n) + purchases.item)
    return np.bincount(lines % max(1, n), minlength=n).astype(np.int64)


def _pauses(purchases: TrainingLog, n: int) -> tuple[IntArray, IntArray]:
    """Pauses of each product, and the fixed-point sum of the logarithms of their days; half a day is none."""
    order = np.lexsort((purchases.time, purchases.item, purchases.visitor))
    visitor, item, time = purchases.visitor[order], purchases.item[order], purchases.time[order]
    days = np.diff(time) / DAY_S
    again = (visitor[1:] == visitor[:-1]) & (item[1:] == item[:-1]) & (days > SHORTEST_PAUSE)
    logs = np.rint(np.log(days[again]) * ONE).astype(np.int64)
    return _sum(item[1:][again], np.ones(len(logs), dtype=np.int64), n), _sum(item[1:][again], logs, n)


def _steps(views: TrainingLog, window: int, n: int, *, both: bool) -> Pairs:
    """Pairs of different products up to *window* steps apart in a session, worth the inverse of their distance."""
    found = sparse.csr_matrix((n, n), dtype=np.int64)
    for distance in range(1, window + 1):
        same = views.session[distance:] == views.session[:-distance]
        before, after = views.item[:-distance][same], views.item[distance:][same]
        other = before != after
        before, after = before[other], after[other]
        worth = np.full(len(before), ONE // distance, dtype=np.int64)
        found = found + sparse.coo_matrix((worth, (before, after)), shape=(n, n)).tocsr()
    return (found + found.T).tocsr() if both else found


def _baskets(purchases: TrainingLog, now: float, half_life: float, n: int) -> Pairs:
    """Pairs of products in one order, recent orders counting more; the diagonal holds the orders themselves."""
    basket, item, time = purchases.basket, purchases.item, purchases.time
    key = np.unique(basket.astype(np.int64) * max(1, n) + item, return_index=True)[1]
    basket, item, time = basket[key], item[key], time[key]
    numbers, starts, sizes = np.unique(basket, return_index=True, return_counts=True)
    fit = np.arange(len(basket)) - np.repeat(starts, sizes) < LARGEST_BASKET
    local = np.repeat(np.arange(len(numbers)), sizes)[fit]
    damped = np.minimum(1.0, np.sqrt(USUAL_BASKET / np.maximum(sizes, 1)))
    weight = np.rint(fixed_decay(time[starts], now, half_life) * damped).astype(np.int64) >> (LANDMARK_BITS - 12)
    ones = np.ones(int(fit.sum()), dtype=np.int64)
    lines = sparse.csr_matrix((ones, (local, item[fit])), shape=(len(numbers), n))
    return (lines.T @ sparse.diags_array(np.maximum(weight, 1), dtype=np.int64) @ lines).tocsr()

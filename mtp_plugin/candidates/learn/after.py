"""What is bought after what: the item-item weights that best tell a customer's order from the orders before.

EASE (Steck, 2019) rebuilds a basket from itself, and so cannot tell what follows from what lies together. Here the two
sides are apart: what somebody had bought, the lately bought more, is led to what the next order held (least squares
with a ridge, several targets at once).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse

from ...records import BoolArray, FloatArray, IntArray
from ..basket_details import PAST_HALF_LIFE_DAYS
from ..log import TrainingLog
from .ease import BLOCK, NOTHING, Arrays, farthest, lists_of, most_bought
from .related_lists import LARGEST_BASKET, USUAL_BASKET, Orders

RIDGE = 6.0
"""In orders of today: what a weight must explain. From 3 to 10 it makes little difference."""
MOST_PRODUCTS = 4_000
"""The most bought: the cost grows with their cube."""
MOST_ORDERS = 20_000
"""That are told, the latest."""
LONGEST_PAST = 300
"""Lines that an order is told from, the latest."""
NEAREST = 100
"""Weights of a product that are kept: trees find as much with them as with all."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """From a past to the next order: sparse ``past`` (rows of length 1) and ``order``, ``(steps, products)``, and
    what each step is worth, ``weight`` float32 ``(steps,)``.
    """

    past: Any
    order: Any
    weight: FloatArray

    @classmethod
    def of(cls, purchases: TrainingLog, now: float, half_life: float) -> Steps:
        """The latest orders by customers who had ordered before; what one bought in one moment is an order.

        :param half_life: of what a step is worth, in the log's unit of time
        """
        place = np.lexsort((purchases.item, purchases.time, purchases.visitor))
        visitor, time, item = purchases.visitor[place], purchases.time[place], purchases.item[place]
        once = _changes(visitor) | _changes(time) | _changes(item)
        visitor, time, item = visitor[once], time[once], item[once]
        starts = np.flatnonzero(_changes(visitor) | _changes(time))
        known_from = np.maximum.accumulate(np.where(_changes(visitor), np.arange(len(item)), 0))[starts]
        size = np.diff(np.append(starts, len(item)))
        told = np.flatnonzero((starts > known_from) & (size <= LARGEST_BASKET))
        told = np.sort(told[np.argsort(-time[starts[told]], kind="stable")[:MOST_ORDERS]])
        starts, size, at = starts[told], size[told], time[starts[told]]
        past = _matrix(item, np.maximum(known_from[told], starts - LONGEST_PAST), starts, len(purchases.items))
        lasting = PAST_HALF_LIFE_DAYS * (DAY_S if purchases.timed else 1.0)
        lines = past.data.astype(np.int64)
        past.data = np.exp2((time[lines] - np.repeat(at, np.diff(past.indptr))) / lasting).astype(np.float32)
        order = _matrix(item, starts, starts + size, len(purchases.items))
        order.data = np.ones(len(order.data), dtype=np.float32)
        weight = np.exp2((at - now) / half_life) * np.minimum(1.0, np.sqrt(USUAL_BASKET / np.maximum(size, 1)))
        return cls(_of_length_one(past), order, weight.astype(np.float32))


def _changes(values: FloatArray | IntArray) -> BoolArray:
    """Where a run of equal values begins."""
    found: BoolArray = np.append(np.ones(min(1, len(values)), np.bool_), values[1:] != values[:-1])
    return found


def _matrix(item: IntArray, first: IntArray, last: IntArray, n: int) -> Any:
    """A row of each stretch of lines, the number of the line as its value."""
    indptr = np.append(0, np.cumsum(last - first))
    lines = np.arange(indptr[-1]) + np.repeat(first - indptr[:-1], last - first)
    return sparse.csr_matrix((lines.astype(np.float64), item[lines], indptr), shape=(len(first), n))


def _of_length_one(rows: Any) -> Any:
    rows.sum_duplicates()
    length = np.sqrt(rows.multiply(rows).sum(axis=1)).A1
    return sparse.diags_array(1.0 / np.maximum(length, 1e-12)) @ rows


def after_lists(purchases: TrainingLog, orders: Orders, now: float, half_life: float) -> Arrays:
    """``after_indptr``, ``after_indices``, ``after_values``: of each product what it leads to, farthest from 0 first.

    :param orders: the same purchases
    :param half_life: of what an order is worth, in the log's unit of time
    """
    members, steps = most_bought(orders, MOST_PRODUCTS), Steps.of(purchases, now, half_life)
    if len(members) < 2 or not len(steps.weight):
        return lists_of("after", orders.n, NOTHING)
    weights = weights_of(steps, members)
    in_blocks = (weights[start : start + BLOCK] for start in range(0, len(weights), BLOCK))
    return lists_of("after", orders.n, members, farthest(in_blocks, members, NEAREST))


def weights_of(steps: Steps, members: IntArray) -> FloatArray:
    """From each of the *members* to each, float32: ``(P'WP + ridge) B = P'WN`` of pasts P and next orders N."""
    past, order = steps.past[:, members], steps.order[:, members]
    weighed = (sparse.diags_array(steps.weight) @ past).T.tocsr()
    system, wanted = _dense(weighed, past), _dense(weighed, order)
    system[np.diag_indices(len(system))] += np.float32(RIDGE)
    factor = linalg.cho_factor(system, overwrite_a=True, check_finite=False)
    found: FloatArray = np.ascontiguousarray(linalg.cho_solve(factor, wanted, overwrite_b=True, check_finite=False))
    return found


def _dense(left: Any, right: Any) -> FloatArray:
    """Their product, some rows at a time: all of it as a sparse matrix would take more memory than the equations."""
    found: FloatArray = np.empty((left.shape[0], right.shape[1]), dtype=np.float32, order="F")
    for start in range(0, len(found), BLOCK):
        found[start : start + BLOCK] = (left[start : start + BLOCK] @ right).toarray()
    return found

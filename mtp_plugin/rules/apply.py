"""Effects on candidates and slates, as vectors: never product by product through conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from ..records import BoolArray, Candidates, FloatArray, IntArray, ProductTable
from .plan import Plan

Mask = Callable[[str, Mapping[str, Any]], BoolArray | None]
"""Which rows of the catalogue meet a condition of a rule; ``None`` where the rule does not work."""
T = TypeVar("T")

LEAST, MOST = 1e-3, 1e3
"""Bounds of all factors on one product together."""


def sieve(plan: Plan, eligible: BoolArray, mask: Mask) -> BoolArray:
    """The rows of *eligible* that every filter lets through, as a new array."""
    kept = eligible.copy()
    for one in plan.sieves:
        found = mask(one.rule_id, one.where)
        if found is not None:
            kept &= found if one.keep else ~found
    return kept


def weigh(plan: Plan, found: Candidates, mask: Mask) -> tuple[Candidates, dict[str, BoolArray]]:
    """Candidates in the order that boosts and buries give them, and which of them each rule touched.

    A factor moves a product's place in the order: at place 12, "by 3" ranks it as if it stood at 4. Scores of different
    strategies have no common measure, places have. Its score is multiplied, to be looked at.
    """
    if not plan.weights or not len(found):
        return found, {}
    factor: FloatArray = np.ones(len(found))
    touched: dict[str, BoolArray] = {}
    for weight in plan.weights:
        of_all = mask(weight.rule_id, weight.where)
        if of_all is None:
            continue
        hit = of_all[found.rows]
        factor[hit] *= weight.by
        touched[weight.rule_id] = touched.get(weight.rule_id, False) | hit
    factor = np.clip(factor, LEAST, MOST)
    order = np.argsort(np.arange(1, len(found) + 1) / factor, kind="stable")
    weighed = Candidates(
        rows=found.rows[order],
        scores=(found.scores * factor.astype(np.float32))[order],
        origins=found.origins[order],
        anchors=found.anchors[order],
        sources=found.sources,
    )
    return weighed, {rule_id: hit[order] for rule_id, hit in touched.items()}


class Quota:
    """Counts what a slate has of each brand, category and department, and refuses what is too much.

    :param limits: pairs of kind and number
    """

    def __init__(self, limits: Iterable[tuple[str, int]], table: ProductTable) -> None:
        codes = {"brand": table.brand, "category": table.category, "department": table.top_category}
        self._limits = [(codes[per], most, dict[int, int]()) for per, most in limits]

    def admits(self, row: int) -> bool:
        """Whether there is room for this row; if so it is counted. What has no brand or category is never too much."""
        if any(counts.get(int(codes[row]), 0) >= most for codes, most, counts in self._limits if codes[row] >= 0):
            return False
        self.count(row)
        return True

    def count(self, row: int) -> None:
        """Count a row that is there in any case."""
        for codes, _, counts in self._limits:
            code = int(codes[row])
            counts[code] = counts.get(code, 0) + 1

    def cut(self, rows: IntArray) -> IntArray:
        """Places of the rows that there is room for, taken from the front."""
        return np.array([place for place, row in enumerate(rows.tolist()) if self.admits(row)], dtype=np.intp)


def arrange(ranked: Sequence[T], slots: Sequence[tuple[int, T]], size: int) -> list[T]:
    """Put the members of slots at their places (from 1) among those that were ranked.

    A place that is taken already goes to the first free one after it. Where there is too little to reach a place, its
    member comes last.

    >>> arrange(["a", "b", "c"], [(2, "x")], 3)
    ['a', 'x', 'b']
    """
    taken: dict[int, T] = {}
    for position, member in slots:
        while position in taken:
            position += 1
        if position <= size:
            taken[position] = member
    rest = list(reversed(ranked))
    slate: list[T] = []
    for position in range(1, size + 1):
        if position in taken:
            slate.append(taken.pop(position))
        elif rest:
            slate.append(rest.pop())
        elif taken:
            slate.append(taken.pop(min(taken)))
    return slate

"""What simple ways reach on the same orders: popularity, own past by frequency and by recency, Markov, item-item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from ..records import Candidates, Event, FloatArray, IntArray, ProductTable, Profile, Query

DAY_S = 86_400.0
HALF_LIFE_DAYS = 14.0
TIE = 1e-9
"""Popularity is added with this weight: enough to part equals, too little for anything else."""
LARGEST = 100
"""Products of one order that are paired; larger ones are resellers', and cost the square of that."""
Scores = Callable[[Query], FloatArray]


class Baseline:
    """Asked like the recommender; ranks all rows by a score, equals by popularity."""

    def __init__(self, table: ProductTable, scores: Scores, popular: FloatArray) -> None:
        self.table, self._scores, self._popular = table, scores, popular

    def candidates(self, strategy: str, query: Query, k: int) -> Candidates:
        """The *k* best rows; the strategy makes no difference."""
        scores = self._scores(query) + self._popular * TIE
        fit = scores if query.eligible is None else np.where(query.eligible, scores, -np.inf)
        best = np.argpartition(-fit, min(k, len(fit) - 1))[:k]
        rows = best[np.argsort(-fit[best], kind="stable")]
        rows = rows[fit[rows] > -np.inf].astype(np.int32)
        none: IntArray = np.full(len(rows), -1, dtype=np.int32)
        return Candidates(rows=rows, scores=scores[rows], origins=np.zeros(len(rows), dtype=np.int64), anchors=none)


def basket_baselines(before: Iterable[Event], table: ProductTable, cut: float) -> dict[str, Baseline]:
    """Baselines by name, made of the orders before the test."""
    orders = [(event, sorted({table.index[p.product_id] for p in event.products})) for event in before]
    n, pairs = len(table), [rows[:LARGEST] for _, rows in orders]
    popular = np.zeros(n)
    for event, rows in orders:
        popular[rows] += 2 ** ((event.timestamp - cut) / (HALF_LIFE_DAYS * DAY_S))
    baskets = _lines(pairs, n)
    holders = baskets.T.tocsr()
    followed = _followed([event.profile_id for event, _ in orders])
    after = _lines([pairs[later] for _, later in followed], n)
    preceding = _lines([pairs[earlier] for earlier, _ in followed], n)
    leaders = preceding.T.tocsr()
    bought = np.asarray(baskets.sum(axis=0)).ravel()
    norm = 1 / np.sqrt(np.maximum(1, bought))
    share = 1 / np.maximum(1, np.asarray(preceding.sum(axis=0)).ravel())

    def frequency(query: Query) -> FloatArray:
        return _own(query.profile, table, lambda one: one.orders + 1e-11 * (one.last - cut))

    def recency(query: Query) -> FloatArray:
        return _own(query.profile, table, lambda one: 2.0 ** ((one.last - cut) / (1000 * DAY_S)) + 1e-6 * one.orders)

    def item_item(query: Query) -> FloatArray:
        asked = _asked(query, table)
        weight = asked * norm
        scores: FloatArray = norm * _through(holders, baskets, weight)
        scores -= norm * weight * bought  # nothing is near to itself
        return scores

    def markov(query: Query) -> FloatArray:
        asked = _asked(query, table, last=True)
        return _through(leaders, after, asked * share)

    ways = {
        "popularity": lambda query: popular,
        "prefix-echo": recency,
        "own-frequency": frequency,
        "markov": markov,
        "item-item": item_item,
    }
    return {name: Baseline(table, scores, popular) for name, scores in ways.items()}


def _through(holders: Any, lines: Any, weights: FloatArray) -> FloatArray:
    """What the baskets that hold weighted rows hold beside them, shape ``(n,)``.

    :param holders: sparse, shape ``(n, baskets)``: which baskets hold a row; *lines* what is to be summed of each
    """
    rows = np.flatnonzero(weights)
    voice = holders[rows].T @ weights[rows]
    found = np.flatnonzero(voice)
    total: FloatArray = np.asarray(lines[found].T @ voice[found])
    return total


def _lines(baskets: list[list[int]], n: int) -> Any:
    """Baskets as a sparse matrix of ones, shape ``(baskets, n)``."""
    from scipy import sparse

    starts = np.append(0, np.cumsum([len(rows) for rows in baskets])).astype(np.int64)
    rows = np.array([row for basket in baskets for row in basket], dtype=np.int64)
    return sparse.csr_matrix((np.ones(len(rows)), rows, starts), shape=(len(baskets), n))


def _followed(owners: list[str]) -> list[tuple[int, int]]:
    """Each order and the next of the same customer, as places in time."""
    of_owner: dict[str, list[int]] = {}
    for place, owner in enumerate(owners):
        of_owner.setdefault(owner, []).append(place)
    return [pair for places in of_owner.values() for pair in pairwise(places)]


def _own(profile: Profile | None, table: ProductTable, worth: Callable[[Any], float]) -> FloatArray:
    scores = np.zeros(len(table))
    for one in profile.purchases if profile else ():
        scores[table.index[one.product_id]] = worth(one)
    return scores


def _asked(query: Query, table: ProductTable, *, last: bool = False) -> FloatArray:
    """How often each row is in the cart; without one, in the orders of the customer, or in the *last* of them."""
    asked = np.zeros(len(table))
    for row, times in Counter(query.cart).items():
        asked[row] = times
    own = query.profile.purchases if query.profile and not query.cart else ()
    latest = max((one.last for one in own), default=0.0)
    for one in own:
        if not last or one.last == latest:
            asked[table.index[one.product_id]] = 1.0 if last else one.orders
    return asked

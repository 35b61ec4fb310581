"""What simple ways reach on the same orders: decayed popularity, own frequency, item-item cosine over orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from ..records import Candidates, Event, IntArray, ProductTable, Query

DAY_S = 86_400.0
HALF_LIFE_DAYS = 14.0
TIE = 1e-9
"""Popularity is added with this weight: enough to part equals, too little for anything else."""
Scores = Callable[[Query], np.ndarray]


class Baseline:
    """Asked like the recommender; ranks all rows by a score, equals by popularity."""

    def __init__(self, table: ProductTable, scores: Scores, popular: np.ndarray) -> None:
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
    from scipy import sparse

    baskets = [(event, sorted({table.index[p.product_id] for p in event.products})) for event in before]
    n = len(table)
    popular = np.zeros(n)
    for event, rows in baskets:
        popular[rows] += 2 ** ((event.timestamp - cut) / (HALF_LIFE_DAYS * DAY_S))
    lines = [(number, row) for number, (_, rows) in enumerate(baskets) for row in rows]
    matrix = sparse.csr_matrix((np.ones(len(lines)), tuple(zip(*lines, strict=True))), shape=(len(baskets), n))
    norm = 1 / np.sqrt(np.maximum(1, np.asarray(matrix.sum(axis=0)).ravel()))
    cosine = (sparse.diags_array(norm) @ (matrix.T @ matrix) @ sparse.diags_array(norm)).tolil()
    cosine.setdiag(0)
    near = cosine.tocsr()

    def own(query: Query) -> np.ndarray:
        scores = np.zeros(n)
        for one in query.profile.purchases if query.profile else ():
            scores[table.index[one.product_id]] = one.orders + 1e-11 * (one.last - cut)
        return scores

    def item_item(query: Query) -> np.ndarray:
        rows = Counter(query.cart) or Counter(
            {table.index[one.product_id]: one.orders for one in (query.profile.purchases if query.profile else ())}
        )
        if not rows:
            return np.zeros(n)
        return np.asarray(near[list(rows)].T @ np.array(list(rows.values()), dtype=float)).ravel()

    return {
        "popularity": Baseline(table, lambda query: popular, popular),
        "own-frequency": Baseline(table, own, popular),
        "item-item": Baseline(table, item_item, popular),
    }

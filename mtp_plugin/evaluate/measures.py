"""Measures of ranked lists, with one target or several."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np


class Measures:
    """Means over cases of a list cut at *k*: hit rate, reciprocal rank, and for several targets recall and NDCG.

    ``hr``: share of cases with a target in the list. ``mrr``: mean of 1 / place of the first. ``recall``: found /
    targets. ``ndcg``: discounted gain by the logarithm of the place, relative to the best possible (binary relevance).
    """

    def __init__(self, k: int = 20) -> None:
        self.k, self.cases = k, 0
        self._hits = self._reciprocal = self._recall = self._ndcg = 0.0
        self._shown: set[int] = set()

    def add(self, ranked: Sequence[int], targets: Collection[int], n_targets: int | None = None) -> None:
        """One case.

        :param targets: rows to be found; *n_targets* how many there were in truth, with those nobody could know
        """
        self.cases += 1
        shown = list(ranked)[: self.k]
        self._shown.update(shown)
        places = [place for place, row in enumerate(shown, 1) if row in targets]
        total = n_targets if n_targets is not None else len(targets)
        if not places or not total:
            return
        self._hits += 1
        self._reciprocal += 1 / places[0]
        self._recall += len(places) / total
        best = sum(1 / np.log2(place + 1) for place in range(1, min(total, self.k) + 1))
        self._ndcg += sum(1 / np.log2(place + 1) for place in places) / best

    def single(self) -> dict[str, float]:
        """``hr`` and ``mrr``, for one target a case (where recall is the hit rate), with ``ndcg``."""
        return {
            f"hr@{self.k}": self._mean(self._hits),
            f"mrr@{self.k}": self._mean(self._reciprocal),
            f"ndcg@{self.k}": self._mean(self._ndcg),
            f"recall@{self.k}": self._mean(self._recall),
        }

    def several(self) -> dict[str, float]:
        """``recall`` and ``ndcg``, for several targets a case, with ``hr`` and ``mrr`` of the first found."""
        names = (f"recall@{self.k}", f"ndcg@{self.k}", f"hr@{self.k}", f"mrr@{self.k}")
        return {name: self.single()[name] for name in names}

    def coverage(self, n_items: int) -> float:
        """Share of the products that were shown to anybody."""
        return round(len(self._shown) / max(1, n_items), 4)

    def _mean(self, total: float) -> float:
        return round(float(total) / max(1, self.cases), 4)

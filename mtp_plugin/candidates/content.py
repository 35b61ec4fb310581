"""Products alike in words, brand, category, colour and price, for those that the content bundle does not know (yet).

The bundle's own lists, made by training, are a :class:`~mtp_plugin.candidates.related.Related`. This is the light way:
it needs nothing but the catalogue, and works from the first imported product on.
"""

from __future__ import annotations

import numpy as np

from ..records import FloatArray, IntArray, ProductTable
from .words import tokens

LARGEST = 5_000
"""Rows up to which titles are compared; above, unknown products are alike in category and brand alone."""

NEAREST = 60
SHARED_BY_MOST = 0.3
"""A token in more than this share of the products says too little to be followed."""


class Lookalikes:
    """Neighbours by content, found when first asked for and kept.

    :param table: the catalogue
    """

    def __init__(self, table: ProductTable) -> None:
        self._table = table
        self._found: dict[int, tuple[IntArray, FloatArray]] = {}
        self._tokens = _Tokens(table) if len(table) <= LARGEST else None
        grouped = (table.category >= 0).any() or (table.brand >= 0).any()
        self.useful = bool(grouped or (self._tokens is not None and self._tokens.some))

    def of(self, row: int) -> tuple[IntArray, FloatArray]:
        """Rows like this one and how like (0 to 1), best first."""
        found = self._found.get(row)
        if found is None:
            found = self._found[row] = self._search(row)
        return found

    def _search(self, row: int) -> tuple[IntArray, FloatArray]:
        scores = self._tokens.scores(row) if self._tokens else self._coarse(row)
        scores[row] = 0.0
        near = np.flatnonzero(scores)
        prices = self._table.price
        values = scores[near] * price_closeness(prices[near], prices[row])
        best = np.argsort(-values, kind="stable")[:NEAREST]
        return near[best].astype(np.int32), values[best].astype(np.float32)

    def _coarse(self, row: int) -> FloatArray:
        table, scores = self._table, np.zeros(len(self._table))
        for codes, worth in ((table.category, 0.6), (table.top_category, 0.2), (table.brand, 0.2)):
            if codes[row] >= 0:
                scores += worth * (codes == codes[row])
        return scores


class _Tokens:
    """TF-IDF vectors of unit length as an inverted index."""

    def __init__(self, table: ProductTable) -> None:
        self._n = len(table)
        codes: dict[str, int] = {}
        described = [tokens(product) for product in table.products]
        counts = np.array([len(one) for one in described], dtype=np.int64)
        self._code = np.array([codes.setdefault(name, len(codes)) for one in described for name in one], dtype=np.int64)
        weight = np.array([value for one in described for value in one.values()], dtype=np.float64)
        self.some = bool(codes)
        self._row = np.repeat(np.arange(self._n), counts)
        shared = np.bincount(self._code, minlength=max(1, len(codes)))
        weight *= np.log1p(self._n / shared[self._code]) if len(weight) else 1.0
        norm = np.sqrt(np.bincount(self._row, weight**2, minlength=self._n))
        self._weight = weight / np.maximum(norm, 1e-12)[self._row] if len(weight) else weight
        self._of_row = np.append(0, np.cumsum(counts))
        self._order = np.argsort(self._code, kind="stable")
        self._of_code = np.searchsorted(self._code[self._order], np.arange(len(codes) + 1))
        self._common = max(20.0, SHARED_BY_MOST * self._n)

    def scores(self, row: int) -> FloatArray:
        """Cosine of every row with this one; tokens of nearly all products are left out unless there are no others."""
        own = slice(self._of_row[row], self._of_row[row + 1])
        codes, weights = self._code[own], self._weight[own]
        frequency = self._of_code[codes + 1] - self._of_code[codes]
        if (frequency <= self._common).any():
            codes, weights = codes[frequency <= self._common], weights[frequency <= self._common]
        scores: FloatArray = np.zeros(self._n)
        for code, weight in zip(codes.tolist(), weights.tolist(), strict=True):
            at = self._order[self._of_code[code] : self._of_code[code + 1]]
            scores[self._row[at]] += weight * self._weight[at]
        return scores


def price_closeness(prices: FloatArray, price: FloatArray | float) -> FloatArray:
    """1 for the same price, towards 0.75 the further apart in ratio, 0.9 where either is unknown; elementwise."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(np.log(prices / price))
    return np.where(np.isfinite(ratio), 0.75 + 0.25 * np.exp(-ratio), 0.9)

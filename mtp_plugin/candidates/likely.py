"""What a visitor is likely to buy within a week: the likeliest categories' popular products, and what they know."""

from __future__ import annotations

import numpy as np

from ..ports import Likelihood
from ..records import BoolArray, FloatArray, IntArray, ProductTable, Profile, Query

CATEGORIES = 6
"""Likeliest categories that are looked into."""
EACH = 30
"""Products of each, the most popular that may be shown."""
KNOWN = 60
"""Products that the visitor met, the latest."""


class LikelyToBuy:
    """Proposes and orders by the probability of a purchase alone.

    :param likelihood: tells it
    :param table: the catalogue that rows are of
    :param popularity: of each row
    """

    def __init__(self, likelihood: Likelihood, table: ProductTable, popularity: FloatArray) -> None:
        self._likelihood, self._table = likelihood, table
        category = likelihood.category if likelihood else np.zeros(0, dtype=np.int32)
        self._order: IntArray = np.lexsort((-popularity[: len(category)], category)).astype(np.int32)
        known = int(category.max(initial=-1)) + 1
        self._starts: IntArray = np.searchsorted(category[self._order], np.arange(known + 1))

    def __call__(self, query: Query, allowed: BoolArray | None, k: int) -> tuple[IntArray, FloatArray]:
        """The *k* likeliest rows and their probabilities; none where nothing tells of this visitor."""
        nothing = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        profile = query.profile
        if profile is None or not self._likelihood:
            return nothing
        by_category = self._likelihood.categories(profile, query.now)
        if not len(by_category):
            return nothing
        rows = self._met(query, profile)
        for code in np.argsort(-by_category, kind="stable")[:CATEGORIES].tolist():
            rows.append(self._popular(code, allowed))
        found = np.unique(np.concatenate(rows))
        found = found if allowed is None else found[allowed[found]]
        told = self._likelihood.products(profile, found, query.now)
        found, told = found[~np.isnan(told)], told[~np.isnan(told)]
        best = np.argsort(-told, kind="stable")[:k]
        return found[best].astype(np.int32), told[best].astype(np.float32)

    def _popular(self, code: int, allowed: BoolArray | None) -> IntArray:
        if code + 1 >= len(self._starts):  # the catalogue no longer has it
            return self._order[:0]
        rows = self._order[self._starts[code] : self._starts[code + 1]]
        return rows[:EACH] if allowed is None else rows[allowed[rows]][:EACH]

    def _met(self, query: Query, profile: Profile) -> list[IntArray]:
        index = self._table.index
        bought = [row for one in profile.purchases if (row := index.get(one.product_id)) is not None]
        met = [*bought, *query.history, *query.session, *query.cart][-KNOWN:]
        return [np.array(met, dtype=np.int32)]

"""A profile's affinities held against the catalogue as vectors."""

from __future__ import annotations

import numpy as np

from ..records import PRICE_TIERS, FloatArray, IntArray, ProductTable, Profile
from .popular import Ranking

FACETS = {"category": 1.0, "brand": 0.6, "color": 0.2, "style": 0.4, "price_tier": 0.3}
LEADING = 3
"""Values of a facet whose popular products are proposed."""
EACH = 24


class Affinity:
    """Scores rows by what a visitor is drawn to.

    :param popular: order in which products of a category or brand are proposed
    """

    def __init__(self, table: ProductTable, popular: Ranking) -> None:
        self._table = table
        colors, color_names = _coded([product.colors[0] if product.colors else "" for product in table.products])
        styles, style_names = _coded([product.style for product in table.products])
        self._codes: dict[str, IntArray] = {
            "category": table.category, "brand": table.brand, "color": colors, "style": styles, "price_tier": table.tier
        }  # fmt: skip
        self._names = {
            "category": table.category_names, "brand": table.brand_names, "color": color_names, "style": style_names,
            "price_tier": PRICE_TIERS,
        }  # fmt: skip
        self._index = {facet: {name: code for code, name in enumerate(names)} for facet, names in self._names.items()}
        self._leaders = {facet: _grouped(self._codes[facet], popular.order) for facet in ("category", "brand", "style")}

    def propose(self, profile: Profile) -> IntArray:
        """Popular products of the categories, brands and styles that weigh most."""
        found = []
        for facet, (order, starts) in self._leaders.items():
            shares = self._shares(profile, facet)
            if shares is None:
                continue
            for code in np.argsort(-shares, kind="stable")[:LEADING].tolist():
                if shares[code] > 0:
                    found.append(order[starts[code] : min(starts[code] + EACH, starts[code + 1])])
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)

    def scores(self, profile: Profile, rows: IntArray) -> FloatArray:
        """How much each row is to the visitor's taste, 0 to 1, shape ``(len(rows),)``."""
        total: FloatArray = np.zeros(len(rows), dtype=np.float32)
        worth = 0.0
        for facet, weight in FACETS.items():
            shares = self._shares(profile, facet)
            if shares is None:
                continue
            total += weight * shares[self._codes[facet][rows]]
            worth += weight
        return total / worth if worth else total

    def _shares(self, profile: Profile, facet: str) -> FloatArray | None:
        """Share of each code, with a 0 at the end for code -1. Ratios need no decay: it is the same for all values."""
        weights, index = profile.affinities.get(facet), self._index[facet]
        if not weights or not index:
            return None
        shares: FloatArray = np.zeros(len(index) + 1, dtype=np.float32)
        total = sum(weight for weight in weights.values() if weight > 0)
        if not total:
            return None
        for name, weight in weights.items():
            if weight > 0 and name in index:
                shares[index[name]] = weight / total  # forward-decayed weights are beyond float32, their ratio is not
        return shares


def _coded(names: list[str]) -> tuple[IntArray, tuple[str, ...]]:
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(name, len(codes)) if name else -1 for name in names], dtype=np.int32), tuple(
        codes
    )


def _grouped(codes: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """Rows by code, within each in the given order; and where each code starts."""
    ranked = order[codes[order] >= 0]
    ranked = ranked[np.argsort(codes[ranked], kind="stable")]
    last = int(codes.max(initial=-1))
    return ranked, np.searchsorted(codes[ranked], np.arange(last + 2))

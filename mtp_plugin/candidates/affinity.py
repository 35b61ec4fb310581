"""A profile's affinities held against the catalogue as vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..compiled import HAS_NUMBA
from ..records import PRICE_TIERS, FloatArray, IntArray, ProductTable, Profile
from . import feature_kernels, plain
from .popular import Ranking

how = feature_kernels if HAS_NUMBA else plain
FACETS = {"category": 1.0, "brand": 0.6, "color": 0.2, "style": 0.4, "price_tier": 0.3}
LEADERS = ("category", "brand", "style")
"""Facets whose popular products are proposed."""
LEADING = 3
"""Values of a facet whose popular products are proposed."""
EACH = 24


class Taste(NamedTuple):
    """What a visitor is drawn to, as the share of each code: one facet after the other, 0 to 1.

    ``weights`` are those of the facets, 0 where nothing is known. ``leading`` are the codes that weigh most, by facet.
    """

    shares: FloatArray
    weights: FloatArray
    leading: tuple[tuple[str, int], ...]


NO_TASTE = Taste(np.zeros(0, dtype=np.float32), np.zeros(len(FACETS), dtype=np.float32), ())


class Affinity:
    """Scores rows by what a visitor is drawn to.

    :param popular: order in which products of a category or brand are proposed
    """

    def __init__(self, table: ProductTable, popular: Ranking) -> None:
        colors, color_names = _coded([product.colors[0] if product.colors else "" for product in table.products])
        styles, style_names = _coded([product.style for product in table.products])
        codes = {
            "category": table.category, "brand": table.brand, "color": colors, "style": styles, "price_tier": table.tier
        }  # fmt: skip
        names = {
            "category": table.category_names, "brand": table.brand_names, "color": color_names, "style": style_names,
            "price_tier": PRICE_TIERS,
        }  # fmt: skip
        # What is looked up of one row stands together in memory.
        self._codes: IntArray = np.stack([codes[facet] for facet in FACETS], axis=1).astype(np.int32).T
        self._index = {facet: {name: code for code, name in enumerate(names[facet])} for facet in FACETS}
        sizes = [len(names[facet]) for facet in FACETS]
        self._starts: IntArray = np.cumsum([0, *sizes])
        self._facets = [
            (facet, self._index[facet].get if names[facet] else None, start, facet in LEADERS)
            for facet, start in zip(FACETS, self._starts.tolist(), strict=False)
        ]
        self._leaders = {facet: _grouped(codes[facet], popular.order) for facet in LEADERS}

    def of(self, profile: Profile) -> Taste:
        """The visitor's taste. Ratios of affinities need no decay: it is the same for all values."""
        shares: FloatArray = np.zeros(int(self._starts[-1]), dtype=np.float32)
        weights: FloatArray = np.zeros(len(FACETS), dtype=np.float32)
        leading: list[tuple[str, int]] = []
        places: list[int] = []
        parts: list[float] = []
        for place, (facet, find, start, leads) in enumerate(self._facets):
            known = profile.affinities.get(facet)
            total = sum([value for value in known.values() if value > 0]) if known and find else 0.0
            if not known or not find or not total:
                continue
            weights[place] = FACETS[facet]
            told = [(-value, code) for name, value in known.items() if value > 0 and (code := find(name)) is not None]
            places += [start + code for _, code in told]
            parts += [-value / total for value, _ in told]  # decayed weights are beyond float32, their ratio is not
            if leads:
                leading += [(facet, code) for _, code in sorted(told)[:LEADING]]
        shares[places] = parts
        return Taste(shares, weights, tuple(leading))

    def asked(self, taste: Taste | None) -> tuple[IntArray, FloatArray, IntArray, FloatArray]:
        """What :func:`.feature_kernels.taste` takes before the rows; without a taste nothing is to it."""
        known = taste or NO_TASTE
        return self._codes, known.shares, self._starts, known.weights

    def propose(self, taste: Taste) -> IntArray:
        """Popular products of the categories, brands and styles that weigh most."""
        found = []
        for facet, code in taste.leading:
            order, starts = self._leaders[facet]
            found.append(order[starts[code] : min(starts[code] + EACH, starts[code + 1])])
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)

    def scores(self, taste: Taste, rows: IntArray) -> FloatArray:
        """How much each row is to the visitor's taste, 0 to 1, shape ``(len(rows),)``."""
        found: FloatArray = how.taste(*self.asked(taste), rows)
        return found


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

"""Whether slates turn in a circle: what is shown is bought, what is bought is shown, and nothing else gets a chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec
import numpy as np

from ..records import FloatArray

FEWEST = 200
"""Slates of a day below which a figure says nothing."""
GINI_RISE, COVERAGE_FALL, FAIR = 0.1, 0.67, 0.2


class LoopDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day's slates, or a sample of them.

    ``gini``: how unequally products are shown, 0 (all alike) to 1 (one alone), over all visible products.
    ``coverage``: share of the visible products that were shown at all. ``new``: share of what was shown that is new,
    ``new_products`` their share of the catalogue. ``popular``: share of what was shown that is among the most popular
    tenth.
    """

    day: str
    slates: int
    shown: int
    gini: float
    coverage: float
    new: float
    new_products: float
    popular: float


def gini(counts: FloatArray) -> float:
    """Gini's coefficient of counts that are 0 or more, 0 where there are none.

    >>> import numpy as np
    >>> gini(np.array([1.0, 1.0, 1.0])), gini(np.array([0.0, 0.0, 0.0, 1.0]))
    (0.0, 0.75)
    """
    total, n = float(counts.sum()), len(counts)
    if not total or n < 2:
        return 0.0
    ranks = np.arange(1, n + 1)
    return float(max(0.0, 2.0 * (ranks * np.sort(counts)).sum() / (n * total) - (n + 1) / n))


def loop_day(
    day: str, slates: Sequence[Iterable[str]], visible: Sequence[str], fresh: Set[str], popular: Set[str]
) -> LoopDay:
    """The figures of a day.

    :param slates: the products of each slate
    :param visible: all products that may be shown
    :param fresh: those of them that are new
    :param popular: those of them that are most popular
    """
    counts: Mapping[str, int] = Counter(name for products in slates for name in products)
    shown = sum(counts.values())

    def share(of: Set[str]) -> float:
        return round(sum(counts.get(name, 0) for name in of) / shown, 4) if shown else 0.0

    return LoopDay(
        day=day,
        slates=len(slates),
        shown=shown,
        gini=round(gini(np.array([float(counts.get(name, 0)) for name in visible])), 4),
        coverage=round(sum(name in counts for name in visible) / len(visible), 4) if visible else 0.0,
        new=share(fresh),
        new_products=round(len(fresh) / len(visible), 4) if visible else 0.0,
        popular=share(popular),
    )


def troubles(days: Sequence[LoopDay]) -> list[str]:
    """What of the latest day tells of a loop, beside the mean of the days before; days of few slates do not count.

    :param days: oldest first
    """
    told = [day for day in days if day.slates >= FEWEST]
    if not told:
        return []
    *before, last = told
    found = []
    if before:
        usual = float(np.mean([day.gini for day in before]))
        if last.gini > usual + GINI_RISE:
            found.append(f"slates show ever fewer products: Gini {last.gini:g} on {last.day}, {usual:.2g} before")
        covered = float(np.mean([day.coverage for day in before]))
        if last.coverage < covered * COVERAGE_FALL:
            found.append(f"slates cover {last.coverage:.0%} of the products on {last.day}, {covered:.0%} before")
    if last.new < last.new_products * FAIR:
        found.append(
            f"new products are {last.new_products:.1%} of the catalogue and {last.new:.1%} of what is shown: "
            "give placements the option exploration"
        )
    return found

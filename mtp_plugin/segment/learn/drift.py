"""How far a feature's values moved between two refreshes: the population stability index.

``sum((now - before) * ln(now / before))`` over deciles of before and the share of the unknown (as in credit scoring:
Siddiqi, "Credit Risk Scorecards", 2006): below .1 nothing moved, from .25 on a lot did.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...records import FloatArray

CUTS = np.linspace(0.1, 0.9, 9)
LEAST = 1e-4
"""Share that an empty bin counts as."""
MOVED = 0.1
SAMPLE = 100_000


def deciles(values: FloatArray) -> FloatArray:
    """Edges of the bins of each column, float32 ``(f, 9)``; NaN where nothing is known.

    :param values: ``(n, f)``, NaN where unknown
    """
    edges = np.full((values.shape[1], len(CUTS)), np.nan, dtype=np.float32)
    for place, column in enumerate(values[:: max(1, len(values) // SAMPLE)].T):
        known = column[~np.isnan(column)]
        if len(known):
            edges[place] = np.quantile(known, CUTS)
    return edges


def portions(values: FloatArray, edges: FloatArray) -> FloatArray:
    """The share of visitors in each bin, the unknown ones last: float32 ``(f, 11)``."""
    found = np.zeros((values.shape[1], len(CUTS) + 2), dtype=np.float32)
    sample = values[:: max(1, len(values) // SAMPLE)]
    for place, column in enumerate(sample.T):
        unknown = np.isnan(column)
        bins = np.searchsorted(edges[place], column, side="left")
        bins[unknown] = len(CUTS) + 1
        found[place] = np.bincount(bins, minlength=len(CUTS) + 2)
    return found / max(len(sample), 1)


def index(before: FloatArray, now: FloatArray) -> FloatArray:
    """The population stability index of each column, ``(f,)``; both as :func:`portions` gives them.

    >>> same = np.full((1, 11), 1 / 11)
    >>> float(index(same, same)[0])
    0.0
    """
    old, new = np.maximum(before, LEAST), np.maximum(now, LEAST)
    moved: FloatArray = ((new - old) * np.log(new / old)).sum(axis=1)
    return moved


def drift(
    before: tuple[Sequence[str], FloatArray, FloatArray], names: Sequence[str], values: FloatArray
) -> dict[str, float]:
    """The index of each column of both refreshes that moved, the most first.

    :param before: names of its columns, their :func:`deciles` and :func:`portions`
    """
    known, edges, old = before
    both = [name for name in known if name in names]
    here, there = [list(names).index(name) for name in both], [list(known).index(name) for name in both]
    moved = index(old[there], portions(values[:, here], edges[there]))
    found = {name: round(float(value), 4) for name, value in zip(both, moved, strict=True) if value >= MOVED}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

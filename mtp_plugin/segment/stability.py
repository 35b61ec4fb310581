"""How surely a segment is found again, in a word (Hennig, "Cluster-wise assessment of cluster stability", 2007)."""

from __future__ import annotations

STABLE, UNSTABLE = 0.75, 0.6
"""Hennig's bounds of the Jaccard index under resampling: from the first on a cluster is stable; below the second it
should not be believed.
"""


def verdict(value: float) -> str:
    """``stable``, ``uncertain`` or ``unstable``.

    >>> verdict(0.5)
    'unstable'
    """
    return "stable" if value >= STABLE else "uncertain" if value >= UNSTABLE else "unstable"

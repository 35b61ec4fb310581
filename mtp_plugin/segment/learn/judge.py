"""How good a division is, by figures that do not care how it was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...records import FloatArray, IntArray

NEIGHBOURS = 10
MEETING = 0.03
"""Share of visitors near another cluster from which clusters are said to touch."""
JUDGED = 2_000
"""Most rows that figures are computed on; they need every distance."""


@dataclass(frozen=True, slots=True)
class Figures:
    """``silhouette`` -1 to 1 (Rousseeuw 1987). ``davies_bouldin`` from 0, small is good (1979). ``gap`` 0 to 1: how
    much emptier it is where clusters meet than inside them; 1 where none meet. ``sorted`` is the share of visitors
    that lie in a cluster and not between. ``effective`` is the number of clusters of equal size that would tell
    visitors apart as much (exponential of the entropy), ``largest`` the share of the largest.
    """

    count: int
    silhouette: float
    davies_bouldin: float
    gap: float
    sorted: float
    effective: float
    largest: float

    @property
    def form(self) -> float:
        """How clearly the clusters stand apart, 0 to 1.

        Silhouette and Davies-Bouldin know round clusters only, so what lies between clusters counts as much as both.
        """
        return 0.25 * max(0.0, self.silhouette) + 0.25 / (1.0 + self.davies_bouldin) + 0.5 * self.gap

    @property
    def told(self) -> float:
        """Bits that the division could tell of a visitor."""
        return float(np.log2(1.0 + self.effective))


class Judge:
    """Figures of divisions of the same rows.

    :param places: rows on the axes; the first :data:`JUDGED` count
    """

    def __init__(self, places: FloatArray) -> None:
        from sklearn.metrics import pairwise_distances

        self._places = places[:JUDGED].astype(np.float64)
        self._distances = pairwise_distances(self._places)
        count = min(NEIGHBOURS, len(self._places) - 1)
        self._near = np.argsort(self._distances, axis=1, kind="stable")[:, 1 : count + 1]
        far = np.take_along_axis(self._distances, self._near[:, -1:], axis=1)[:, 0]
        self._density = 1.0 / np.maximum(far, 1e-9)

    def __call__(self, labels: IntArray) -> Figures | None:
        """Figures of labels of all rows, ``None`` for fewer than two clusters.

        :param labels: -1 for noise
        """
        from sklearn.metrics import davies_bouldin_score, silhouette_score

        labels = labels[: len(self._places)]
        kept = labels >= 0
        names, sizes = np.unique(labels[kept], return_counts=True)
        if len(names) < 2 or kept.sum() <= len(names):
            return None
        shares = sizes / sizes.sum()
        silhouette = silhouette_score(self._distances[np.ix_(kept, kept)], labels[kept], metric="precomputed")
        return Figures(
            count=len(names),
            silhouette=float(silhouette),
            davies_bouldin=float(davies_bouldin_score(self._places[kept], labels[kept])),
            gap=self._gap(labels),
            sorted=float(kept.mean()),
            effective=float(np.exp(-(shares * np.log(shares)).sum())),
            largest=float(shares.max()),
        )

    def _gap(self, labels: IntArray) -> float:
        """One less the density where clusters meet over that of everywhere; noise is between clusters anyway.

        Where fewer than :data:`MEETING` of visitors meet others, that counts by their share.
        """
        others = labels[self._near]
        meets = ((others != labels[:, None]) & (others >= 0)).any(axis=1) & (labels >= 0)
        if not meets.any():
            return 1.0
        ratio = np.median(self._density[meets]) / np.median(self._density[labels >= 0])
        return float(1.0 - min(1.0, ratio) * min(1.0, meets.mean() / MEETING))

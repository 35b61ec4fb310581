"""Fitting a multinomial logit: which of the candidates was chosen, given what the sources say of each.

Conditional logit of McFadden (1974); weights differ by bucket, each bucket's drawn to the common ones by a ridge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ...records import FloatArray, IntArray

LIKELY = 50
"""Candidates kept of a case for being likely by the weights so far."""
OTHERS = 30
"""Drawn from the rest; each stands for as many as it was drawn from, or weights would forget that they lose."""
SMALLEST_SPREAD = 1e-6
LIGHT = (2.0, 20.0)
"""Ridges of the common weights and of a bucket's difference from them, divided by the number of cases."""
HEAVY = (60.0, 200.0)
"""For customers' pasts, whose features say much the same: of ridges that do equally well, the strongest."""


@dataclass(slots=True)
class Cases:
    """Choices observed: ``add`` them, then :func:`fit`."""

    features: list[FloatArray] = field(default_factory=list)
    chosen: list[FloatArray] = field(default_factory=list)
    offsets: list[FloatArray] = field(default_factory=list)
    buckets: list[int] = field(default_factory=list)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def __len__(self) -> int:
        return len(self.buckets)

    def add(self, features: FloatArray, chosen: IntArray, bucket: int, likely: FloatArray) -> None:
        """One case; left out when nothing that was chosen is among the candidates.

        :param features: shape ``(candidates, features)``
        :param chosen: places of the chosen candidates
        :param likely: scores that say which other candidates are worth keeping, shape ``(candidates,)``
        """
        if not len(chosen):
            return
        share: FloatArray = np.zeros(len(features), dtype=np.float32)
        share[chosen] = 1.0 / len(chosen)
        offset: FloatArray = np.zeros(len(features), dtype=np.float32)
        if len(features) > LIKELY + OTHERS:
            order = np.argpartition(-likely, LIKELY)
            rest = self.random.choice(order[LIKELY:], OTHERS, replace=False)
            offset[rest] = np.log((len(order) - LIKELY) / OTHERS)
            offset[chosen] = 0.0
            keep = np.unique(np.concatenate((order[:LIKELY], rest, chosen)))
            features, share, offset = features[keep], share[keep], offset[keep]
        self.features.append(features)
        self.chosen.append(share)
        self.offsets.append(offset)
        self.buckets.append(bucket)


def fit(
    cases: Cases, names: tuple[str, ...], n_buckets: int, *, ridge: tuple[float, float], steps: int = 60
) -> dict[str, Any]:
    """Weights as :class:`~mtp_plugin.candidates.blend.Expert` reads them; a feature that never varies weighs nothing.

    :param cases: at least one; their features are gone afterwards, for they take much memory
    :param ridge: :data:`LIGHT` or :data:`HEAVY`
    """
    order = np.argsort(cases.buckets, kind="stable").tolist()
    sizes = np.array([len(cases.features[place]) for place in order])
    x = np.concatenate([cases.features[place] for place in order])
    cases.features.clear()
    scale = x.std(axis=0)
    varies = scale > SMALLEST_SPREAD
    if not varies.all():
        x = x.take(np.flatnonzero(varies), axis=1)
    x /= scale[varies]
    loss = _Loss(
        x,
        np.concatenate([cases.chosen[place] for place in order]),
        np.concatenate([cases.offsets[place] for place in order]),
        sizes,
        np.bincount(cases.buckets, minlength=n_buckets),
        ridge,
    )
    start = np.zeros((n_buckets + 1) * x.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps}).x
    common, *apart = found.reshape(n_buckets + 1, x.shape[1])
    weights = np.zeros((n_buckets, len(names)))
    weights[:, varies] = (common + np.array(apart)) / scale[varies]
    return {"features": list(names), "weights": weights.tolist()}


class _Loss:
    """Mean negative log likelihood with both ridges, and its gradient; cases stand sorted by bucket."""

    def __init__(
        self,
        x: FloatArray,
        target: FloatArray,
        offset: FloatArray,
        sizes: IntArray,
        cases_of_bucket: IntArray,
        ridge: tuple[float, float],
    ) -> None:
        self._ridge = ridge[0] / len(sizes), ridge[1] / len(sizes)
        self._x, self._target, self._offset, self._sizes = x, target, offset, sizes
        self._starts = np.append(0, np.cumsum(sizes)[:-1])
        ends = np.append(0, np.cumsum(sizes))[np.append(0, np.cumsum(cases_of_bucket))]
        self._buckets = [slice(int(start), int(stop)) for start, stop in pairwise(ends)]

    def __call__(self, flat: FloatArray) -> tuple[float, FloatArray]:
        n = len(self._sizes)
        weights = flat.reshape(len(self._buckets) + 1, -1)
        total = (weights[0] + weights[1:]).astype(np.float32)
        scores = self._offset.copy()
        for bucket, own in zip(self._buckets, total, strict=True):
            scores[bucket] += self._x[bucket] @ own
        scores -= np.repeat(np.maximum.reduceat(scores, self._starts), self._sizes)
        raised = np.exp(scores)
        sums = np.add.reduceat(raised, self._starts)
        value = float(np.log(sums).sum(dtype=np.float64) - (self._target * scores).sum(dtype=np.float64)) / n
        slope = (raised / np.repeat(sums, self._sizes) - self._target) / np.float32(n)
        apart = np.array([slope[bucket] @ self._x[bucket] for bucket in self._buckets], dtype=np.float64)
        gradient = np.vstack((apart.sum(axis=0), apart))
        common, by_bucket = self._ridge
        gradient[0] += 2 * common * weights[0]
        gradient[1:] += 2 * by_bucket * weights[1:]
        value += common * float((weights[0] ** 2).sum()) + by_bucket * float((weights[1:] ** 2).sum())
        return value, gradient.ravel()

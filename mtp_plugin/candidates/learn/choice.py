"""Fitting a multinomial logit: which of the candidates was chosen, given what the sources say of each.

Conditional logit of McFadden (1974) with weights that differ by bucket, each bucket drawn to the common weights by a ridge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ...records import FloatArray, IntArray

LIKELY = 60
"""Candidates kept of a case for being likely by the weights so far."""
OTHERS = 40
"""Drawn from the rest; each stands for as many as it was drawn from, or weights would forget that they lose."""
COMMON_RIDGE = 1e-4
BUCKET_RIDGE = 2e-3


@dataclass(slots=True)
class Cases:
    """Choices observed: ``add`` them, then :func:`fit`."""

    features: list[FloatArray] = field(default_factory=list)
    chosen: list[FloatArray] = field(default_factory=list)
    offsets: list[FloatArray] = field(default_factory=list)
    buckets: list[int] = field(default_factory=list)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def __len__(self) -> int:
        return len(self.features)

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


def fit(cases: Cases, names: tuple[str, ...], n_buckets: int, *, steps: int = 80) -> dict[str, Any]:
    """Weights as :class:`~mtp_plugin.candidates.blend.Expert` reads them.

    :param cases: at least one
    """
    x = np.concatenate(cases.features)
    scale = np.maximum(x.std(axis=0), 1e-3)
    x = np.ascontiguousarray(x / scale, dtype=np.float32)
    target, offset = np.concatenate(cases.chosen), np.concatenate(cases.offsets)
    sizes = np.array([len(features) for features in cases.features])
    starts = np.append(0, np.cumsum(sizes)[:-1])
    bucket = np.array(cases.buckets)
    rows = [np.repeat(bucket == number, sizes) for number in range(n_buckets)]
    parts = [(np.ascontiguousarray(x[mask]), np.flatnonzero(mask)) for mask in rows]
    n, n_features = len(sizes), x.shape[1]

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        weights = flat.reshape(n_buckets + 1, n_features)
        scores = np.empty(len(x))
        for number, (part, at) in enumerate(parts):
            scores[at] = part @ (weights[0] + weights[number + 1]).astype(np.float32)
        scores += offset
        scores -= np.repeat(np.maximum.reduceat(scores, starts), sizes)
        raised = np.exp(scores)
        total = np.add.reduceat(raised, starts)
        value = float(np.log(total).sum() - (target * scores).sum()) / n
        slope = ((raised / np.repeat(total, sizes) - target) / n).astype(np.float32)
        by_bucket = np.array([slope[at] @ part for part, at in parts], dtype=np.float64)
        gradient = np.vstack((by_bucket.sum(axis=0), by_bucket))
        gradient[0] += 2 * COMMON_RIDGE * weights[0]
        gradient[1:] += 2 * BUCKET_RIDGE * weights[1:]
        value += COMMON_RIDGE * float((weights[0] ** 2).sum()) + BUCKET_RIDGE * float((weights[1:] ** 2).sum())
        return value, gradient.ravel()

    start = np.zeros((n_buckets + 1) * n_features)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps}).x
    weights = found.reshape(n_buckets + 1, n_features)
    return {"features": list(names), "weights": ((weights[0] + weights[1:]) / scale).tolist()}

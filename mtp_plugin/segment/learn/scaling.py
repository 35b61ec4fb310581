"""Features in units of their own to numbers that can be compared: logarithms, standard deviations, weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...records import BoolArray, FloatArray

CLIP = 4.0
"""Most standard deviations that a number may be off the mean: one rare taste must not outweigh all else."""
SKEWED = 2.0
CHUNK = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """Per column, shape ``(f,)``: whether the logarithm is taken, mean, one over the standard deviation, weight.

    ``inverse`` is 0 for a column that says nothing: empty or the same for all.
    """

    logs: BoolArray
    centre: FloatArray
    inverse: FloatArray
    weight: FloatArray
    clip: float = CLIP

    def apply(self, values: FloatArray) -> FloatArray:
        """Rows ``(n, f)`` on the common scale, float32; unknown numbers become the mean, which is 0."""
        scaled = values.astype(np.float32, copy=True)
        logs = np.flatnonzero(self.logs)
        scaled[:, logs] = np.log1p(np.maximum(0.0, scaled[:, logs]))
        scaled -= self.centre.astype(np.float32)
        scaled *= self.inverse.astype(np.float32)
        np.nan_to_num(scaled, copy=False)
        np.clip(scaled, -self.clip, self.clip, out=scaled)
        scaled *= self.weight.astype(np.float32)
        return scaled


def fit_scaling(values: FloatArray, groups: Sequence[str], weights: Mapping[str, float] | None = None) -> Scaling:
    """Learn from rows (a sample is enough).

    Columns of one group share its weight, so that thirty categories speak no louder than two dates.

    :param values: ``(n, f)``, NaN where unknown
    :param groups: of the columns
    :param weights: of groups, 1 where not said
    """
    count = values.shape[1]
    logs, centre, inverse = np.zeros(count, dtype=bool), np.zeros(count), np.zeros(count)
    for column in range(count):
        known = values[:, column].astype(float)
        known = known[np.isfinite(known)]
        if len(known) < 2:
            continue
        logs[column] = _is_skewed(known)
        known = np.log1p(known) if logs[column] else known
        centre[column], spread = known.mean(), known.std()
        inverse[column] = 1.0 / spread if spread > 1e-6 * max(1.0, abs(centre[column])) else 0.0
    used = inverse > 0
    weight = np.zeros(count)
    for group in set(groups):
        members = np.array([one == group for one in groups]) & used
        if members.any():
            weight[members] = np.sqrt((weights or {}).get(group, 1.0) / members.sum())
    return Scaling(logs, centre, inverse, weight)


def _is_skewed(known: FloatArray) -> bool:
    """Whether a column without negative numbers has a long tail above 1, as money and counts have."""
    if known.min() < 0 or known.max() <= 1.0:
        return False
    spread = known.std()
    return bool(spread > 0 and ((known - known.mean()) ** 3).mean() / spread**3 > SKEWED)

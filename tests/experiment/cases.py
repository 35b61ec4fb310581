"""Generated experiments, the same for us and for the independent engine that the golden figures are of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KINDS = ("mean", "share", "ratio", "before")
CASES = [(kind, seed) for kind in KINDS for seed in range(6)]

Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def generated(kind: str, seed: int) -> Columns:
    """Variation, numerator, denominator and covariate of each unit; covariates are 0 where there is none."""
    dice = np.random.default_rng([KINDS.index(kind), seed])
    units = 4000 + 500 * seed
    variation = dice.integers(0, 2, units)
    effect = 1.0 + variation * (0.0, 0.05, 0.1, -0.05, 0.2, 0.01)[seed]
    below, before = np.ones(units), np.zeros(units)
    if kind == "mean":
        above = dice.lognormal(1.0, 1.0, units) * effect
    elif kind == "share":
        above = (dice.random(units) < 0.1 * effect).astype(float)
    elif kind == "ratio":
        below = 1.0 + dice.poisson(3.0, units)
        above = dice.poisson(0.2 * below * effect).astype(float)
    else:
        before = dice.gamma(2.0, 2.0, units)
        above = (before * 0.8 + dice.gamma(1.0, 2.0, units)) * effect
    return variation, above, below, before

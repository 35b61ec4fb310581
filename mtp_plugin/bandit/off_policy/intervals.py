"""Intervals of means that hold where rewards are rare and weights are heavy."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from ...records import IntArray
from .log import Floats


def totals(values: Floats, unit: IntArray, cluster: IntArray) -> Floats:
    """One value a cluster whose mean is the sum of *values* for each unit: what an interval is made of.

    With clusters of different sizes it is the linearised ratio of sums to numbers of units.
    """
    of_cluster, which = np.unique(cluster, return_inverse=True)
    sums = np.bincount(which, values, len(of_cluster))
    first = np.unique(unit, return_index=True)[1]
    units = np.bincount(which[first], minlength=len(of_cluster))
    mean = sums.sum() / units.sum()
    return np.asarray(mean + (sums - mean * units) * len(of_cluster) / units.sum())


def mean_interval(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """The interval of a mean by Student's t, with the degrees of freedom that the values' tails leave.

    The variance of a sample variance is ``(kurtosis - 1) / n`` times its square, so that it tells as much as a normal
    sample's with ``2 n / (kurtosis - 1)`` degrees of freedom (Satterthwaite 1946): rare rewards and heavy weights leave
    few, however many rows there are. How often it holds is measured in ``benchmarks/off_policy.py``.

    :param values: independent of each other, shape (n,)
    :param level: how often it should hold, such as 0.95
    :returns: lower and upper end; without end for fewer than two values

    >>> low, high = mean_interval(np.tile([0.0, 1.0], 50))
    >>> round(low, 2), round(high, 2)
    (0.4, 0.6)
    """
    n = len(values)
    if n < 2:
        return -math.inf, math.inf
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if deviation <= 1e-12 * abs(mean):
        return mean, mean
    half = _student(level, freedom(values)) * deviation / math.sqrt(n)
    return mean - half, mean + half


def freedom(values: Floats) -> float:
    """Degrees of freedom of the sample variance of *values* by their kurtosis; n - 1 at most, 1 at least."""
    square = (values - values.mean()) ** 2
    kurtosis = float(np.mean(square**2) / max(np.mean(square) ** 2, 1e-300))
    return float(np.clip(2 * len(values) / max(kurtosis - 1, 1e-9), 1, max(len(values) - 1, 1)))


def _student(level: float, df: float) -> float:
    """The two-sided quantile of Student's t, by Fisher and Cornish's expansion (good to 1 % from 4 degrees on)."""
    z = NormalDist().inv_cdf(0.5 + level / 2)
    terms = (
        (z**3 + z) / (4 * df),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * df**3),
    )
    return z + sum(terms)

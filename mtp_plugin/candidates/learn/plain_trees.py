"""What :mod:`.tree_kernels` does, where numba cannot be had: the same sums in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tree_kernels import EQUAL, LEAST_CURVATURE

Array = NDArray[Any]


def slopes(chosen: Array, weights: Array, scores: Array, first: Array, second: Array) -> None:
    """As :func:`.tree_kernels.slopes`."""
    raised = np.exp(-np.maximum(scores, -37.0))
    first[:] = weights * (((1.0 - chosen) - chosen * raised) / (1.0 + raised))
    second[:] = weights * (raised / (1.0 + raised) ** 2)


def sparse(bins: Array, common: Array, starts: Array) -> Array:
    """Nothing: here all bins are added up."""
    return np.zeros(0, dtype=np.uint16)


def add_up(
    bins: Array, starts: Array, codes: Array, common: Array, rows: Array, first: Array, second: Array, sums: Array,
    counts: Array,
) -> None:  # fmt: skip
    """As :func:`.tree_kernels.add_up`."""
    for feature, all_bins in enumerate(bins):
        here, places = all_bins[rows], slice(256 * feature, 256 * feature + 256)
        sums[places, 0] = np.bincount(here, first[rows], 256)
        sums[places, 1] = np.bincount(here, second[rows], 256)
        counts[places] = np.bincount(here, minlength=256)


def best_split(
    sums: Array, counts: Array, n_bins: Array, rows: int, slope: float, curve: float, value: float, least: int,
    ridge: float, found: Array,
) -> None:  # fmt: skip
    """As :func:`.tree_kernels.best_split`."""
    shape = (len(n_bins), 256)
    count = np.cumsum(counts.reshape(shape), axis=1)
    left_slope, left_curve = (np.cumsum(sums[:, side].reshape(shape), axis=1) for side in (0, 1))
    right_slope, right_curve = slope - left_slope, curve - left_curve
    left = -left_slope / (left_curve + ridge + 1e-15)
    right = -right_slope / (right_curve + ridge + 1e-15)
    fit = (count >= least) & (left_curve >= LEAST_CURVATURE)
    fit &= (rows - count >= least) & (right_curve >= LEAST_CURVATURE)
    fit &= np.arange(256) < n_bins[:, None] - 1
    gain = np.where(fit, slope * value - left_slope * left - right_slope * right, -1.0)
    at = np.unravel_index(np.argmax(gain >= gain.max() / EQUAL), shape)
    found[:] = (gain[at], *at, count[at], left_slope[at], left_curve[at])


def part(bins: Array, rows: Array, feature: int, most: int, spare: Array) -> int:
    """As :func:`.tree_kernels.part`."""
    goes_left = bins[feature, rows] <= most
    left, right = rows[goes_left], rows[~goes_left]
    rows[: len(left)], rows[len(left) :] = left, right
    return len(left)

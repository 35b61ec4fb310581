"""Principal components: fewer axes that keep most of what differs between visitors."""

from __future__ import annotations

import numpy as np

from ...records import FloatArray

KEPT = 0.9
"""Share of the variance to keep."""
MOST_AXES = 24


def fit_components(scaled: FloatArray, kept: float = KEPT, most: int = MOST_AXES) -> FloatArray:
    """The axes, float64 ``(f, p)``, largest variance first; with nothing that varies there is one axis, all zero.

    The sign of an axis is that of its largest coefficient, so that two fits of one matrix are the same.

    :param scaled: ``(n, f)`` on a common scale with mean 0
    """
    columns = scaled.shape[1]
    covariance = np.cov(scaled, rowvar=False, dtype=float).reshape(columns, columns) if columns else np.zeros((0, 0))
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(values)[::-1][:most]
    values, vectors = np.maximum(values[order], 0.0), vectors[:, order]
    if not columns or values.sum() <= 1e-12:
        return np.zeros((columns, 1))
    total = np.trace(covariance)
    axes = 1 + int(np.searchsorted(np.cumsum(values) / total, kept - 1e-9))
    vectors = vectors[:, : min(axes, int((values > 1e-12).sum()))]
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return vectors * np.where(largest < 0, -1.0, 1.0)

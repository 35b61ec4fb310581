"""What an estimator learnt, as arrays, and the calibration on top: from rows to probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records import FloatArray
from ..trees import Trees

Array = NDArray[Any]
SMALLEST = 1e-6
"""No probability is nearer to 0 or 1: what was never seen may happen still."""


def sigmoid(scores: FloatArray) -> FloatArray:
    """Log-odds as probabilities.

    >>> sigmoid(np.array([0.0, 800.0, -800.0])).tolist()
    [0.5, 1.0, 0.0]
    """
    found: FloatArray = 0.5 * (1.0 + np.tanh(0.5 * np.asarray(scores, dtype=np.float64)))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """A linear model, or a neural network of dense layers with rectifiers between them; sums are log-odds.

    Rows are scaled first, ``(x - mean) / scale``, and unknown values count as the mean.

    :param weights: of each layer ``(inputs, outputs)``; the last has one output
    :param offsets: of each layer ``(outputs,)``
    """

    mean: FloatArray
    scale: FloatArray
    weights: tuple[FloatArray, ...]
    offsets: tuple[FloatArray, ...]

    def scores(self, rows: FloatArray) -> FloatArray:
        """Log-odds for rows of shape ``(n, features)``, shape ``(n,)``."""
        found: FloatArray = scaled(rows, self.mean, self.scale)
        for place, (weights, offsets) in enumerate(zip(self.weights, self.offsets, strict=True)):
            found = found @ weights + offsets
            if place < len(self.weights) - 1:
                found = np.maximum(found, 0.0)
        return found[:, 0]

    def arrays(self, prefix: str) -> dict[str, Array]:
        """As arrays for a bundle, their names beginning with *prefix*."""
        found: dict[str, Array] = {f"{prefix}mean": self.mean, f"{prefix}scale": self.scale}
        for place, (weights, offsets) in enumerate(zip(self.weights, self.offsets, strict=True)):
            found |= {f"{prefix}weights_{place}": weights, f"{prefix}offsets_{place}": offsets}
        return found

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array], prefix: str) -> Layers:
        """What :meth:`arrays` gave."""
        places = range(sum(name.startswith(f"{prefix}weights_") for name in arrays))
        return cls(
            arrays[f"{prefix}mean"],
            arrays[f"{prefix}scale"],
            tuple(arrays[f"{prefix}weights_{place}"] for place in places),
            tuple(arrays[f"{prefix}offsets_{place}"] for place in places),
        )


def scaled(rows: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Rows on a common scale, float64; unknown values as the mean, beyond ten scales as ten: no value rules alone."""
    found: FloatArray = np.clip((np.asarray(rows, dtype=np.float64) - mean) / scale, -10.0, 10.0)
    return np.nan_to_num(found, copy=False, nan=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """An estimator and its calibration.

    ``steps`` is ``(2, n)`` for isotonic calibration: probabilities as the estimator gives them, ascending, and what
    they are worth. Else ``slope`` and ``offset`` map log-odds in a straight line (Platt).
    """

    estimator: Trees | Layers
    slope: float = 1.0
    offset: float = 0.0
    steps: FloatArray = field(default_factory=lambda: np.zeros((2, 0)))

    def raw(self, rows: FloatArray) -> FloatArray:
        """Log-odds before the calibration, shape ``(n,)``."""
        return self.estimator.scores(rows)

    def probabilities(self, rows: FloatArray) -> FloatArray:
        """Calibrated probabilities, float64 ``(n,)``."""
        return self.calibrated(self.raw(rows))

    def calibrated(self, scores: FloatArray) -> FloatArray:
        """Log-odds of the estimator as calibrated probabilities."""
        if self.steps.shape[1]:
            found = np.interp(sigmoid(scores), self.steps[0], self.steps[1])
        else:
            found = sigmoid(self.slope * scores + self.offset)
        clipped: FloatArray = np.clip(found, SMALLEST, 1.0 - SMALLEST)
        return clipped

    def arrays(self, target: str) -> dict[str, Array]:
        """As arrays for a bundle."""
        kind = "trees" if isinstance(self.estimator, Trees) else "layers"
        found: dict[str, Array] = dict(self.estimator.arrays(f"{target}_{kind}_"))
        line = np.array([self.slope, self.offset])
        return found | {f"{target}_calibration_line": line, f"{target}_calibration_steps": self.steps}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array], target: str) -> Scorer:
        """What :meth:`arrays` gave.

        :raises KeyError: some are missing
        """
        trees, layers = f"{target}_trees_", f"{target}_layers_"
        estimator: Trees | Layers
        if f"{trees}roots" in arrays:
            estimator = Trees.of_arrays(arrays, trees)
        else:
            estimator = Layers.of_arrays(arrays, layers)
        slope, offset = arrays[f"{target}_calibration_line"].tolist()
        return cls(estimator, slope, offset, arrays[f"{target}_calibration_steps"])

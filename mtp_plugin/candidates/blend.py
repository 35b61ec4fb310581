"""The hybrid: what the sources say of a candidate becomes one probability, with weights that depend on what is known.

Each *expert* (the session at hand, the purchases so far, what completes a basket) is a multinomial logit over features
of the candidates, its weights learnt by ``train`` on the latest part of a shop's own history; see
:mod:`mtp_plugin.candidates.learn.choice`. Where there was nothing to learn from, the defaults below stand in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..compiled import HAS_NUMBA
from ..records import FloatArray, IntArray
from . import feature_kernels, plain

how = feature_kernels if HAS_NUMBA else plain

SHARPNESS = 1000.0
"""A source that gives a candidate a share *s* of its votes says ``log(1 + SHARPNESS * s)``."""


def shares(columns: FloatArray) -> FloatArray:
    """Votes as ``log(1 + SHARPNESS * share)``, shape kept; 0 stays 0.

    Shares do not change when an index grows, raw counts do: weights learnt on a part of the history hold on the whole.
    """
    found: FloatArray = how.log_shares(columns, SHARPNESS)
    return found


def relative(columns: FloatArray, which: IntArray) -> FloatArray:
    """Votes of these columns relative to the candidate with the most, 0 to 1."""
    found: FloatArray = how.relative_votes(columns, which)
    return found


def softmax(scores: FloatArray) -> FloatArray:
    """Scores as probabilities."""
    chance: FloatArray = how.softmax(scores)
    return chance


class Expert:
    """A linear score of features, with a weight vector for each bucket of what is known.

    :param names: of the features
    :param default: weights where nothing was learnt, by name; those not named are 0
    :param learnt: ``{"features": names, "weights": one list a bucket}``, ``None`` if nothing was learnt
    """

    def __init__(
        self, names: tuple[str, ...], default: Mapping[str, float], buckets: int, learnt: Mapping[str, Any] | None
    ) -> None:
        self.names, self.learnt = names, False
        weights = np.tile([default.get(name, 0.0) for name in names], (buckets, 1))
        if learnt and tuple(learnt["features"]) == names and len(learnt["weights"]) == buckets:
            weights, self.learnt = np.array(learnt["weights"], dtype=np.float64), True
        self._weights: FloatArray = weights.astype(np.float32)

    def scores(self, features: FloatArray, bucket: int) -> FloatArray:
        """Shape ``(candidates,)`` from features of shape ``(candidates, features)``."""
        found: FloatArray = features @ self._weights[bucket]
        return found

    def weights(self, bucket: int) -> FloatArray:
        """Those of the features, float32."""
        found: FloatArray = self._weights[bucket]
        return found

"""What slates taught: candidates ordered anew by weights learnt from what was clicked among what was shown.

A candidate's score is multiplied by ``exp(weights @ features)`` with the features of :func:`columns`: its own score
again, how probable it is that the visitor buys it, and who proposed it. What was learnt from is in
:mod:`mtp_plugin.feedback_training`; where the bundle has no weights for a strategy, its candidates stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from ..ports import Bundle
from ..records import Candidates, FloatArray, IntArray

KIND = "feedback"
FORMAT = 1
"""Of the bundle; another one cannot be read."""
SCORE, PROBABILITY = "score", "purchase_probability"
SMALLEST = 1e-9
MOST = 20.0
"""A factor is at most ``exp(MOST)`` and at least its inverse: scores stay finite."""


def columns(
    scores: FloatArray, probabilities: FloatArray, origins: Mapping[str, FloatArray], base: float
) -> dict[str, FloatArray]:
    """Features of candidates by name, each float64 ``(n,)``.

    :param scores: as the strategy gave them, above 0
    :param probabilities: of a purchase, NaN where nothing tells: that is taken as *base*
    :param origins: 1 for candidates that a source proposed, else 0, by source
    :param base: a usual probability, which counts as 0
    """
    told = np.where(np.isnan(probabilities), base, probabilities)
    found = {SCORE: np.log(np.maximum(np.asarray(scores, dtype=np.float64), SMALLEST))}
    found[PROBABILITY] = np.log(np.maximum(told, SMALLEST) / base)
    return found | dict(origins)


@dataclass(frozen=True, slots=True)
class Weights:
    """Of one strategy: a weight for each feature by name, and the probability that counts as usual."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    base: float

    @property
    def ask(self) -> bool:
        """Whether the probability of a purchase has a part in it."""
        return PROBABILITY in self.names

    def factors(self, features: Mapping[str, FloatArray]) -> FloatArray:
        """What multiplies each score, float64 ``(n,)``."""
        said = sum((weight * features[name] for name, weight in zip(self.names, self.values, strict=True)), np.zeros(1))
        said = said - np.mean(said) if np.size(said) else said
        found: FloatArray = np.exp(np.clip(said, -MOST, MOST))
        return found


class Feedback:
    """The weights that serve, by strategy.

    :param bundle: of the kind ``feedback``; without one nothing is changed
    :raises ModelError: one that this code cannot read
    """

    def __init__(self, bundle: Bundle | None = None) -> None:
        self.weights: dict[str, Weights] = weights_of(bundle) if bundle else {}

    def reordered(self, strategy: str, found: Candidates, probabilities: FloatArray | None) -> Candidates:
        """The candidates in their new order, with their new scores.

        :param probabilities: of a purchase, where the weights :attr:`~Weights.ask`; ``None``: nothing tells
        """
        weights = self.weights.get(strategy)
        if weights is None or len(found) < 2:
            return found
        told = np.full(len(found), np.nan) if probabilities is None else probabilities
        features = columns(found.scores, told, _origins(found.origins, found.sources, weights.names), weights.base)
        scores = (found.scores * weights.factors(features)).astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        return Candidates(
            rows=found.rows[order],
            scores=scores[order],
            origins=found.origins[order],
            anchors=found.anchors[order],
            sources=found.sources,
        )


def weights_of(bundle: Bundle) -> dict[str, Weights]:
    """What a bundle holds, by strategy.

    :raises ModelError: one that this code cannot read
    """
    if bundle.meta.get("format") != FORMAT:
        raise ModelError(
            f"feedback model {bundle.version} has format {bundle.meta.get('format')}, this code reads {FORMAT}: "
            "run `flask mtp train`"
        )
    try:
        return {
            strategy: Weights(tuple(said["names"]), tuple(map(float, said["weights"])), float(said["base"]))
            for strategy, said in bundle.meta["strategies"].items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"feedback model {bundle.version} is damaged: {error}") from error


def _origins(bits: IntArray, sources: Sequence[str], names: Sequence[str]) -> dict[str, FloatArray]:
    place = {source: at for at, source in enumerate(sources)}
    return {
        name: ((bits >> place[name]) & 1).astype(np.float64) if name in place else np.zeros(len(bits))
        for name in names
        if name not in (SCORE, PROBABILITY)
    }

"""Many effects at once: how often chance finds one among them, and what a part of the visitors says of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted so that the chance of any false finding stays below the error (Holm 1979)."""
    order = np.argsort(p_values)
    found, highest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        found[place] = highest
    return found


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted so that the expected share of false ones among what is found stays below the error."""
    return [float(p) for p in false_discovery_control(p_values)] if len(p_values) else []


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A part's effect drawn towards that of all, by how little is known of the part."""

    effect: float
    error: float
    weight: float


def shrunk(effects: Sequence[float], errors: Sequence[float]) -> list[Shrunk]:
    """Effects of parts, by empirical Bayes: normal around a common mean, whose spread between parts is estimated by the
    method of moments (DerSimonian and Laird 1986).

    ``weight`` is how much of a part's own effect is left: 0 where all parts say the same, to within their errors.
    """
    said, variance = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float) ** 2
    if len(said) < 2:
        return [Shrunk(float(e), float(s), 1.0) for e, s in zip(effects, errors, strict=True)]
    weights = 1.0 / variance
    mean = float((weights * said).sum() / weights.sum())
    heterogeneity = float((weights * (said - mean) ** 2).sum())
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    between = max(0.0, (heterogeneity - (len(said) - 1)) / scale)
    weights = 1.0 / (variance + between)
    mean, of_mean = float((weights * said).sum() / weights.sum()), float(1.0 / weights.sum())
    kept = between / (between + variance)
    spread = np.sqrt(kept * variance + (1.0 - kept) ** 2 * of_mean)
    drawn = kept * said + (1.0 - kept) * mean
    return [Shrunk(float(d), float(s), float(k)) for d, s, k in zip(drawn, spread, kept, strict=True)]

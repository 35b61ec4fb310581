"""Whether a log can tell of a policy at all: what it never tried, and how much rests on how few rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .intervals import mean_interval, totals
from .log import Floats, Log, Target

LARGEST = 100
"""Part (one of so many) of the rows whose share of all weight is told."""


@dataclass(frozen=True, slots=True)
class Support:
    """How much of the target the log has seen.

    ``rows`` and ``clusters`` are those of the log; ``ess`` is the effective sample size in rows (Kish:
    (sum w)^2 / sum w^2); ``reward_ess`` is how many rewards the estimate's *interval* rests on: the share of rows with
    a reward times (sum w^2)^2 / sum w^4, so that few heavy rows count as few. ``unsupported``
    is the share of the target's probability on actions never taken in their group; ``mean_weight`` should be 1, and
    ``weight_low`` to ``weight_high`` is its interval (level 0.999). ``max_weight`` is the largest, ``tail`` the share
    of all weight on the heaviest hundredth of the rows.
    """

    rows: int
    clusters: int
    ess: float
    reward_ess: float
    unsupported: float
    mean_weight: float
    weight_low: float
    weight_high: float
    max_weight: float
    tail: float


def support_of(log: Log, target: Target, weights: Floats) -> Support:
    """What the log can tell of a target with these weights."""
    seen = np.zeros(log.n_groups * log.n_actions, bool)
    seen[log.cells] = True
    mass = float(target.probabilities.sum())
    low, high = mean_interval(totals(weights / _rows_per_unit(log), log.unit, log.cluster), 0.999)
    heaviest = np.sort(weights)[-max(1, math.ceil(len(weights) / LARGEST)) :]
    return Support(
        rows=len(log),
        clusters=len(np.unique(log.cluster)),
        ess=_effective(weights),
        reward_ess=_effective(weights**2) * float(np.mean(log.reward != 0)),
        unsupported=float(target.probabilities[~seen[target.cells(log)]].sum()) / mass if mass else 1.0,
        mean_weight=float(weights.mean()),
        weight_low=low,
        weight_high=high,
        max_weight=float(weights.max()),
        tail=float(heaviest.sum() / weights.sum()) if weights.sum() else 0.0,
    )


def _rows_per_unit(log: Log) -> float:
    return len(log) / len(np.unique(log.unit))


def _effective(weights: Floats) -> float:
    squares = float(np.sum(weights**2))
    return float(weights.sum() ** 2 / squares) if squares else 0.0

"""How good probabilities are: ranking, calibration and lift, beside the base rate; what each feature is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from ...records import BoolArray, FloatArray
from .examples import Examples
from .search import log_loss

BINS = 10
MOST_ROWS = 20_000
"""Rows that importance is measured on."""


def figures(y: BoolArray, p: FloatArray, weight: FloatArray) -> dict[str, Any]:
    """ROC-AUC, PR-AUC (average precision), log loss, Brier and expected calibration error; and of the base rate.

    ``curve`` has tenths of the pairs by probability: mean probability, share bought, lift over the base rate.
    """
    base = float(np.average(y, weights=weight))
    both = 0 < y.sum() < len(y)
    constant = np.full(len(y), base)
    return {
        "pairs": len(y),
        "base_rate": round(base, 6),
        "roc_auc": round(float(roc_auc_score(y, p, sample_weight=weight)), 5) if both else None,
        "pr_auc": round(float(average_precision_score(y, p, sample_weight=weight)), 5) if both else None,
        "log_loss": round(log_loss(y, p, weight), 6),
        "brier": round(float(np.average((p - y) ** 2, weights=weight)), 6),
        "ece": round(calibration_error(y, p, weight), 5),
        "of_base_rate": {
            "roc_auc": 0.5,
            "pr_auc": round(base, 6),
            "log_loss": round(log_loss(y, constant, weight), 6),
            "brier": round(base * (1 - base), 6),
        },
        "curve": curve(y, p, weight, base),
    }


def calibration_error(y: BoolArray, p: FloatArray, weight: FloatArray, bins: int = BINS) -> float:
    """Expected calibration error over *bins* of equal width (Naeini, Cooper, Hauskrecht, AAAI 2015)."""
    place = np.minimum((p * bins).astype(int), bins - 1)
    mass = np.bincount(place, weights=weight, minlength=bins)
    said, done = (np.bincount(place, weights=weight * values, minlength=bins) for values in (p, y))
    return float(np.abs(said - done).sum() / mass.sum())


def curve(y: BoolArray, p: FloatArray, weight: FloatArray, base: float) -> list[dict[str, float]]:
    """Tenths of the pairs, the most probable first."""
    order = np.argsort(-p, kind="stable")
    upto = np.cumsum(weight[order])
    place = np.minimum((upto / upto[-1] * BINS - 1e-9).astype(int), BINS - 1)
    found = []
    for tenth in range(BINS):
        rows = order[place == tenth]
        if len(rows):
            said, done = (float(np.average(values[rows], weights=weight[rows])) for values in (p, y))
            lift = round(done / base, 4) if base else 0.0
            found.append({"probability": round(said, 6), "bought": round(done, 6), "lift": lift})
    return found


def importance(
    probabilities: Callable[[FloatArray], FloatArray], examples: Examples, names: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """Permutation importance: how much log loss grows when a feature's values are shuffled; the weightiest first.

    (Breiman: Random forests, Machine Learning 45, 2001.)
    """
    random = np.random.default_rng(seed)
    some = examples.rows(np.sort(random.permutation(len(examples))[:MOST_ROWS]))
    whole = log_loss(some.y, probabilities(some.x), some.weight)
    found = []
    for column, name in enumerate(names):
        shuffled = some.x.copy()
        shuffled[:, column] = random.permutation(shuffled[:, column])
        loss = log_loss(some.y, probabilities(shuffled), some.weight)
        found.append({"feature": name, "log_loss": round(loss - whole, 6)})
    return sorted(found, key=lambda one: -float(one["log_loss"]))

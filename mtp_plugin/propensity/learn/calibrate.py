"""Calibration on a later slice: in a straight line of the log-odds, or isotonic where that is better."""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from ...trees import Trees
from ..scorer import Layers, Scorer, sigmoid
from .examples import Examples
from .search import log_loss

FEW = 1_000
"""Purchases below which steps would follow chance."""


def calibrate(estimator: Trees | Layers, examples: Examples) -> Scorer:
    """The estimator with the calibration that does better (log loss) on visitors whom it did not see."""
    scores = estimator.scores(examples.x)
    y, weight = examples.y, examples.weight
    if not 0 < y.sum() < len(y):
        return Scorer(estimator)
    if y.sum() >= FEW:
        half = examples.visitor % 2 == 0
        losses = [
            log_loss(y[~half], made.calibrated(scores[~half]), weight[~half])
            for made in (how(estimator, scores[half], y[half], weight[half]) for how in (_line, _steps))
        ]
        if losses[1] < losses[0]:
            return _steps(estimator, scores, y, weight)
    return _line(estimator, scores, y, weight)


def _line(estimator: Trees | Layers, scores: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Scorer:
    """Platt: Probabilistic outputs for support vector machines, 1999."""
    fitted = LogisticRegression(C=1e6).fit(scores[:, None], y, sample_weight=weight / weight.mean())
    return Scorer(estimator, float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def _steps(estimator: Trees | Layers, scores: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Scorer:
    """Zadrozny, Elkan: Transforming classifier scores into accurate multiclass probability estimates, KDD 2002."""
    fitted = IsotonicRegression(out_of_bounds="clip").fit(sigmoid(scores), y, sample_weight=weight)
    return Scorer(estimator, steps=np.stack((fitted.X_thresholds_, fitted.y_thresholds_)).astype(np.float64))

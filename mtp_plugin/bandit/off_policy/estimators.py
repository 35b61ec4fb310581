"""IPS, SNIPS, direct method and doubly robust: each as what every row contributes.

An estimator gives an array of shape (n,) whose sum over the rows, divided by the number of units, is the estimate; and
which, as influence function, carries its uncertainty: rows of a cluster are added up, and the spread of those sums is
that of the estimate. Sources: Horvitz & Thompson 1952 (IPS); Swaminathan & Joachims 2015 (SNIPS); Dudik, Langford & Li
2011 (DM, DR); Li et al. 2018 (item-position model: each position of a slate is weighted by its own propensity).
"""

from __future__ import annotations

import numpy as np

from .log import Floats, Log, Target
from .reward_model import CellMeans, cross_fitted


def weights_of(log: Log, target: Target) -> Floats:
    """How much more likely the target was to do what was done, shape (n,)."""
    return np.asarray(target.of_logged(log) / log.propensity)


def ips(log: Log, weights: Floats) -> Floats:
    """Inverse propensity scoring: unbiased where the log explored, and as wide as the weights are.

    >>> log = Log(np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([0, 1]), 2)
    >>> ips(log, weights_of(log, Target.always(log, 0))).sum() / 2
    1.0
    """
    return np.asarray(weights * log.reward)


def snips(log: Log, weights: Floats) -> Floats:
    """Self-normalised IPS: position by position the weighted mean, which no shift of all rewards moves.

    A position is worth its weighted mean times how often it was decided for a unit.
    """
    out = np.zeros(len(log))
    for position in np.unique(log.position):
        here = log.position == position
        w, reward = weights[here], log.reward[here]
        total = w.sum()
        value = float(w @ reward / total) if total > 0 else 0.0
        # The linearised ratio: its mean is the estimate itself.
        out[here] = value + (w * (reward - value)) * (here.sum() / total if total > 0 else 0.0)
    return out


def direct(log: Log, target: Target) -> Floats:
    """Direct method: what the reward model expects; as good as the model, and no better.

    The spread tells how sure the model's means are, as if they were all there is to know.
    """
    model, cells = CellMeans.fit(log), target.cells(log)
    expected = np.bincount(target.rows, target.probabilities * model.means[cells], len(log))
    mass = np.bincount(cells, target.probabilities, len(model.means))
    own = mass / np.maximum(model.counts + model.strength, 1e-12)
    drawn = (mass * model.strength / np.maximum(model.counts + model.strength, 1e-12)).reshape(-1, log.n_actions).sum(1)
    rows = np.maximum(np.bincount(log.group, minlength=log.n_groups), 1)
    residual = log.reward - model.means[log.cells]
    leverage = own[log.cells] + (drawn / rows)[log.group]
    noise = leverage * residual
    return np.asarray(expected + noise - noise.mean())


def doubly_robust(log: Log, weights: Floats, expected: Floats, logged: Floats) -> Floats:
    """The model's expectation, put right by what really came of what was done: right if either model or log is.

    :param expected: what the model expects of the target at each row
    :param logged: what it expects of the action that was taken
    """
    return np.asarray(expected + weights * (log.reward - logged))


__all__ = ["cross_fitted", "direct", "doubly_robust", "ips", "snips", "weights_of"]

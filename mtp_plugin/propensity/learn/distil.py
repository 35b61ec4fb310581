"""An estimator of any kind as trees: a boosting learns to say what the estimator says of visitors it has not seen.

Requests are answered from arrays. What cannot be written as arrays is taught to trees instead: the estimator is fitted
on all visitors but some and asked about those, part by part, and trees are fitted to its log-odds (Hinton et al.,
*Distilling the knowledge in a neural network*, 2015). On rows that it was fitted on itself, a forest or a neighbour
search says what happened, not what is probable; so it is never asked about them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from ...records import FloatArray
from ...trees import Trees, of_hist_boosting
from .examples import Examples

PARTS = 4
"""Parts of the visitors."""
FLOOR = 1e-4
"""No probability is taken as nearer to 0 or 1: a count of no neighbours in five is not certainty."""
STUDENT = {"max_iter": 200, "learning_rate": 0.08, "max_leaf_nodes": 15, "max_bins": 63, "early_stopping": False}

Fit = Callable[[Examples], Callable[[FloatArray], FloatArray]]
"""Fits an estimator on rows; gives what tells probabilities."""


def distilled(fit: Fit, examples: Examples, seed: int) -> Trees:
    """Trees whose sums are the log-odds that the estimator gives.

    :raises ValueError: the examples are of one visitor
    """
    people = np.unique(examples.visitor)
    if len(people) < 2:
        raise ValueError("a model is distilled from several visitors")
    part_of = dict(
        zip(people.tolist(), (np.random.default_rng(seed).permutation(len(people)) % PARTS).tolist(), strict=True)
    )
    part = np.array([part_of[visitor] for visitor in examples.visitor.tolist()])
    said: FloatArray = np.zeros(len(examples))
    for one in np.unique(part).tolist():
        rest = examples.rows(part != one)
        if 0 < rest.y.sum() < len(rest):
            said[part == one] = fit(rest)(examples.x[part == one])
        else:
            said[part == one] = np.average(rest.y, weights=rest.weight)
    said = np.clip(said, FLOOR, 1 - FLOOR)
    student = HistGradientBoostingRegressor(**STUDENT, random_state=seed)
    x = np.where(np.isnan(examples.x).all(axis=0), np.float32(0), examples.x)
    student.fit(x, np.log(said / (1 - said)), sample_weight=examples.weight / examples.weight.mean())
    return of_hist_boosting(student)


def fidelity(teacher: FloatArray, student: FloatArray) -> float:
    """Of the estimator's log-odds the share of the variance that the trees say too, at most 1."""
    said = np.log(np.clip(teacher, FLOOR, 1 - FLOOR) / (1 - np.clip(teacher, FLOOR, 1 - FLOOR)))
    spread = float(((said - said.mean()) ** 2).mean())
    return 1 - float(((said - student) ** 2).mean()) / spread if spread > 0 else 1.0

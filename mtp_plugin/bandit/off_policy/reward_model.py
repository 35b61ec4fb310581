"""A simple model of rewards: the mean of each action in each group, drawn towards that of the group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...records import IntArray
from .log import Floats, Log, Target

FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class CellMeans:
    """Mean rewards of cells (a group and an action) as empirical Bayes has them.

    A cell with ``count`` rows weighs ``count / (count + strength)`` beside the mean of its group. The strength is the
    variance within cells over that between them, by moments (Efron & Morris 1975), so that what differs by chance
    alone is drawn together altogether.

    >>> log = Log(np.array([1.0, 0, 1, 0]), np.full(4, .5), np.array([0, 0, 1, 1]), 2)
    >>> CellMeans.fit(log).means.round(2).tolist()
    [0.5, 0.5]
    """

    means: Floats
    counts: Floats
    strength: float

    @classmethod
    def fit(cls, log: Log, use: np.ndarray | None = None) -> CellMeans:
        """Learn from the rows of *log* that *use* (booleans) names, all if not said."""
        use = np.ones(len(log), bool) if use is None else use
        size, cells, reward = log.n_groups * log.n_actions, log.cells[use], log.reward[use]
        counts = np.bincount(cells, minlength=size).astype(float)
        sums, squares = (np.bincount(cells, values, size).astype(float) for values in (reward, reward**2))
        of_group = np.repeat(
            _ratio(*(table.reshape(-1, log.n_actions).sum(1) for table in (sums, counts))), log.n_actions
        )
        strength = _strength(counts, sums, squares, of_group)
        means = (sums + strength * of_group) / np.maximum(counts + strength, 1e-12)
        return cls(np.where(counts + strength > 0, means, of_group), counts, strength)


def _ratio(sums: Floats, counts: Floats) -> Floats:
    overall = sums.sum() / max(counts.sum(), 1.0)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1.0), overall))


def _strength(counts: Floats, sums: Floats, squares: Floats, of_group: Floats) -> float:
    """Within-cell variance over between-cell variance; a large number where cells do not differ."""
    known = counts > 0
    within_squares = float(np.sum(squares[known] - sums[known] ** 2 / counts[known]))
    freedom = counts.sum() - known.sum()
    if freedom <= 0:
        return float(max(counts.sum(), 1.0))
    within = within_squares / freedom
    spread = float(np.sum(counts[known] * (sums[known] / counts[known] - of_group[known]) ** 2))
    between = (spread - within * known.sum()) / max(counts.sum(), 1.0)
    return float(min(within / between, 1e6)) if between > 0 and within > 0 else (1e6 if between <= 0 else 1.0)


def cross_fitted(log: Log, target: Target, folds: int = FOLDS) -> tuple[Floats, Floats]:
    """What the model expects of the target and of what was done, shape (n,) each; never of a row it has learnt from.

    Rows of one cluster are in one fold.
    """
    fold, cells = _folds(log.cluster, folds), target.cells(log)
    expected, logged = np.zeros(len(log)), np.zeros(len(log))
    for number in range(folds):
        here = fold == number
        if not here.any():
            continue
        means = CellMeans.fit(log, ~here).means
        logged[here] = means[log.cells[here]]
        mine = here[target.rows]
        expected += np.bincount(target.rows[mine], target.probabilities[mine] * means[cells[mine]], len(log))
    return expected, logged


def _folds(cluster: IntArray, folds: int) -> IntArray:
    """A fold for each row by its cluster, as good as random and the same each time."""
    mixed = (cluster.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray((mixed >> np.uint64(40)) % np.uint64(folds), dtype=np.int64)

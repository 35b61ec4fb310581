"""Trees grow as scikit-learn's do, with numba and without it, and as large as they may."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from mtp_plugin.candidates.learn import boosting, plain_trees, tree_bins, tree_kernels
from mtp_plugin.candidates.learn.boosting import Boosting
from mtp_plugin.candidates.learn.lessons import STEP, Lessons
from mtp_plugin.trees import PARTS, Trees, depths, of_hist_boosting

BOOSTING = Boosting(trees=12, leaves=9, depth=4, rate=0.2, ridge=3.0)


def rows_of(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of all kinds, what is chosen by them, and weights."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 6)).astype(np.float32)
    rows[:, 1] = random.integers(0, 3, count)
    rows[:, 2] = np.where(random.random(count) < 0.8, 0.0, rows[:, 2])
    rows[:, 3] = 7.0  # never varies
    rows[:, 4] = rows[:, 0]  # says nothing more
    chosen = random.random(count) < 1 / (1 + np.exp(2 - rows[:, 0] - rows[:, 1] * (rows[:, 2] > 0)))
    return rows, chosen.astype(np.float32), random.uniform(0.1, 3.0, count).astype(np.float32)


def theirs(rows: np.ndarray, chosen: np.ndarray, weights: np.ndarray, least: int) -> Trees:
    """What scikit-learn grows."""
    estimator = HistGradientBoostingClassifier(
        max_iter=12, max_leaf_nodes=9, max_depth=4, learning_rate=0.2, l2_regularization=3.0, early_stopping=False,
        min_samples_leaf=least, random_state=5,
    )  # fmt: skip
    return of_hist_boosting(estimator.fit(rows, chosen, sample_weight=weights))


def is_same(one: Trees, other: Trees) -> bool:
    """Whether all splits are the same, and leaves the same but for what rounding leaves."""
    splits = all(np.array_equal(getattr(one, part), getattr(other, part)) for part in PARTS if part != "value")
    return splits and np.allclose(one.value, other.value, rtol=1e-9) and np.isclose(one.baseline, other.baseline)


@pytest.mark.parametrize(("count", "least"), [(3_000, 20), (700, 60)])
def test_trees_are_those_of_scikit_learn(count: int, least: int) -> None:
    told = rows_of(count)
    assert is_same(BOOSTING.grow(*told, least=least, seed=5), theirs(*told, least))


def test_bins_of_many_rows_are_found_from_as_many_as_scikit_learn_draws() -> None:
    told = rows_of(tree_bins.ENOUGH + 1_000)
    few = Boosting(trees=2, leaves=9, depth=4, rate=0.2, ridge=3.0).grow(*told, least=50, seed=5)
    assert np.array_equal(few.threshold, theirs(*told, 50).threshold[: len(few.threshold)])


def test_without_numba_the_same_trees_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    told = rows_of(2_000, seed=1)
    grown = []
    for how in (tree_kernels, plain_trees):
        monkeypatch.setattr(boosting, "how", how)
        grown.append(BOOSTING.grow(*told, least=20, seed=0))
    assert is_same(*grown)


@pytest.mark.parametrize("how", [tree_kernels, plain_trees])
def test_leaves_hold_enough_and_trees_end(how: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "how", how)
    rows, chosen, weights = rows_of(900)
    trees = Boosting(trees=3, leaves=40, depth=3).grow(rows, chosen, weights, least=100, seed=0)
    assert depths(trees).max() <= 3
    for root, stop in zip(trees.roots, np.append(trees.roots[1:], len(trees.left)), strict=True):
        leaves = np.flatnonzero(trees.left[root:stop] < 0) + root
        held = dict.fromkeys(leaves.tolist(), 0)
        for row in rows:
            node = int(root)
            while trees.left[node] >= 0:
                goes_left = row[trees.feature[node]] <= trees.threshold[node]
                node = int(trees.left[node] if goes_left else trees.right[node])
            held[node] += 1
        assert min(held.values()) >= 100


@pytest.mark.parametrize("how", [tree_kernels, plain_trees])
def test_rows_that_are_alike_grow_one_leaf(how: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "how", how)
    rows, chosen = np.zeros((60, 2), dtype=np.float32), (np.arange(60) < 15).astype(np.float32)
    trees = Boosting(trees=2).grow(rows, chosen, np.ones(60), least=5, seed=0)
    assert (trees.left < 0).all()
    assert trees.scores(rows) == pytest.approx(np.log(15 / 45))


@pytest.mark.parametrize("wrong", [{"trees": 0}, {"leaves": 1}, {"depth": 0}])
def test_what_cannot_grow_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="cannot be grown"):
        Boosting(**wrong)


def test_lessons_are_kept_in_order_however_many_there_are() -> None:
    lessons, random = Lessons(), np.random.default_rng(0)
    told = [random.normal(size=(size, 3)).astype(np.float32) for size in (5, STEP - 2, 1, 3)]
    for rows in told:
        lessons.add(rows, rows[:, 0] > 0, np.full(len(rows), 0.5))
    rows, chosen, weights = lessons.arrays()
    assert (len(lessons), lessons.questions) == (STEP + 7, 4)
    assert np.array_equal(rows, np.concatenate(told))
    assert np.array_equal(chosen, rows[:, 0] > 0)
    assert (weights == 0.5).all()

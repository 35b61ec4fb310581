"""Trees as arrays say what the library that grew them says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from mtp_plugin.trees import PARTS, Trees, Walk, depths, of_hist_boosting, plain_sums, sums


def grown(missing: float = 0.1) -> tuple[HistGradientBoostingClassifier, np.ndarray]:
    random = np.random.default_rng(3)
    x = random.normal(size=(3_000, 6)).astype(np.float32)
    x[random.random(x.shape) < missing] = np.nan
    y = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) ** 2 + random.normal(size=len(x)) > 0.7
    return HistGradientBoostingClassifier(max_iter=40, random_state=1).fit(x, y), x


def test_scores_are_those_of_the_estimator() -> None:
    estimator, x = grown()
    trees = of_hist_boosting(estimator)
    expected = estimator.decision_function(x)
    assert np.abs(trees.scores(x) - expected).max() < 1e-9
    assert trees.width <= 6


def test_compiled_and_plain_walks_agree() -> None:
    estimator, x = grown()
    trees = of_hist_boosting(estimator)
    parts = (trees.feature, trees.threshold, trees.left, trees.right, trees.missing_left, trees.value, trees.roots)
    assert np.array_equal(sums(x[:300], *parts, trees.baseline), plain_sums(x[:300], *parts, trees.baseline))


def test_the_even_walk_ends_in_the_same_leaves() -> None:
    estimator, x = grown(missing=0.0)
    trees = of_hist_boosting(estimator)
    assert np.array_equal(Walk(trees).scores(x[:300]), trees.scores(x[:300]))
    alone = Trees(*(getattr(trees, part)[:0] for part in PARTS), baseline=1.5)
    assert Walk(alone).scores(x[:3]).tolist() == [1.5] * 3
    assert depths(trees).max() >= 2


def test_arrays_come_back_and_damage_is_told() -> None:
    estimator, x = grown()
    trees = of_hist_boosting(estimator)
    arrays = trees.arrays("some_")
    assert np.array_equal(Trees.of_arrays(arrays, "some_").scores(x[:50]), trees.scores(x[:50]))
    with pytest.raises(ValueError, match="point outside"):
        Trees.of_arrays(arrays | {"some_left": arrays["some_left"] + 10_000}, "some_")
    with pytest.raises(ValueError, match="before the first"):
        Trees.of_arrays(arrays | {"some_feature": arrays["some_feature"] - 10_000}, "some_")


def test_more_than_two_classes_are_refused() -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(300, 2)), random.integers(0, 3, 300)
    with pytest.raises(ValueError, match="two classes"):
        of_hist_boosting(HistGradientBoostingClassifier(max_iter=2).fit(x, y))

"""Estimators by dotted name: made, fitted, and written as the arrays that serve."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Callable, Mapping
from copy import copy
from inspect import signature
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ...errors import SetupError
from ...records import FloatArray
from ...trees import Trees, joined, of_hist_boosting
from ..scorer import Layers, scaled
from .distil import distilled
from .examples import Examples

HIST = "sklearn.ensemble.HistGradientBoostingClassifier"
XGBOOST = "xgboost.XGBClassifier"
LIGHTGBM = "lightgbm.LGBMClassifier"
MLP = "sklearn.neural_network.MLPClassifier"
LINEAR = "sklearn.linear_model.LogisticRegression"

DEFAULTS: Mapping[str, dict[str, Any]] = {
    HIST: {"max_iter": 120, "learning_rate": 0.08, "max_leaf_nodes": 15, "max_bins": 63, "early_stopping": False},
    XGBOOST: {"n_estimators": 120, "learning_rate": 0.08, "max_leaves": 15, "grow_policy": "lossguide", "n_jobs": 1},
    LIGHTGBM: {
        "n_estimators": 120, "learning_rate": 0.08, "num_leaves": 15, "n_jobs": 1, "verbose": -1,
        "deterministic": True, "force_row_wise": True,
    },
    MLP: {"hidden_layer_sizes": (32, 16), "alpha": 1e-3, "batch_size": 512, "max_iter": 20},
    LINEAR: {"C": 1.0, "max_iter": 300},
}  # fmt: skip
SPACES: Mapping[str, dict[str, tuple[Any, ...]]] = {
    HIST: {
        "learning_rate": (0.04, 0.08, 0.15), "max_leaf_nodes": (7, 15, 31), "min_samples_leaf": (20, 100, 400),
        "l2_regularization": (0.0, 1.0, 10.0),
    },
    XGBOOST: {"learning_rate": (0.04, 0.08, 0.15), "max_leaves": (7, 15, 31), "min_child_weight": (1.0, 10.0, 50.0)},
    LIGHTGBM: {
        "learning_rate": (0.04, 0.08, 0.15), "num_leaves": (7, 15, 31), "min_child_samples": (20, 100, 400),
    },
    MLP: {"hidden_layer_sizes": ((16,), (32, 16), (64, 32)), "alpha": (1e-4, 1e-3, 1e-2)},
    LINEAR: {"C": (0.01, 0.1, 1.0, 10.0)},
}  # fmt: skip
"""What the search tries; of other estimators nothing but their own defaults."""
TREES = ("HistGradientBoostingClassifier", "XGBClassifier", "LGBMClassifier")
SCALED = ("MLPClassifier", "LogisticRegression")


class Fitted:
    """A fitted estimator with the scaling of its rows; ``export`` gives the arrays that say the same.

    :param dotted: of a class as scikit-learn's are
    :param params: beside the defaults
    :raises SetupError: it is not installed, or cannot be served
    """

    def __init__(self, dotted: str, params: Mapping[str, Any], seed: int) -> None:
        kind = load(dotted)
        given = {**DEFAULTS.get(dotted, {}), **params}
        if "random_state" in kind().get_params():
            given["random_state"] = seed
        self._make: Callable[[], Any] = lambda: kind(**given)
        self.estimator = self._make()
        self.exact, self._seed, self._name = kind.__name__ in TREES + SCALED, seed, dotted
        """Whether the arrays say the same; those of other kinds are :mod:`distilled <.distil>`."""
        self._scaled = kind.__name__ not in TREES
        self._trees: Trees | None = None
        self._mean: FloatArray = np.zeros(0)
        self._scale: FloatArray = np.zeros(0)

    def fit(self, examples: Examples) -> Fitted:
        """Learn, in one thread: the same rows give the same model, whatever the machine.

        :raises SetupError: an estimator of another kind that fails
        """
        if self.exact:
            return self._fit(examples)
        try:
            self._trees = distilled(self._taught, examples, self._seed)
            return self._fit(examples)
        except (TypeError, ValueError, AttributeError) as error:
            raise SetupError(f"MTP_PROPENSITY_ESTIMATOR {self._name!r} cannot learn purchases: {error}") from error

    def _taught(self, examples: Examples) -> Callable[[FloatArray], FloatArray]:
        other = copy(self)
        other.estimator = self._make()
        return other._fit(examples).probabilities

    def _fit(self, examples: Examples) -> Fitted:
        x = examples.x
        if self._scaled:
            self._mean, self._scale = _scaling(x)
            x = scaled(x, self._mean, self._scale)
        else:
            x = np.where(np.isnan(x).all(axis=0), np.float32(0), x)  # of what is never known nothing can be learnt
        even = bool((examples.weight == examples.weight[0]).all())  # weights make binning slow
        weighs = not even and "sample_weight" in signature(self.estimator.fit).parameters
        more = {"sample_weight": examples.weight / examples.weight.mean()} if weighs else {}
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.estimator.fit(x, examples.y, **more)
        return self

    def probabilities(self, x: FloatArray) -> FloatArray:
        """As the library says."""
        x = scaled(x, self._mean, self._scale) if self._scaled else x
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: FloatArray = self.estimator.predict_proba(x)[:, 1]
        return found

    def export(self) -> Trees | Layers:
        """The same as arrays, or what was distilled from it."""
        name, estimator = type(self.estimator).__name__, self.estimator
        if self._trees is not None:
            return self._trees
        if name == "HistGradientBoostingClassifier":
            return of_hist_boosting(estimator)
        if name == "XGBClassifier":
            return _of_xgboost(estimator)
        if name == "LGBMClassifier":
            return _of_lightgbm(estimator)
        if name == "MLPClassifier":
            return Layers(self._mean, self._scale, tuple(estimator.coefs_), tuple(estimator.intercepts_))
        return Layers(self._mean, self._scale, (estimator.coef_.T,), (estimator.intercept_,))


def load(dotted: str) -> type[Any]:
    """The class of this name.

    :raises SetupError: it is not there, or does not tell probabilities
    """
    module, _, name = dotted.rpartition(".")
    try:
        found: type[Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SetupError(f"MTP_PROPENSITY_ESTIMATOR {dotted!r} is not installed: {error}") from error
    if not isinstance(found, type) or not all(hasattr(found, one) for one in ("fit", "predict_proba", "get_params")):
        raise SetupError(
            f"MTP_PROPENSITY_ESTIMATOR {dotted!r} does not tell probabilities: name a class with fit, predict_proba "
            f"and get_params, such as {HIST}"
        )
    return found


def _scaling(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a column of which nothing is known
        mean, scale = np.nanmean(x, axis=0, dtype=np.float64), np.nanstd(x, axis=0, dtype=np.float64)
    scale = np.nan_to_num(scale)
    return np.asarray(np.nan_to_num(mean)), np.where(scale > 0, scale, 1.0)


def _of_xgboost(estimator: Any) -> Trees:
    """XGBoost goes left where ``x < threshold`` in single precision: below, that is up to the number before it."""
    saved = json.loads(estimator.get_booster().save_raw("json"))["learner"]
    trees = []
    for tree in saved["gradient_booster"]["model"]["trees"]:
        left = np.array(tree["left_children"])
        value = np.array(tree["split_conditions"], dtype=np.float32)
        trees.append(
            {
                "feature": np.array(tree["split_indices"]),
                "threshold": np.nextafter(value, np.float32(-np.inf)).astype(np.float64),
                "left": left,
                "right": np.array(tree["right_children"]),
                "missing_left": np.array(tree["default_left"]),
                "value": np.where(left < 0, value, 0.0),
            }
        )
    base = float(np.ravel(np.array(json.loads(saved["learner_model_param"]["base_score"])))[0])
    return joined(trees, float(np.log(base / (1 - base))))


def _of_lightgbm(estimator: Any) -> Trees:
    trees = []
    for info in estimator.booster_.dump_model()["tree_info"]:
        nodes: list[tuple[int, float, int, int, int, float]] = []
        _flatten(info["tree_structure"], nodes)
        columns = list(zip(*nodes, strict=True))
        names = ("feature", "threshold", "left", "right", "missing_left", "value")
        trees.append({name: np.array(column) for name, column in zip(names, columns, strict=True)})
    return joined(trees, 0.0)


def _flatten(node: Mapping[str, Any], nodes: list[tuple[int, float, int, int, int, float]]) -> int:
    place = len(nodes)
    nodes.append((0, 0.0, -1, -1, 0, float(node.get("leaf_value", 0.0))))
    if "split_feature" in node:
        left = _flatten(node["left_child"], nodes)
        right = _flatten(node["right_child"], nodes)
        # Where training met no unknown values, LightGBM takes them for 0.
        missing = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0.0
        nodes[place] = (node["split_feature"], float(node["threshold"]), left, right, int(missing), 0.0)
    return place

"""Trees that were grown by a library, as arrays: to score rows without that library, in microseconds.

What ``learn`` folders grow is turned into :class:`Trees` once, at the end of a training, and kept in a bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import HAS_NUMBA, compiled
from .records import FloatArray, IntArray

Array = NDArray[Any]
PARTS = ("feature", "threshold", "left", "right", "missing_left", "value", "roots")


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Binary trees whose leaves' values add up; of a node, ``x[feature] <= threshold`` goes ``left``.

    All nodes of all trees stand in one list: ``feature`` int32, ``threshold`` float64, ``left`` and ``right`` int32
    places in the list (-1 for both in a leaf), ``missing_left`` int8 (whether NaN goes left), ``value`` float64 (of a
    leaf), each of shape ``(nodes,)``. ``roots`` int32 ``(trees,)``. ``baseline`` is added to every sum.
    """

    feature: IntArray
    threshold: FloatArray
    left: IntArray
    right: IntArray
    missing_left: IntArray
    value: FloatArray
    roots: IntArray
    baseline: float = 0.0

    def scores(self, rows: FloatArray) -> FloatArray:
        """The sums for *rows* of shape ``(n, features)``, float32, NaN where unknown; shape ``(n,)``.

        >>> stump = Trees(*map(np.array, ([0, 0, 0], [.5, 0., 0.], [1, -1, -1], [2, -1, -1], [1, 0, 0], [0., -1., 1.],
        ...     [0])))
        >>> stump.scores(np.array([[0.2], [0.7], [np.nan]], dtype=np.float32)).tolist()
        [-1.0, 1.0, -1.0]
        """
        found: FloatArray = (sums if HAS_NUMBA else plain_sums)(
            rows, self.feature, self.threshold, self.left, self.right, self.missing_left, self.value, self.roots,
            self.baseline,
        )  # fmt: skip
        return found

    def arrays(self, prefix: str) -> dict[str, Array]:
        """As arrays for a bundle, their names beginning with *prefix*."""
        found: dict[str, Array] = {f"{prefix}{part}": getattr(self, part) for part in PARTS}
        return found | {f"{prefix}baseline": np.array([self.baseline])}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array], prefix: str) -> Trees:
        """What :meth:`arrays` gave.

        :raises KeyError: some are missing
        :raises ValueError: a node or feature is out of range
        """
        parts: dict[str, Any] = {part: arrays[f"{prefix}{part}"] for part in PARTS}
        found = cls(**parts, baseline=float(arrays[f"{prefix}baseline"][0]))
        nodes = len(found.feature)
        for places in (found.left, found.right, found.roots):
            if len(places) and (int(places.min()) < -1 or int(places.max()) >= nodes):
                raise ValueError(f"the trees {prefix} point outside of their {nodes} nodes")
        if int(found.feature.min(initial=0)) < 0:
            raise ValueError(f"the trees {prefix} ask for features before the first")
        return found

    @property
    def width(self) -> int:
        """How many features a row must have at least."""
        return int(self.feature.max(initial=-1)) + 1


class Walk:
    """The same trees for rows in which nothing is unknown, in about a quarter of the time: no step depends on a guess.

    Leaves lead to themselves, so that every row takes as many steps down a tree as its deepest leaf is away. What a
    step needs of a node stands together. A row's numbers are float32, so each threshold may be the largest float32 that
    is not above it.

    :param trees: as they were grown
    """

    def __init__(self, trees: Trees) -> None:
        here, leaf = np.arange(len(trees.left)), trees.left < 0
        self._nodes: IntArray = np.empty((len(here), 4), dtype=np.uint32)
        self._nodes[:, 0] = trees.feature
        self._thresholds: FloatArray = self._nodes.view(np.float32)
        self._thresholds[:, 1] = _not_above(trees.threshold)
        self._nodes[:, 2] = np.where(leaf, here, trees.right)
        self._nodes[:, 3] = np.where(leaf, here, trees.left)
        self._trees, self._roots, self._depths = trees, trees.roots.astype(np.uint32), depths(trees)

    def scores(self, rows: FloatArray) -> FloatArray:
        """As :meth:`Trees.scores`, bit for bit; NaN goes right."""
        trees = self._trees
        if not HAS_NUMBA:
            return trees.scores(rows)
        found: FloatArray = walked(
            rows, self._nodes, self._thresholds, trees.value, self._roots, self._depths, trees.baseline
        )
        return found


def _not_above(thresholds: FloatArray) -> FloatArray:
    """Of each the largest float32 that is not above it: the same float32 numbers are at most both."""
    found: FloatArray = thresholds.astype(np.float32)
    above = found > thresholds
    found[above] = np.nextafter(found[above], np.float32(-np.inf))
    return found


def depths(trees: Trees) -> IntArray:
    """Steps from the root to the deepest leaf, int32 ``(trees,)``."""
    found = np.zeros(len(trees.roots), dtype=np.int32)
    for place, root in enumerate(trees.roots.tolist()):
        level = [root]
        while level := [
            side for node in level if trees.left[node] >= 0 for side in (int(trees.left[node]), int(trees.right[node]))
        ]:
            found[place] += 1
    return found


def joined(trees: list[dict[str, Array]], baseline: float) -> Trees:
    """Trees put into one list, each given as the arrays of its own nodes, the root first.

    :param trees: of each, ``feature``, ``threshold``, ``left``, ``right`` (-1 in leaves), ``missing_left``, ``value``
    """
    starts = np.cumsum([0, *(len(tree["value"]) for tree in trees)])[:-1] if trees else np.zeros(0)
    moved = [
        {side: np.where(tree[side] >= 0, tree[side] + start, -1) for side in ("left", "right")}
        for tree, start in zip(trees, starts, strict=True)
    ]
    kinds = {"feature": np.int32, "threshold": np.float64, "missing_left": np.int8, "value": np.float64}
    parts = {name: _flat([tree[name] for tree in trees], kind) for name, kind in kinds.items()}
    sides = {side: _flat([tree[side] for tree in moved], np.int32) for side in ("left", "right")}
    return Trees(**parts, **sides, roots=starts.astype(np.int32), baseline=baseline)


def of_hist_boosting(estimator: Any) -> Trees:
    """The trees of a fitted ``HistGradientBoostingClassifier`` of two classes (or ``Regressor``): sums are raw scores,
    log-odds of the second class, or of values before the link.

    :raises ValueError: more than two classes, or categorical splits
    """
    if any(len(stage) != 1 for stage in estimator._predictors):
        raise ValueError("only estimators of two classes can be written as trees")
    found = []
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes
        if nodes["is_categorical"].any():
            raise ValueError("splits by categories cannot be written as trees: give them as numbers")
        leaf = nodes["is_leaf"].astype(bool)
        found.append(
            {
                "feature": np.where(leaf, 0, nodes["feature_idx"]),
                "threshold": np.where(leaf, 0.0, nodes["num_threshold"]),
                "left": np.where(leaf, -1, nodes["left"].astype(np.int64)),
                "right": np.where(leaf, -1, nodes["right"].astype(np.int64)),
                "missing_left": nodes["missing_go_to_left"],
                "value": np.where(leaf, nodes["value"], 0.0),
            }
        )
    return joined(found, float(np.ravel(estimator._baseline_prediction)[0]))


@compiled
def sums(
    rows: Array,
    feature: Array,
    threshold: Array,
    left: Array,
    right: Array,
    missing_left: Array,
    value: Array,
    roots: Array,
    baseline: float,
) -> Array:
    """Walk every row down every tree; see :meth:`Trees.scores`."""
    found = np.full(len(rows), baseline, dtype=np.float64)
    for tree in range(len(roots)):
        for row in range(len(rows)):
            node = roots[tree]
            while left[node] >= 0:
                x = rows[row, feature[node]]
                if x != x:
                    node = left[node] if missing_left[node] else right[node]
                elif x <= threshold[node]:
                    node = left[node]
                else:
                    node = right[node]
            found[row] += value[node]
    return found


@compiled
def walked(
    rows: Array, nodes: Array, thresholds: Array, value: Array, roots: Array, depths: Array, baseline: float
) -> Array:
    """All rows down a tree together, a level at a time; see :class:`Walk`.

    :param nodes: of each its feature, its threshold (as *thresholds* has it), where it goes when the feature is above
        that, and where when not; without a sign, as a place that might be negative is looked at twice
    """
    count = len(rows)
    found = np.full(count, baseline, dtype=np.float64)
    node = np.empty(count, dtype=np.uint32)
    feature, threshold, above = np.uint32(0), np.uint32(1), np.uint32(2)
    for tree in range(len(roots)):
        node[:] = roots[tree]
        for _ in range(depths[tree]):
            for row in range(count):
                here = node[row]
                not_above = rows[row, nodes[here, feature]] <= thresholds[here, threshold]
                node[row] = nodes[here, above + np.uint32(not_above)]
        for row in range(count):
            found[row] += value[node[row]]
    return found


def plain_sums(
    rows: Array,
    feature: Array,
    threshold: Array,
    left: Array,
    right: Array,
    missing_left: Array,
    value: Array,
    roots: Array,
    baseline: float,
) -> Array:
    """The same without numba: all rows go down a tree together, a level at a time."""
    found = np.full(len(rows), baseline, dtype=np.float64)
    everyone = np.arange(len(rows))
    for root in roots.tolist():
        node = np.full(len(rows), root)
        while (inner := left[node] >= 0).any():
            x = rows[everyone, feature[node]].astype(np.float64)
            goes_left = np.where(np.isnan(x), missing_left[node] != 0, x <= threshold[node])
            node = np.where(inner, np.where(goes_left, left[node], right[node]), node)
        found += value[node]
    return found


def _flat(parts: list[Array], kind: Any) -> Array:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, dtype=kind)

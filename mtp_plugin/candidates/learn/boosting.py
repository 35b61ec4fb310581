"""Growing trees one after the other, each from what those before it left unexplained: gradient boosting by bins.

As scikit-learn's ``HistGradientBoostingClassifier`` does for two classes and rows in which nothing is unknown, split by
split, in less time and memory: values are binned once, without a copy of all rows as float64 and without
looking through all of them for each quantile; and sums run through the rows, not through the features.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...compiled import HAS_NUMBA
from ...records import FloatArray, IntArray
from ...trees import Trees, joined
from . import plain_trees, tree_kernels
from .tree_bins import Binned, thresholds

how = tree_kernels if HAS_NUMBA else plain_trees


@dataclass(frozen=True, slots=True)
class Boosting:
    """How trees grow.

    :param trees: how many
    :param leaves: of a tree, at most
    :param depth: steps from the root to a leaf, at most
    :param rate: how much of what it would correct a tree corrects
    :param ridge: added to the second derivatives in a leaf: few rows say little
    :raises ValueError: nothing could be grown
    """

    trees: int = 60
    leaves: int = 31
    depth: int = 7
    rate: float = 0.1
    ridge: float = 10.0

    def __post_init__(self) -> None:
        if self.trees < 1 or self.leaves < 2 or self.depth < 1:
            raise ValueError(f"{self.trees} trees of {self.leaves} leaves and {self.depth} steps cannot be grown")

    def grow(self, rows: FloatArray, chosen: FloatArray, weights: FloatArray, *, least: int, seed: int) -> Trees:
        """Trees whose sums are log-odds of being chosen.

        :param rows: float32 ``(n, features)``, nothing unknown
        :param chosen: 0 or 1 of each row, both at least once
        :param weights: of each row, above 0
        :param least: rows in a leaf, at least
        :param seed: of the rows that bins are found from
        """
        chosen, weights = chosen.astype(np.float64), weights.astype(np.float64)
        ends = thresholds(rows, weights, seed)
        bins = Binned.of(rows, ends, how.sparse)
        share = np.average(chosen, weights=weights)
        baseline = float(np.log(share / (1 - share)))
        scores = np.full(len(bins), baseline)
        first, second = np.empty(len(bins), np.float32), np.empty(len(bins), np.float32)
        grown = []
        for _ in range(self.trees):
            how.slopes(chosen, weights, scores, first, second)
            tree = _Tree(self, bins, least, first, second)
            tree.grow()
            tree.add_to(scores)
            grown.append(tree.arrays())
        return joined(grown, baseline)


@dataclass(slots=True)
class _Node:
    """Rows from *start* to *stop* of the tree's order, and what is known of them."""

    start: int
    stop: int
    slope: float
    curve: float
    value: float
    depth: int
    sums: tuple[FloatArray, IntArray] | None = None
    split: FloatArray = field(default_factory=lambda: np.zeros(6))
    children: tuple[_Node, ...] = ()

    def __len__(self) -> int:
        return self.stop - self.start

    def __lt__(self, other: _Node) -> bool:
        return bool(self.split[0] > other.split[0])


class _Tree:
    """One tree: the node whose split gains most is split next, until there are enough leaves."""

    def __init__(self, boosting: Boosting, bins: Binned, least: int, first: FloatArray, second: FloatArray) -> None:
        self._how, self._bins, self._least = boosting, bins, least
        self._first, self._second = first, second
        self._order = np.arange(len(bins), dtype=np.int32)
        self._spare = np.empty_like(self._order)
        self._open: list[_Node] = []

    def grow(self) -> None:
        """Split until nothing gains, or there are enough leaves."""
        sums = self._add_up(self._order)
        slope, curve = sums[0][:256].sum(axis=0).tolist()
        self._root = _Node(0, len(self._order), slope, curve, 0.0, 0, sums)
        self._weigh(self._root)
        leaves = 1
        while self._open and leaves < self._how.leaves:
            self._split(heapq.heappop(self._open), last=leaves + 1 == self._how.leaves)
            leaves += 1

    def add_to(self, scores: FloatArray) -> None:
        """What the leaves say, added to the score of each row."""
        for leaf in self._leaves(self._root):
            scores[self._order[leaf.start : leaf.stop]] += leaf.value * self._how.rate

    def arrays(self) -> dict[str, Any]:
        """As :func:`mtp_plugin.trees.joined` takes it, the left side first."""
        nodes: list[tuple[float, ...]] = []
        self._write(self._root, nodes)
        names = ("feature", "threshold", "left", "right", "missing_left", "value")
        return {name: np.array(column) for name, column in zip(names, zip(*nodes, strict=True), strict=True)}

    def _write(self, node: _Node, nodes: list[tuple[float, ...]]) -> int:
        place = len(nodes)
        if not node.children:
            nodes.append((0, 0.0, -1, -1, 0, node.value * self._how.rate))
            return place
        nodes.append(())
        left, right = (self._write(child, nodes) for child in node.children)
        feature, most = int(node.split[1]), int(node.split[2])
        more_left = len(node.children[0]) > len(node.children[1])
        nodes[place] = (feature, float(self._bins.ends[feature][most]), left, right, more_left, 0.0)
        return place

    def _leaves(self, node: _Node) -> list[_Node]:
        return [leaf for child in node.children for leaf in self._leaves(child)] if node.children else [node]

    def _add_up(self, rows: IntArray) -> tuple[FloatArray, IntArray]:
        bins, places = self._bins, 256 * len(self._bins.ends)
        sums, counts = np.zeros((places, 2)), np.zeros(places, dtype=np.int32)
        how.add_up(bins.bins, bins.starts, bins.codes, bins.common, rows, self._first, self._second, sums, counts)
        return sums, counts

    def _split(self, node: _Node, *, last: bool) -> None:
        _, feature, most, _, slope, curve = node.split.tolist()
        rows = self._order[node.start : node.stop]
        middle = node.start + how.part(self._bins.bins, rows, int(feature), int(most), self._spare)
        left = self._child(node, node.start, middle, slope, curve)
        right = self._child(node, middle, node.stop, node.slope - slope, node.curve - curve)
        node.children = (left, right)
        if not last and left.depth < self._how.depth:
            self._go_on(node, left, right)
        node.sums = None

    def _child(self, node: _Node, start: int, stop: int, slope: float, curve: float) -> _Node:
        return _Node(start, stop, slope, curve, -slope / (curve + self._how.ridge + 1e-15), node.depth + 1)

    def _go_on(self, node: _Node, left: _Node, right: _Node) -> None:
        """Look for splits of both: the rows of the smaller are added up, the larger has the rest."""
        large_enough = [child for child in (left, right) if len(child) >= 2 * self._least]
        if not large_enough:
            return
        smaller, larger = (left, right) if len(left) < len(right) else (right, left)
        assert node.sums is not None  # noqa: S101  kept until now
        smaller.sums = self._add_up(self._order[smaller.start : smaller.stop])
        larger.sums = (node.sums[0] - smaller.sums[0], node.sums[1] - smaller.sums[1])
        for child in large_enough:
            self._weigh(child)
        for child in (left, right):
            if child.split[0] <= 0:
                child.sums = None

    def _weigh(self, node: _Node) -> None:
        """Find the best split of a node, and keep it in mind if there is one."""
        if len(node) < 2 * self._least or node.sums is None:
            return
        how.best_split(
            *node.sums, self._bins.sizes, len(node), node.slope, node.curve, node.value, self._least, self._how.ridge,
            node.split,
        )  # fmt: skip
        if node.split[0] > 0:
            heapq.heappush(self._open, node)

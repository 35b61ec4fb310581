"""How much of a division stays when other visitors had been met: agreement of clusterings of halves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...records import FloatArray, IntArray
from .partition import Partition

Fit = Callable[[FloatArray, int], Partition]
"""Rows on the axes and a seed to a partition."""
ROUNDS = 6
BINS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """``agreement`` is the adjusted Rand index between the division and those learnt from halves, in the mean, and
    ``null`` the largest such index when labels are permuted. ``jaccard`` ``(k,)`` says how much of each cluster is
    found again. ``margins`` and ``sure`` turn the margin of :meth:`Partition.assign` into the chance that a visitor
    stays with the same others.
    """

    agreement: float
    null: float
    jaccard: FloatArray
    margins: FloatArray
    sure: FloatArray


def resample(partition: Partition, places: FloatArray, fit: Fit, *, seed: int, rounds: int = ROUNDS) -> Resampled:
    """Learn again from random halves and compare on all rows given.

    :param places: a sample of rows on the axes
    :param fit: how the partition was learnt
    """
    from sklearn.metrics import adjusted_rand_score

    random = np.random.default_rng(seed)
    labels, margins = partition.assign(places)
    indices: list[float] = []
    nulls: list[float] = []
    overlaps: list[FloatArray] = []
    stays = np.zeros(len(places))
    for turn in range(rounds):
        half = random.choice(len(places), size=max(2, len(places) // 2), replace=False)
        again = fit(places[half], seed + 1 + turn)
        if not again.count:
            indices.append(0.0)
            nulls.append(0.0)
            overlaps.append(np.zeros(partition.count))
            continue
        other, _ = again.assign(places)
        indices.append(float(adjusted_rand_score(labels, other)))
        nulls.append(float(adjusted_rand_score(labels, random.permutation(other))))
        jaccard, match = matched(labels, other, partition.count)
        overlaps.append(jaccard)
        stays += match[labels] == other
    edges, sure = _calibrated(margins, stays / rounds)
    return Resampled(float(np.mean(indices)), max(nulls), np.mean(overlaps, axis=0), edges, sure)


def matched(labels: IntArray, other: IntArray, count: int) -> tuple[FloatArray, IntArray]:
    """For each cluster the Jaccard index with, and the number of, the one of *other* that is most like it."""
    table = np.zeros((count, int(other.max(initial=0)) + 1))
    np.add.at(table, (labels, other), 1.0)
    union = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    jaccard = table / np.maximum(1.0, union)
    return jaccard.max(axis=1), jaccard.argmax(axis=1)


def _calibrated(margins: FloatArray, stays: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A rising curve from margin to the share that stayed, from bins of equal size; midway between two it is a half."""
    order = np.argsort(margins, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    middles = np.array([margins[part].mean() for part in parts])
    shares = _rising([stays[part].mean() for part in parts], [len(part) for part in parts])
    return np.concatenate([[0.0], middles]), np.concatenate([[min(0.5, shares[0])], shares])


def _rising(values: list[float], weights: list[int]) -> FloatArray:
    """The rising curve nearest to the values (pool adjacent violators)."""
    blocks: list[list[float]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            last, before = blocks.pop(), blocks.pop()
            total = before[1] + last[1]
            blocks.append([(before[0] * before[1] + last[0] * last[1]) / total, total, before[2] + last[2]])
    return np.concatenate([np.full(int(block[2]), block[0]) for block in blocks])

"""From a table of features to segments: normalise, principal components, cluster, floor, confidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ...records import FloatArray, IntArray
from ..matrix import FeatureTable
from .choose import NAMES, Choice, choose
from .floor import with_floor
from .kmeans import kmeans
from .parents import parents_of
from .partition import CHUNK, Partition, centroids
from .reduce import fit_components
from .resample import Resampled, resample
from .scaling import Scaling, fit_scaling

Progress = Callable[[str], None]
SAMPLE = 100_000
"""Most visitors that scales and axes are learnt from."""
COMPARED = 4_000
"""Most visitors that divisions are compared on."""
MIN_ROWS = 5
"""Fewest rows of a cluster in the sample that divisions are compared on."""
WARM = 1.05
"""How much worse than afresh a division may be that goes on from the refresh before."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to learn.

    :param method: ``auto``, ``kmeans``, ``dbscan``, ``hdbscan`` or ``agglomerative``
    :param count: number of segments, 0 to choose it
    :param least: fewest visitors of a segment
    :param weights: of groups of features, 1 where not said
    """

    method: str = "auto"
    count: int = 0
    least: int = 20
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """Of the refresh before: how many leaves it had, and their means on a scale of mean 0 and deviation 1.

    ``means`` is ``(k, f)`` in the columns ``names``. Not ``warm``, only the number counts: where the means are those of
    visitors who are erased, nothing may go on from them.
    """

    names: tuple[str, ...]
    means: FloatArray
    warm: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a refresh found.

    ``labels`` int32 ``(n,)`` number the leaves, -1 where there is none; ``margins`` ``(n,)`` say how clear each is.
    ``parents`` int32 ``(k,)`` number the coarser segment of a leaf, -1 for none. ``radius`` ``(k,)`` is the distance
    to the nearest point within which most of a leaf's visitors lie.
    """

    scaling: Scaling
    components: FloatArray
    partition: Partition
    labels: IntArray
    margins: FloatArray
    parents: IntArray
    radius: FloatArray
    resampled: Resampled | None
    choice: Choice
    figures: Mapping[str, Any]


def find_segments(
    table: FeatureTable,
    groups: Sequence[str],
    *,
    plan: Plan,
    seed: int,
    before: Before | None = None,
    progress: Progress = lambda text: None,
) -> Found:
    """Learn the segments of these visitors.

    :param groups: of the table's columns
    :param seed: of everything random
    :param before: where to begin, so that segments stay what they are while visitors do
    """
    random = np.random.default_rng(seed)
    sample = _sample(random, len(table), SAMPLE)
    scaling = fit_scaling(table.values[sample], groups, plan.weights)
    components = fit_components(scaling.apply(table.values[sample]))
    places = project(table.values, scaling, components)
    compared = places[random.permutation(len(table))[:COMPARED]]
    progress(f"comparing divisions of {len(table):,} visitors by {len(table.names)} features")
    choice = choose(
        compared,
        plan.method,
        plan.count,
        max(MIN_ROWS, math.ceil(plan.least * len(compared) / max(1, len(table)))),
        seed=seed,
        keep=len(before.means) if before else 0,
    )
    progress(f"{NAMES[choice.method]}, {choice.count} segments: sorting all visitors")
    start = _start(before, table, scaling, components)
    partition = _fit(places, compared, choice, start, plan.least, seed)
    return _found(places, compared, scaling, components, partition, choice, seed)


def _found(
    places: FloatArray,
    compared: FloatArray,
    scaling: Scaling,
    components: FloatArray,
    partition: Partition,
    choice: Choice,
    seed: int,
) -> Found:
    count = partition.count
    resampled = None
    if count > 1:
        fit = choice.fit if count == choice.count else partial(_kmeans_again, count)
        resampled = resample(partition, compared, fit, seed=seed)
    labels, margins, near = partition.nearest(places)
    centres = centroids(places, labels, count)
    sizes = np.bincount(labels[labels >= 0], minlength=count)
    figures: dict[str, Any] = {"segments": count, "method": choice.method, "why": choice.why}
    if resampled is not None:
        figures |= {"agreement": round(resampled.agreement, 4), "agreement_permuted": round(resampled.null, 4)}
    return Found(
        scaling=scaling,
        components=components,
        partition=partition,
        labels=labels,
        margins=margins,
        parents=parents_of(centres, sizes),
        radius=np.array([np.quantile(near[labels == label], 0.95) for label in range(count)]),
        resampled=resampled,
        choice=choice,
        figures=figures,
    )


def _fit(
    places: FloatArray, compared: FloatArray, choice: Choice, start: FloatArray | None, least: int, seed: int
) -> Partition:
    """The division of all visitors: K-Means goes on from that of the sample, or of the refresh before.

    Both are compared without clusters that are too small. One that is only just large enough this time, and was not the
    last, is no reason to sort everybody anew.
    """
    sampled = choice.fit(compared, seed)
    if choice.method != "kmeans" or sampled.count < 2:
        return with_floor(sampled, places, least)
    fresh = with_floor(kmeans(places, sampled.count, seed=seed, start=sampled.points), places, least)
    if start is None or not 2 <= len(start) <= sampled.count:
        return fresh
    warm = with_floor(kmeans(places, len(start), seed=seed, start=start), places, least)
    return warm if unexplained(warm, compared) <= WARM * unexplained(fresh, compared) else fresh


def unexplained(partition: Partition, places: FloatArray) -> float:
    """Sum of squared distances to the nearest point."""
    return float((partition.nearest(places)[2].astype(float) ** 2).sum())


def _start(before: Before | None, table: FeatureTable, scaling: Scaling, components: FloatArray) -> FloatArray | None:
    """Means of the refresh before, on the axes of this one; columns that are new begin at the mean."""
    if before is None or not before.warm or not len(before.means):
        return None
    known = {name: place for place, name in enumerate(before.names)}
    scaled = np.zeros((len(before.means), len(table.names)))
    for place, name in enumerate(table.names):
        if name in known:
            scaled[:, place] = before.means[:, known[name]]
    start: FloatArray = (scaled * scaling.weight) @ components
    return start


def _kmeans_again(count: int, places: FloatArray, seed: int) -> Partition:
    return kmeans(places, count, seed=seed, tries=1)


def scaled_means(table: FeatureTable, found: Found) -> FloatArray:
    """Means of the leaves, ``(k, f)``, on the scale of mean 0 and deviation 1."""
    count = found.partition.count
    sums, sizes = np.zeros((count, len(table.names))), np.bincount(found.labels[found.labels >= 0], minlength=count)
    bare = replace(found.scaling, weight=np.ones(len(table.names)))
    for start in range(0, len(table), CHUNK):
        scaled, labels = bare.apply(table.values[start : start + CHUNK]), found.labels[start : start + CHUNK]
        for label in np.unique(labels[labels >= 0]):
            sums[label] += scaled[labels == label].sum(axis=0, dtype=float)
    return sums / np.maximum(1, sizes)[:, None]


def project(values: FloatArray, scaling: Scaling, components: FloatArray) -> FloatArray:
    """Rows ``(n, f)`` in the features' units to places on the axes, float32 ``(n, p)``."""
    axes = components.astype(np.float32)
    places = np.empty((len(values), axes.shape[1]), dtype=np.float32)
    for start in range(0, len(values), CHUNK):
        places[start : start + CHUNK] = scaling.apply(values[start : start + CHUNK]) @ axes
    return places


def _sample(random: np.random.Generator, count: int, most: int) -> IntArray:
    return np.arange(count) if count <= most else np.sort(random.choice(count, size=most, replace=False))

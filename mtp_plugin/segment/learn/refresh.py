"""From a table of features to segments: normalise, principal components, cluster, floor, confidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...records import FloatArray, IntArray
from ..matrix import FeatureTable
from .floor import with_floor
from .kmeans import kmeans
from .partition import Partition
from .reduce import fit_components
from .resample import Resampled, resample
from .scaling import Scaling, fit_scaling

Progress = Callable[[str], None]
SAMPLE = 100_000
"""Most visitors that scales and axes are learnt from."""
COMPARED = 4_000
"""Most visitors that divisions are compared on."""


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
class Found:
    """What a refresh found; ``labels`` int32 ``(n,)`` number the leaves, ``margins`` say how clear each is."""

    scaling: Scaling
    components: FloatArray
    partition: Partition
    labels: IntArray
    margins: FloatArray
    resampled: Resampled | None
    why: str
    figures: Mapping[str, Any]


def find_segments(
    table: FeatureTable,
    groups: Sequence[str],
    *,
    plan: Plan,
    seed: int,
    progress: Progress = lambda text: None,
) -> Found:
    """Learn the segments of these visitors.

    :param groups: of the table's columns
    :param seed: of everything random
    """
    random = np.random.default_rng(seed)
    sample = _sample(random, len(table), SAMPLE)
    scaling = fit_scaling(table.values[sample], groups, plan.weights)
    components = fit_components(scaling.apply(table.values[sample]))
    places = project(table.values, scaling, components)
    progress(f"clustering {len(table):,} visitors on {components.shape[1]} axes of {len(table.names)} features")
    compared = places[_sample(random, len(table), COMPARED)]
    partition, why = _cluster(places, compared, plan, seed)
    partition = with_floor(partition, places, plan.least)
    if not partition.count:
        nobody = np.full(len(table), -1, dtype=np.int32)
        return Found(scaling, components, partition, nobody, np.zeros(len(table)), None, "too few visitors", {})
    progress("asking what stays when other visitors had been met")
    resampled = resample(partition, compared, lambda rows, turn: kmeans(rows, partition.count, seed=turn), seed=seed)
    labels, margins = partition.assign(places)
    figures = {"agreement": round(resampled.agreement, 4), "null": round(resampled.null, 4)}
    return Found(scaling, components, partition, labels, margins, resampled, why, figures)


def project(values: FloatArray, scaling: Scaling, components: FloatArray) -> FloatArray:
    """Rows ``(n, f)`` in the features' units to places on the axes, float32 ``(n, p)``."""
    axes = components.astype(np.float32)
    places = np.empty((len(values), axes.shape[1]), dtype=np.float32)
    for start in range(0, len(values), SAMPLE):
        places[start : start + SAMPLE] = scaling.apply(values[start : start + SAMPLE]) @ axes
    return places


def _sample(random: np.random.Generator, count: int, most: int) -> IntArray:
    return np.arange(count) if count <= most else np.sort(random.choice(count, size=most, replace=False))


def _cluster(places: FloatArray, compared: FloatArray, plan: Plan, seed: int) -> tuple[Partition, str]:
    count = plan.count or min(8, max(1, len(places) // (3 * plan.least)))
    return kmeans(places, count, seed=seed), f"{count} segments"

"""Divisions to choose from: each method with each number of clusters, or density, worth trying."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...records import FloatArray, IntArray
from . import methods
from .judge import Figures, Judge
from .kmeans import kmeans
from .partition import Partition
from .resample import Fit

COUNTS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 22, 24, 27, 30, 33, 37, 42, 48)
"""Numbers of clusters to try."""
METHODS = ("kmeans", "agglomerative", "hdbscan", "dbscan")
"""The simplest first: of two that are as good it is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A division of a sample: its labels, figures, and how to find it again among other visitors."""

    method: str
    count: int
    labels: IntArray
    figures: Figures
    fit: Fit


def candidates(
    method: str, places: FloatArray, counts: Sequence[int], least: int, judge: Judge, *, seed: int
) -> Iterator[Candidate]:
    """What a method makes of a sample; nothing where it finds fewer than two clusters.

    :param counts: numbers of clusters to try, for methods that are told one
    :param least: fewest rows of a cluster, for methods that find their number
    """
    made = {"kmeans": _kmeans, "agglomerative": _agglomerative, "hdbscan": _hdbscan, "dbscan": _dbscan}[method]
    for labels, fit in made(places, counts, least, seed):
        figures = judge(labels)
        if figures is not None:
            yield Candidate(method, int(labels.max()) + 1, labels, figures, fit)


Made = Iterator[tuple[IntArray, Fit]]


def _kmeans(places: FloatArray, counts: Sequence[int], least: int, seed: int) -> Made:
    for count in counts:
        found = kmeans(places, count, seed=seed, tries=2)
        yield found.assign(places)[0], partial(_kmeans_again, count)


def _kmeans_again(count: int, places: FloatArray, seed: int) -> Partition:
    return kmeans(places, count, seed=seed, tries=2)


def _agglomerative(places: FloatArray, counts: Sequence[int], least: int, seed: int) -> Made:
    if len(places) < 2:
        return
    merges = methods.tree(places)
    for count in counts:
        label = partial(methods.agglomerative, count=count)
        yield methods.cut(merges, count), methods.by_centroids("agglomerative", label)


def _hdbscan(places: FloatArray, counts: Sequence[int], least: int, seed: int) -> Made:
    for size in sorted({least, max(least, len(places) // 50), max(least, len(places) // 20)}):
        share = size / len(places)
        label = partial(_hdbscan_share, share, least)
        yield methods.hdbscan(places, size), methods.by_exemplars("hdbscan", label)


def _hdbscan_share(share: float, least: int, places: FloatArray) -> IntArray:
    """Of half the visitors clusters are half as large."""
    return methods.hdbscan(places, max(5, min(least, round(share * len(places))), round(share * len(places))))


def _dbscan(places: FloatArray, counts: Sequence[int], least: int, seed: int) -> Made:
    for quantile, reach in enumerate(methods.reaches(places)):
        label = partial(_dbscan_quantile, quantile, least / len(places))
        yield methods.dbscan(places, reach, least), methods.by_exemplars("dbscan", label)


def _dbscan_quantile(quantile: int, share: float, places: FloatArray) -> IntArray:
    """Of half the visitors neighbours are further away: the distance is looked for anew."""
    reaches = methods.reaches(places)
    if not reaches:
        return np.zeros(len(places), dtype=np.int32)
    return methods.dbscan(places, reaches[min(quantile, len(reaches) - 1)], max(2, round(share * len(places))))

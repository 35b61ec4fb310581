"""No segment smaller than the floor: small clusters go to the nearest that is large enough."""

from __future__ import annotations

import numpy as np

from ...records import FloatArray
from .partition import Partition, centroids


def with_floor(partition: Partition, places: FloatArray, least: int) -> Partition:
    """The partition with the smallest cluster merged into its nearest neighbour until none has fewer than *least*.

    With fewer visitors than the floor nothing is left.
    """
    while partition.count:
        labels, _ = partition.assign(places)
        sizes = np.bincount(labels, minlength=partition.count)
        smallest = int(sizes.argmin())
        if sizes[smallest] >= least:
            return partition
        if partition.count == 1:
            return Partition(partition.method, partition.points[:0], partition.labels[:0])
        partition = _without(partition, smallest, places, labels)
    return partition


def _without(partition: Partition, small: int, places: FloatArray, labels: np.ndarray) -> Partition:
    """A centroid vanishes, so that each visitor goes to the nearest other; exemplars go over to the nearest cluster."""
    mine = partition.labels == small
    if mine.sum() == 1:
        points, names = partition.points[~mine], partition.labels[~mine]
    else:
        means = centroids(places, labels, partition.count)
        gaps = ((means - means[small]) ** 2).sum(axis=1)
        gaps[small] = np.inf
        points, names = partition.points, np.where(mine, int(gaps.argmin()), partition.labels)
    return Partition(partition.method, points, (names - (names > small)).astype(np.int32))

"""What a refresh found, as the arrays and words of a bundle of kind ``segments``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...records import Segment
from ..found import FORMAT
from ..matrix import FeatureTable
from .drift import deciles, portions
from .refresh import Found, scaled_means


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What a bundle is published from."""

    arrays: dict[str, NDArray[Any]]
    strings: dict[str, tuple[str, ...]]
    meta: dict[str, Any]
    figures: dict[str, Any]


def learnt_bundle(
    found: Found,
    table: FeatureTable,
    segments: Sequence[Segment],
    leaves: Sequence[str],
    *,
    excluded: Sequence[str],
    min_age: int,
    now: float,
) -> Learnt:
    """Arrays that assign visitors, and what is said of the segments.

    :param segments: all of them, coarser ones first
    :param leaves: ids of the clusters in the order of their labels
    """
    sure = found.resampled
    arrays = {
        "logs": found.scaling.logs,
        "centre": found.scaling.centre,
        "inverse": found.scaling.inverse,
        "components": found.components * found.scaling.weight[:, None],
        "points": found.partition.points,
        "labels": found.partition.labels,
        "margins": np.asarray(sure.margins if sure else [0.0, 1.0], dtype=float),
        "sure": np.asarray(sure.sure if sure else [0.0, 1.0], dtype=float),
        "radius": found.radius,
        "means": means_of(table, found, len(leaves)),
        "deciles": (edges := deciles(table.values)),
        "portions": portions(table.values, edges),
        "scaled_means": scaled_means(table, found),
    }
    meta = {
        "format": FORMAT,
        "clip": found.scaling.clip,
        "segments": msgspec.to_builtins(list(segments)),
        "method": found.partition.method,
        "why": found.choice.why,
        "compared": list(found.choice.compared),
        "excluded": list(excluded),
        "min_age": min_age,
        "visitors": len(table),
        "refreshed_at": now,
    }
    figures = {"visitors": len(table), **found.figures}
    return Learnt(arrays, {"columns": table.names, "leaves": tuple(leaves)}, meta, figures)


def means_of(table: FeatureTable, found: Found, count: int) -> NDArray[Any]:
    """Means of the known values of each leaf and, in the last row, of everyone: float32 ``(count + 1, f)``."""
    known = np.isfinite(table.values)
    means = np.full((count + 1, len(table.names)), np.nan, dtype=np.float32)
    for label in range(count + 1):
        mask = found.labels == label if label < count else np.ones(len(table), dtype=bool)
        counts = known[mask].sum(axis=0)
        sums = np.nansum(table.values[mask], axis=0)
        means[label] = np.where(counts > 0, sums / np.maximum(1, counts), np.nan)
    return means

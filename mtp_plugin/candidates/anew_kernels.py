"""The loops of the re-ranker beside its trees; without numba the same code runs as it is, on few candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .best_kernels import most

Array = NDArray[Any]


@compiled
def first_places(scores: Array, allowed: Array, top: int) -> Array:
    """Where the *top* best of the allowed candidates stand, best first; equals in the order they were found.

    :param allowed: mask over the candidates; empty allows all
    """
    fit = np.empty(len(scores), dtype=np.int64)
    found = 0
    for place in range(len(scores)):
        if len(allowed) == 0 or allowed[place]:
            fit[found] = place
            found += 1
    fit = most(scores, fit[:found], top)
    keys = np.empty(len(fit), dtype=np.float32)
    for place in range(len(fit)):
        keys[place] = -scores[fit[place]]
    return fit[np.argsort(keys, kind="mergesort")][:top]


@compiled
def seen_rows(features: Array, scores: Array, places: Array, known: int, closely: Array) -> Array:
    """See :func:`mtp_plugin.candidates.reranker.seen`."""
    n, width, more = len(places), features.shape[1], closely.shape[1]
    rows = np.empty((n, width + 4 + more), dtype=np.float32)
    total = 0.0
    for at in range(n):
        total += np.exp(np.float64(scores[places[at]] - scores[places[0]]))
    log_total, met = np.float32(np.log(total)), np.float32(np.log1p(known))
    for at in range(n):
        place = places[at]
        for column in range(width):
            rows[at, column] = features[place, column]
        behind = scores[place] - scores[places[0]]
        rows[at, width] = behind
        rows[at, width + 1] = behind - log_total
        rows[at, width + 2] = np.log(at + 1)
        rows[at, width + 3] = met
        for column in range(more):
            rows[at, width + 4 + column] = closely[at, column]
    return rows


@compiled
def put_back(scores: Array, places: Array, said: Array) -> Array:
    """The scores with those at *places* as *said*, moved so that together they are as probable as they were; the others
    stay behind them."""
    best, loudest, quietest = np.float64(scores[places[0]]), said[0], said[0]
    for at in range(len(places)):
        loudest, quietest = max(loudest, said[at]), min(quietest, said[at])
    before = after = 0.0
    for at in range(len(places)):
        before += np.exp(np.float64(scores[places[at]]) - best)
        after += np.exp(said[at] - loudest)
    shift = best + np.log(before) - loudest - np.log(after)
    least = np.float32(quietest + shift)
    found = np.empty(len(scores), dtype=np.float32)
    for place in range(len(scores)):
        found[place] = min(scores[place], least)
    for at in range(len(places)):
        found[places[at]] = np.float32(said[at] + shift)
    return found

"""Loops over the few candidates that are ordered anew; without numba the same code runs as it is, on few rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled

Array = NDArray[Any]


@compiled
def strongest(
    indptr: Array,
    indices: Array,
    values: Array,
    from_row: Array,
    to_row: Array,
    anchors: Array,
    epoch: int,
    mark: Array,
    slot: Array,
    at: Array,
    count: int,
) -> Array:
    """The strongest value by which an anchor names each candidate, and the share of the anchors that name it, above 0.

    :param at: of each candidate its place among the *count* that are asked about, -1 for the others
    :returns: shape ``(count, 2)``
    """
    found = np.zeros((count, 2), dtype=np.float32)
    one = np.float32(1.0) / np.float32(max(1, len(anchors)))
    for anchor in anchors:
        code = from_row[anchor]
        if code < 0:
            continue
        for near in range(indptr[code], indptr[code + 1]):
            row = to_row[indices[near]]
            if row < 0 or mark[row] != epoch or values[near] <= 0.0:
                continue
            place = at[slot[row]]
            if place >= 0:
                found[place, 0] = max(found[place, 0], values[near])
                found[place, 1] += one
    return found


@compiled
def led_to(
    indptr: Array,
    indices: Array,
    values: Array,
    from_row: Array,
    to_row: Array,
    anchors: Array,
    weights: Array,
    epoch: int,
    mark: Array,
    slot: Array,
    at: Array,
    count: int,
) -> Array:
    """The values of all anchors that name a candidate, each times the anchor's weight, added up.

    :param at: as :func:`strongest` takes it
    :returns: float32 ``(count,)``
    """
    found = np.zeros(count, dtype=np.float32)
    for anchor in range(len(anchors)):
        code = from_row[anchors[anchor]]
        if code < 0:
            continue
        for near in range(indptr[code], indptr[code + 1]):
            row = to_row[indices[near]]
            if row >= 0 and mark[row] == epoch and at[slot[row]] >= 0:
                found[at[slot[row]]] += weights[anchor] * values[near]
    return found


@compiled
def places_among(places: Array, count: int) -> Array:
    """Of each of *count* candidates its place among *places*, -1 for those that are not there."""
    at = np.full(count, -1, dtype=np.int32)
    for place in range(len(places)):
        at[places[place]] = place
    return at


@compiled
def standing(scores: Array, places: Array, known: Array, count: int) -> Array:
    """What kinds there are among the best, shape ``(len(places), 4)``: whether a candidate is of the known ones, the
    logarithms of its rank within its kind and of the best probability, and the probability of all known ones together.

    :param places: of the best candidates of *count*, best first
    :param known: places of those that were seen, or bought before
    """
    found = np.zeros((len(places), 4), dtype=np.float32)
    is_known = np.zeros(count, dtype=np.bool_)
    for place in known:
        is_known[place] = True
    total, of_known = 0.0, 0.0
    ranks = np.zeros(2, dtype=np.int64)
    for at in range(len(places)):
        chance = np.exp(scores[places[at]] - scores[places[0]])
        total += chance
        kind = 1 if is_known[places[at]] else 0
        of_known += chance * kind
        ranks[kind] += 1
        found[at, 0] = kind
        found[at, 1] = np.log(ranks[kind])
    for at in range(len(places)):
        found[at, 2] = -np.log(total)
        found[at, 3] = of_known / total
    return found


@compiled
def loops(walked: Array, at: Array, count: int) -> Array:
    """What came after and before earlier visits to the current product, in this session: one over how many steps ago.

    :param walked: places of the products among all candidates, one a step, the current one last
    :param at: of each candidate its place among the *count* that are asked about, -1 for the others
    :returns: shape ``(count, 2)``
    """
    found = np.zeros((count, 2), dtype=np.float32)
    last = len(walked) - 1
    for step in range(last):
        nearness = np.float32(1.0) / np.float32(last - step)
        if walked[step] == walked[last] and at[walked[step + 1]] >= 0:
            found[at[walked[step + 1]], 0] = nearness
        if walked[step + 1] == walked[last] and at[walked[step]] >= 0:
            found[at[walked[step]], 1] = nearness
    return found

"""The kernels without numba: the same sums with numpy, some ten times slower."""

from __future__ import annotations

import numpy as np

from .kernels import Array
from .scratch import Scratch


def spread(
    scratch: Scratch,
    indptr: Array,
    indices: Array,
    values: Array,
    to_row: Array,
    codes: Array,
    weights: Array,
    anchor_rows: Array,
    column: int,
) -> None:
    """See :func:`mtp_plugin.candidates.kernels.spread`."""
    for code, weight, anchor in zip(codes.tolist(), weights.tolist(), anchor_rows.tolist(), strict=True):
        near = slice(int(indptr[code]), int(indptr[code + 1]))
        rows = to_row[indices[near]]
        gains = (np.float32(weight) * values[near])[rows >= 0]
        rows = rows[rows >= 0]
        scratch.add(rows)
        known = scratch.mark[rows] == scratch.epoch
        places, gains = scratch.slot[rows[known]], gains[known]
        np.add.at(scratch.columns[:, column], places, gains)
        better = gains > scratch.best[places]
        scratch.best[places[better]] = gains[better]
        scratch.anchor[places[better]] = anchor


def session_neighbours(
    scratch: Scratch,
    index: dict[str, Array],
    session_weights: Array,
    to_row: Array,
    codes: Array,
    weights: Array,
    most_recent: int,
    neighbours: int,
    closeness: Array,
    column: int,
) -> None:
    """See :func:`mtp_plugin.candidates.kernels.session_neighbours`."""
    found, match = _similar(index, session_weights, codes, weights, most_recent)
    if not found:
        return
    sessions = np.array(list(found), dtype=np.int64)
    votes = np.array(list(found.values()), dtype=np.float32)
    chosen = _strongest(votes, neighbours)
    for session, vote in zip(sessions[chosen].tolist(), votes[chosen].tolist(), strict=True):
        items = index["session_items"][index["session_indptr"][session] : index["session_indptr"][session + 1]]
        distance = np.minimum(np.abs(np.arange(len(items)) - match[session]), len(closeness) - 1)
        rows = to_row[items]
        gains = (np.float32(vote) * closeness[distance])[rows >= 0]
        rows = rows[rows >= 0]
        scratch.add(rows)
        known = scratch.mark[rows] == scratch.epoch
        places = scratch.slot[rows[known]]
        np.add.at(scratch.columns[:, column], places, gains[known])
        np.add.at(scratch.columns[:, column + 1], places, 1.0)


def _similar(
    index: dict[str, Array], session_weights: Array, codes: Array, weights: Array, most_recent: int
) -> tuple[dict[int, np.float32], dict[int, int]]:
    similarity: dict[int, np.float32] = {}
    match: dict[int, int] = {}
    for code, weight in zip(codes.tolist(), weights, strict=True):
        start, stop = int(index["item_indptr"][code]), int(index["item_indptr"][code + 1])
        for at in range(start, min(stop, start + most_recent)):
            session = int(index["item_sessions"][at])
            match.setdefault(session, int(index["item_places"][at]))
            similarity[session] = similarity.get(session, np.float32(0)) + weight * session_weights[session]
    return similarity, match


def _strongest(votes: Array, neighbours: int) -> Array:
    """Positions of the strongest votes, of equals the first found, in order of finding."""
    if len(votes) <= neighbours:
        return np.arange(len(votes))
    return np.sort(np.argsort(-votes, kind="stable")[:neighbours])

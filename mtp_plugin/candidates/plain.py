"""The kernels without numba: the same sums with numpy, some ten times slower."""

from __future__ import annotations

from typing import Any

import numpy as np

from .kernels import Array
from .scratch import Scratch


def spread(
    scratch: Scratch,
    indptr: Array,
    indices: Array,
    values: Array,
    from_row: Array,
    to_row: Array,
    anchors: Array,
    weights: Array,
    column: int,
) -> None:
    """See :func:`mtp_plugin.candidates.kernels.spread`."""
    for anchor, weight in zip(anchors.tolist(), weights.tolist(), strict=True):
        code = int(from_row[anchor])
        if code < 0:
            continue
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
    """See :func:`mtp_plugin.candidates.detail_kernels.led_to`."""
    found = np.zeros(count, dtype=np.float32)
    for anchor, weight in zip(anchors.tolist(), weights, strict=True):
        code = int(from_row[anchor])
        near = slice(int(indptr[code]), int(indptr[code + 1])) if code >= 0 else slice(0)
        rows = to_row[indices[near]]
        places = np.where((rows >= 0) & (mark[rows] == epoch), at[slot[rows] % len(at)], -1)
        np.add.at(found, places[places >= 0], weight * values[near][places >= 0])
    return found


def session_neighbours(
    scratch: Scratch,
    index: dict[str, Array],
    session_weights: Array,
    from_row: Array,
    to_row: Array,
    way: Array,
    steps: Array,
    idf: Array,
    decay: Array,
    products: int,
    most_recent: int,
    neighbours: int,
    closeness: Array,
    column: int,
) -> None:
    """See :func:`mtp_plugin.candidates.kernels.session_neighbours`."""
    codes = from_row[way]
    steps = steps[codes >= 0][:products]
    codes = codes[codes >= 0][:products]
    weights = decay[steps] * idf[codes]
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


def keep_loudest(scratch: Scratch, given: int, enough: int, which: Array, popularity: Array, allowed: Array) -> None:
    """See :func:`mtp_plugin.candidates.kernels.keep_loudest`."""
    rows = scratch.rows[given : scratch.count]
    loud = np.zeros(len(rows), dtype=np.float32)
    votes = scratch.columns[given : scratch.count][:, which]
    for said in (popularity[rows], *votes.T):  # one after the other, so that equals are the same for both
        loud += said * (np.float32(1) / np.maximum(said.max(), np.float32(1e-12)))
    if len(allowed):
        loud[~allowed[rows]] = np.float32(-1e12)
    stay = np.sort(np.argsort(-loud, kind="stable")[:enough])
    scratch.keep(np.concatenate((np.arange(given), given + stay)))


def best_places(scores: Array, rows: Array, allowed: Array, floor: float, k: int) -> Array:
    """See :func:`mtp_plugin.candidates.best_kernels.best_places`."""
    fit = np.flatnonzero((scores > floor) & allowed[rows] if len(allowed) else scores > floor)
    return fit[np.lexsort((rows[fit], -scores[fit]))[:k]]


def audible_sources(columns: Array, places: Array, bits: Array, share: float, none: int) -> Array:
    """See :func:`mtp_plugin.candidates.best_kernels.audible_sources`."""
    loudest = columns.max(axis=0, initial=0.0)
    audible = (columns[places] > np.float32(share) * loudest) & (columns[places] > 0)
    found: Array = np.bitwise_or.reduce(np.where(audible, bits, 0), axis=1)
    found[found == 0] = none
    return found


def log_shares(columns: Array, sharpness: float) -> Array:
    """See :func:`mtp_plugin.candidates.feature_kernels.log_shares`."""
    total = np.ones(len(columns), dtype=np.float32) @ columns  # a product of matrices is faster than a sum by columns
    found: Array = np.log1p(columns * (np.float32(sharpness) / np.maximum(total, np.float32(1e-12))))
    return found


def relative_votes(columns: Array, which: Array) -> Array:
    """See :func:`mtp_plugin.candidates.feature_kernels.relative_votes`."""
    chosen = columns[:, which]
    found: Array = chosen / np.maximum(chosen.max(axis=0, initial=0.0), np.float32(1e-12))
    return found


def session_features(
    columns: Array,
    n_logs: int,
    which: Array,
    sharpness: float,
    rows: Array,
    popularity: Array,
    momentum: Array,
    lately: Array,
    seen: Array,
    nearness: Array,
    met: Array,
    logs: Array,
    apart: Array,
    n_common: int,
) -> Array:
    """See :func:`mtp_plugin.candidates.feature_kernels.session_features`."""
    found = np.zeros((len(columns), n_common + len(apart)), dtype=np.float32)
    after = n_logs + len(which)
    found[:, :n_logs] = log_shares(columns[:, :n_logs], sharpness)
    found[:, n_logs:after] = relative_votes(columns, which)
    for place, values in enumerate((popularity, momentum, lately)):
        found[:, after + place] = values[rows]
    after += 3
    found[seen[:1], after] = 1.0
    found[seen[1:2], after + 1] = 1.0
    found[seen, after + 2] = 1.0
    np.add.at(found[:, after + 3], met, np.float32(1.0))
    found[seen, after + 3] = logs[found[seen, after + 3].astype(np.int64)]
    found[seen, after + 4] = nearness
    found[seen, n_common:] = found[seen[:, None], apart]
    found[seen[:, None], apart] = 0.0
    return found


def taste(codes: Array, shares: Array, starts: Array, weights: Array, rows: Array) -> Array:
    """See :func:`mtp_plugin.candidates.feature_kernels.taste`."""
    found = np.zeros(len(rows), dtype=np.float32)
    for facet in np.flatnonzero(weights > 0):
        of_rows = codes[facet, rows]
        found += np.where(of_rows >= 0, weights[facet] * shares[starts[facet] + of_rows], np.float32(0))
    worth = weights[weights > 0].sum()
    return found / worth if worth > 0 else found


def softmax(scores: Array) -> Array:
    """See :func:`mtp_plugin.candidates.feature_kernels.softmax`."""
    raised = np.exp(scores - scores.max(initial=-np.inf))
    chance: Array = raised / raised.sum()
    return chance


def mixed(parts: Array, trust: Array) -> Array:
    """See :func:`mtp_plugin.candidates.best_kernels.mixed`."""
    found: Array = trust @ parts
    return found


def likeness(
    parts: Array, first: int, codes: Array, drawn_to: Array, starts: Array, weights: Array, popularity: Array,
    shares: Array, rows: Array, columns: Array, alike: int, content: int,
) -> tuple[Any, ...]:  # fmt: skip
    """See :func:`mtp_plugin.candidates.best_kernels.likeness`."""
    drawn = taste(codes, drawn_to, starts, weights, rows[: len(rows) if len(drawn_to) else 0])
    mine = parts[first : first + 3]
    if len(drawn):
        mine[0] = drawn * (1.0 + popularity[rows])
    if len(shares):
        mine[1] = columns[: len(rows), (alike, content)].sum(axis=1)
        mine[2] = shares[rows]
    totals = mine.sum(axis=1, dtype=np.float64)
    mine /= np.where(totals > 0, totals, 1.0).astype(np.float32)[:, None]
    return drawn, *(totals > 0).tolist()


def chosen(
    scores: Array, scratch_rows: Array, columns: Array, anchor: Array, allowed: Array, floor: float, k: int,
    bits: Array, share: float, none: int, last: int, neighbours: int,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """See :func:`mtp_plugin.candidates.best_kernels.chosen`."""
    places = best_places(scores, scratch_rows, allowed, floor, k)
    origins = audible_sources(columns, places, bits, share, none)
    rows, anchors = scratch_rows[places], anchor[places]
    if last >= 0:
        anchors[(anchors < 0) & (origins & neighbours > 0)] = last
        anchors[anchors == rows] = -1
    return places, rows, scores[places].astype(np.float32), origins, anchors


def lean(
    places: Array, rows: Array, origins: Array, parts: Array, trust: Array,
    naming: tuple[Array, int, int, int, int, float, float], own: Array, of_all: Array,
) -> None:  # fmt: skip
    """See :func:`mtp_plugin.candidates.best_kernels.lean`."""
    by_content, content, behaviour, segment_part, segment, heard, lifted = naming
    said = trust[:, None] * parts[:, places]
    total = said.sum(axis=0)
    alike = said[by_content].sum(axis=0) > total / 2
    origins[alike] |= content
    origins[~alike] |= behaviour
    loud = said[segment_part] > np.float32(heard) * total
    origins[loud & (own[rows] > np.float32(lifted) * of_all[rows])] |= segment


def also(places: Array, origins: Array, drawn: Array, least: float, bit: int) -> None:
    """See :func:`mtp_plugin.candidates.best_kernels.also`."""
    origins[drawn[places] > least] |= bit


def answer(
    parts: Array, trust: Array, scratch_rows: Array, columns: Array, anchor: Array, allowed: Array, k: int,
    heard: tuple[Array, float, int], last: int, neighbours: int,
    naming: tuple[Array, int, int, int, int, float, float], own: Array, of_all: Array, drawn: Array, least: float,
    affinity: int,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """See :func:`mtp_plugin.candidates.best_kernels.answer`."""
    places, rows, values, origins, anchors = chosen(
        mixed(parts, trust), scratch_rows, columns, anchor, allowed, -np.inf, k, *heard, last, neighbours
    )
    if len(own):
        lean(places, rows, origins, parts, trust, naming, own, of_all)
    if len(drawn):
        also(places, origins, drawn, least, affinity)
    return rows, values, origins, anchors

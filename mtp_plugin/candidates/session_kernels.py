"""The session at hand from its way to probabilities in three calls: each loop of :mod:`.kernels` that is called by
itself waits for Python to hand it its arrays, and that costs more than most of the loops do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .detail_kernels import loops, places_among, standing, strongest
from .feature_kernels import session_features, softmax
from .kernels import collect, keep_loudest, session_neighbours, spread

Array = NDArray[Any]


@compiled
def distinct(way: Array, rows: Array, steps: Array) -> int:
    """Distinct products of a way, latest first, and how many steps ago each was last met; gives their number."""
    count, last = 0, len(way) - 1
    for step in range(len(way)):
        row, known = way[last - step], False
        for place in range(count):
            if rows[place] == row:
                known = True
                break
        if not known:
            rows[count], steps[count] = row, step
            count += 1
    return count


@compiled
def spread_list(
    related: tuple[Array, ...], anchors: Array, weights: Array, column: int, epoch: int, buffers: Any, count: int
) -> int:
    """:func:`.kernels.spread` of a :attr:`.Related.lists` into :attr:`.Scratch.buffers`."""
    indptr, indices, values, from_row, to_row = related
    mark, slot, rows, columns, best, anchor = buffers
    return spread(
        indptr, indices, values, from_row, to_row, anchors, weights, column, epoch, mark, slot, rows, columns, best,
        anchor, count,
    )  # fmt: skip


@compiled
def speak(
    way: Array,
    index: tuple[Array, ...],
    numbers: tuple[int, int, int],
    lists: tuple[tuple[Array, ...], ...],
    fade: Array,
    hyperbola: Array,
    which: tuple[int, int, int, int, int, int, int],
    epoch: int,
    turn: int,
    memory: tuple[Array, ...],
    buffers: tuple[Array, ...],
    enough: int,
    relative: Array,
    popularity: Array,
    allowed: Array,
) -> tuple[Array, Array, int, bool]:
    """Let all sources of the session expert speak, see :func:`mtp_plugin.candidates.session_expert.gather`.

    Of too many candidates the loudest stay, see :func:`.kernels.keep_loudest`, if nobody is still to speak.

    :param way: rows, one a step, the current product last
    :param index: :attr:`.SessionNeighbours.arrays`, its *numbers* beside it
    :param lists: the :attr:`.Related.lists` of viewed, next, path, bought and content
    :param which: the columns of neighbours, viewed, last, next, path, bought, content
    :param memory: :attr:`.Scratch.memory`, for this *turn*, *buffers* :attr:`.Scratch.buffers`
    :returns: distinct rows, latest first; their steps; the number of candidates; whether content knows nothing of one
        of the first four
    """
    rows, steps = np.empty(len(way), dtype=np.int32), np.empty(len(way), dtype=np.int64)
    known = distinct(way, rows, steps)
    rows, steps = rows[:known], steps[:known]
    mark, slot, listed, columns, best, anchor = buffers
    similarity, seen, match, touched = memory
    count = collect(rows, epoch, mark, slot, listed, columns, best, anchor, 0)
    starts, sessions, places, begins, items, worth, from_row, to_row, idf, decay, closeness = index
    products, most_recent, neighbours = numbers
    count = session_neighbours(
        starts, sessions, places, begins, items, worth, from_row, to_row, rows, steps, idf, decay, products,
        most_recent, neighbours, closeness, which[0], epoch, turn, similarity, seen, match, touched, mark, slot, listed,
        columns, best, anchor, count,
    )  # fmt: skip
    viewed, following, path, bought, content = lists
    few, last = rows[:8], rows[:1]
    faded, slower = fade[steps[:8]], hyperbola[steps[:8]]
    count = spread_list(viewed, few, faded, which[1], epoch, buffers, count)
    count = spread_list(viewed, last, fade[:1], which[2], epoch, buffers, count)
    count = spread_list(following, last, fade[:1], which[3], epoch, buffers, count)
    count = spread_list(path, few, slower, which[4], epoch, buffers, count)
    count = spread_list(bought, few, faded, which[5], epoch, buffers, count)
    count = spread_list(content, rows[:4], faded[:4], which[6], epoch, buffers, count)
    unknown = False
    for row in rows[:4]:
        code = content[3][row]
        unknown |= code < 0 or content[0][code + 1] <= content[0][code]
    if not unknown:
        count = keep_loudest(
            len(rows), enough, relative, popularity, allowed, mark, slot, listed, columns, best, anchor, count
        )
    return rows, steps, count, unknown


@compiled
def say(
    buffers: tuple[Array, ...],
    count: int,
    n_logs: int,
    which: Array,
    sharpness: float,
    by_row: tuple[Array, Array, Array],
    known: Array,
    nearness: Array,
    steps: Array,
    way: Array,
    logs: Array,
    apart: Array,
    n_common: int,
    weights: Array,
) -> tuple[Array, Array, Array]:
    """The session expert's features, scores and probabilities.

    :param by_row: popularity, momentum and what was seen lately, of each catalogue row
    :param known: distinct rows of the session, latest first, so many *steps* ago, and by steps the *nearness*
    :param weights: of the features
    """
    _, slot, rows, columns, _, _ = buffers
    popularity, momentum, lately = by_row
    features = session_features(
        columns[:count], n_logs, which, sharpness, rows[:count], popularity, momentum, lately, slot[known],
        nearness[steps], slot[way], logs, apart, n_common,
    )  # fmt: skip
    scores = np.empty(count, dtype=np.float32)
    for place in range(count):
        total = np.float32(0.0)
        for at in range(len(weights)):
            total += features[place, at] * weights[at]
        scores[place] = total
    return features, scores, softmax(scores)


@compiled
def look_closely(
    buffers: tuple[Array, ...],
    epoch: int,
    count: int,
    viewed: tuple[Array, ...],
    known: Array,
    way: Array,
    by_row: tuple[Array, Array, Array],
    votes: int,
    voters: int,
    crowd: float,
    places: Array,
    scores: Array,
) -> Array:
    """See :func:`mtp_plugin.candidates.session_details.session_details`.

    :param by_row: popularity, freshness and revisits of each catalogue row
    :param votes: the column of neighbours' votes; *voters* that of their number, of which a *crowd* says 1
    """
    mark, slot, rows, columns, _, _ = buffers
    indptr, indices, values, from_row, to_row = viewed
    popularity, freshness, revisits = by_row
    n = len(places)
    at = places_among(places, count)
    found = np.empty((n, 16), dtype=np.float32)
    found[:, :4] = standing(scores, places, slot[known], count)
    found[:, 4:6] = loops(slot[way], at, n)
    for step in range(2):
        near = strongest(indptr, indices, values, from_row, to_row, known[step : step + 1], epoch, mark, slot, at, n)
        found[:, 6 + step] = near[:, 0]
    nearest = np.float32(0.0)
    total = np.float32(0.0)
    for place in range(n):
        nearest = max(nearest, found[place, 6])
    for place in range(count):
        total += columns[place, votes]
    returns = np.float32(1.0 - len(known) / len(way))
    loud = np.log1p(total)
    for place in range(n):
        row = rows[places[place]]
        found[place, 8] = nearest
        found[place, 9] = returns
        found[place, 10] = popularity[known[0]]
        found[place, 11] = freshness[row]
        found[place, 12] = revisits[row]
        found[place, 13] = columns[places[place], voters] / np.float32(crowd)
        found[place, 14] = loud
        found[place, 15] = scores[places[place]] - scores[places[max(0, place - 1)]]
    return found

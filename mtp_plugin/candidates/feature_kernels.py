"""What the sources said of candidates, as features: loops compiled by numba; see :mod:`mtp_plugin.candidates.plain`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled

Array = NDArray[Any]


@compiled
def log_shares(columns: Array, sharpness: float) -> Array:
    """``log(1 + sharpness * share)`` of each column's votes, shape kept; most are 0 and stay so."""
    count, n_columns = columns.shape
    found = np.zeros((count, n_columns), dtype=np.float32)
    factors = np.zeros(n_columns, dtype=np.float32)
    for place in range(count):
        for column in range(n_columns):
            factors[column] += columns[place, column]
    for column in range(n_columns):
        factors[column] = np.float32(sharpness) / max(factors[column], np.float32(1e-12))
    for place in range(count):
        for column in range(n_columns):
            vote = columns[place, column]
            if vote != 0.0:
                found[place, column] = np.log1p(vote * factors[column])
    return found


@compiled
def relative_votes(columns: Array, which: Array) -> Array:
    """Votes relative to the candidate with the most, shape ``(candidates, len(which))``."""
    count, n_columns = len(columns), len(which)
    found = np.zeros((count, n_columns), dtype=np.float32)
    top = np.full(n_columns, np.float32(1e-12))
    for place in range(count):
        for at in range(n_columns):
            top[at] = max(top[at], columns[place, which[at]])
    for place in range(count):
        for at in range(n_columns):
            found[place, at] = columns[place, which[at]] / top[at]
    return found


@compiled
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
    """Features of the session expert in one pass, see :mod:`mtp_plugin.candidates.session_expert`.

    :param n_logs: columns, the first, whose shares count
    :param which: columns that count relative to the candidate with the most
    :param seen: places of the session's products, latest first, with the *nearness* of each
    :param met: places of the products as often as they were met, at most ``len(logs) - 1``
    :param logs: logarithms of 0 (never asked for), 1, 2, ...
    :param apart: features that products of the session have elsewhere, from *n_common* on
    """
    count, n_relative, n_apart = len(columns), len(which), len(apart)
    found = np.zeros((count, n_common + n_apart), dtype=np.float32)
    factors = np.zeros(n_logs, dtype=np.float32)
    top = np.full(n_relative, np.float32(1e-12))
    for place in range(count):
        for column in range(n_logs):
            factors[column] += columns[place, column]
        for at in range(n_relative):
            top[at] = max(top[at], columns[place, which[at]])
    for column in range(n_logs):
        factors[column] = np.float32(sharpness) / max(factors[column], np.float32(1e-12))
    after = n_logs + n_relative
    for place in range(count):
        for column in range(n_logs):
            vote = columns[place, column]
            if vote != 0.0:
                found[place, column] = np.log1p(vote * factors[column])
        for at in range(n_relative):
            found[place, n_logs + at] = columns[place, which[at]] / top[at]
        row = rows[place]
        found[place, after] = popularity[row]
        found[place, after + 1] = momentum[row]
        found[place, after + 2] = lately[row]
    after += 3
    for place in met:
        found[place, after + 3] += np.float32(1.0)
    for at in range(len(seen)):
        place = seen[at]
        if at < 2:
            found[place, after + at] = np.float32(1.0)
        found[place, after + 2] = np.float32(1.0)
        found[place, after + 3] = logs[int(found[place, after + 3])]
        found[place, after + 4] = nearness[at]
        for to in range(n_apart):
            found[place, n_common + to] = found[place, apart[to]]
            found[place, apart[to]] = np.float32(0.0)
    return found


@compiled
def taste(codes: Array, shares: Array, starts: Array, weights: Array, rows: Array) -> Array:
    """How much each row is to a visitor's taste, 0 to 1.

    :param codes: of every facet and row of the catalogue, -1 none, shape ``(facets, catalogue)``
    :param shares: of the codes of one facet after the other; *starts* where each begins, *weights* its weight
    """
    found = np.zeros(len(rows), dtype=np.float32)
    worth = np.float32(0.0)
    for facet in range(len(weights)):
        if weights[facet] <= 0.0:
            continue
        worth += weights[facet]
        for place in range(len(rows)):
            code = codes[facet, rows[place]]
            if code >= 0:
                found[place] += weights[facet] * shares[starts[facet] + code]
    if worth > 0.0:
        found /= worth
    return found


@compiled
def softmax(scores: Array) -> Array:
    """Scores as probabilities, float32; of none, none."""
    found = np.empty(len(scores), dtype=np.float32)
    best: Any = np.float32(-np.inf)
    for place in range(len(scores)):
        best = max(best, scores[place])
    total = 0.0
    for place in range(len(scores)):
        found[place] = np.exp(scores[place] - best)
        total += found[place]
    for place in range(len(scores)):
        found[place] = np.float32(found[place] / total)
    return found

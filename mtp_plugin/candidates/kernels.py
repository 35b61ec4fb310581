"""The hot loops: collecting candidates, spreading the weights of anchors over their neighbours, finding similar
sessions, and picking the best.

They work on the arrays of a :class:`~mtp_plugin.candidates.scratch.Scratch`. They are compiled by numba; where it can't
be imported, :mod:`mtp_plugin.candidates.plain` does the same with numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled

Array = NDArray[Any]


@compiled
def collect(
    new: Array,
    epoch: int,
    mark: Array,
    slot: Array,
    rows: Array,
    columns: Array,
    best: Array,
    anchor: Array,
    count: int,
) -> int:
    """Put rows into the list, each once and as far as there is room; gives the new number of candidates."""
    for place in range(len(new)):
        row = new[place]
        if mark[row] == epoch:
            continue
        if count >= len(rows):
            break
        mark[row] = epoch
        slot[row] = count
        rows[count] = row
        columns[count, :] = 0.0
        best[count] = 0.0
        anchor[count] = -1
        count += 1
    return count


@compiled
def spread(
    indptr: Array,
    indices: Array,
    values: Array,
    from_row: Array,
    to_row: Array,
    anchors: Array,
    weights: Array,
    column: int,
    epoch: int,
    mark: Array,
    slot: Array,
    rows: Array,
    columns: Array,
    best: Array,
    anchor: Array,
    count: int,
) -> int:
    """Add ``weights[a] * values`` of each anchor's neighbours to a column; gives the new number of candidates.

    :param indptr: with *indices*, *values*: neighbours of each product, in compressed rows
    :param from_row: product of each catalogue row, -1 for those that have no neighbours
    :param to_row: catalogue row of each product, -1 for those that are gone
    :param anchors: as catalogue rows, each with its weight
    """
    limit = len(rows)
    for place in range(len(anchors)):
        code = from_row[anchors[place]]
        if code < 0:
            continue
        weight = weights[place]
        for at in range(indptr[code], indptr[code + 1]):
            row = to_row[indices[at]]
            if row < 0:
                continue
            if mark[row] != epoch:
                if count >= limit:
                    continue
                mark[row] = epoch
                slot[row] = count
                rows[count] = row
                columns[count, :] = 0.0
                best[count] = 0.0
                anchor[count] = -1
                count += 1
            here = slot[row]
            gain = weight * values[at]
            columns[here, column] += gain
            if gain > best[here]:
                best[here] = gain
                anchor[here] = anchors[place]
    return count


@compiled
def kth_largest(values: Array, places: Array, found: int, k: int) -> Any:
    """The *k*-th largest of the values at the first *found* places, more than *k*; a heap, as most are far below."""
    heap = np.empty(k, dtype=np.float32)
    for at in range(found):
        value = values[places[at]]
        if at < k:
            place = at
            while place > 0 and value < heap[(place - 1) // 2]:
                heap[place] = heap[(place - 1) // 2]
                place = (place - 1) // 2
        elif value > heap[0]:
            place = 0
            while 2 * place + 1 < k:
                child = 2 * place + 1
                if child + 1 < k and heap[child + 1] < heap[child]:
                    child += 1
                if heap[child] >= value:
                    break
                heap[place] = heap[child]
                place = child
        else:
            continue
        heap[place] = value
    return heap[0]


@compiled
def session_neighbours(
    item_indptr: Array,
    item_sessions: Array,
    item_places: Array,
    session_indptr: Array,
    session_items: Array,
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
    epoch: int,
    similarity: Array,
    seen: Array,
    match: Array,
    touched: Array,
    mark: Array,
    slot: Array,
    rows: Array,
    columns: Array,
    best: Array,
    anchor: Array,
    count: int,
) -> int:
    """Add the votes of the most similar past sessions to *column*, their number to the next; gives the new count.

    After VMIS-kNN (Kersbergen, Sprangers, Schelter: Serenade, 2022): an index from products to their latest sessions,
    similarity from the weights of shared products. A neighbour's products vote by similarity, less the further they
    stand from the product that both sessions share (STAN; Garg et al., 2019).

    :param item_sessions: the latest sessions of each product, latest first; *item_places* its place in each
    :param way: rows of the session asked about, latest first, each so many *steps* ago; the first *products* that
        the index knows are used
    :param idf: what sharing each product is worth, times *decay* by its steps
    :param most_recent: sessions looked at for each product
    :param neighbours: sessions that vote
    :param closeness: weight of a vote by its distance from the shared product, in places; the last holds beyond
    """
    found = 0
    used = 0
    for place in range(len(way)):
        code = from_row[way[place]]
        if code < 0:
            continue
        if used >= products:
            break
        used += 1
        weight = decay[steps[place]] * idf[code]
        start = item_indptr[code]
        stop = min(item_indptr[code + 1], start + most_recent)
        for at in range(start, stop):
            session = item_sessions[at]
            if seen[session] != epoch:
                seen[session] = epoch
                similarity[session] = 0.0
                match[session] = item_places[at]
                touched[found] = session
                found += 1
            similarity[session] += weight * session_weights[session]
    threshold: Any = np.float32(0.0)
    room = found
    if found > neighbours:
        threshold = kth_largest(similarity, touched, found, neighbours)
        above = 0
        for place in range(found):
            if similarity[touched[place]] > threshold:
                above += 1
        room = neighbours - above
    limit = len(rows)
    farthest = len(closeness) - 1
    for place in range(found):
        session = touched[place]
        vote = similarity[session]
        if vote < threshold:
            continue
        if vote == threshold:
            if room <= 0:
                continue
            room -= 1
        begin = session_indptr[session]
        for at in range(begin, session_indptr[session + 1]):
            row = to_row[session_items[at]]
            if row < 0:
                continue
            if mark[row] != epoch:
                if count >= limit:
                    continue
                mark[row] = epoch
                slot[row] = count
                rows[count] = row
                columns[count, :] = 0.0
                best[count] = 0.0
                anchor[count] = -1
                count += 1
            here = slot[row]
            distance = min(abs(at - begin - match[session]), farthest)
            columns[here, column] += vote * closeness[distance]
            columns[here, column + 1] += 1.0
    return count


@compiled
def keep_loudest(
    given: int,
    enough: int,
    which: Array,
    popularity: Array,
    allowed: Array,
    mark: Array,
    slot: Array,
    rows: Array,
    columns: Array,
    best: Array,
    anchor: Array,
    count: int,
) -> int:
    """Drop the candidates that sources say least of; those that stay move up in their order. Gives their number.

    How loud a candidate is, is the sum of its votes relative to the candidate with the most, and of its popularity.

    :param given: candidates, the first, that stay in any case
    :param enough: of the others stay so many, of equals the first
    :param which: columns that count
    :param popularity: of each catalogue row
    :param allowed: mask over catalogue rows, empty allows all: the others go first
    """
    others = count - given
    if others <= enough:
        return count
    top = np.full(len(which) + 1, np.float32(1e-12))
    for place in range(given, count):
        for at in range(len(which)):
            top[at] = max(top[at], columns[place, which[at]])
        top[-1] = max(top[-1], popularity[rows[place]])
    top = np.float32(1.0) / top
    loud = np.empty(others, dtype=np.float32)
    for place in range(given, count):
        row = rows[place]
        total = popularity[row] * top[-1]
        for at in range(len(which)):
            total += columns[place, which[at]] * top[at]
        loud[place - given] = total if len(allowed) == 0 or allowed[row] else np.float32(-1e12)
    least = np.partition(loud, others - enough)[others - enough]
    room = enough - np.sum(loud > least)
    kept = given
    for place in range(given, count):
        loudness = loud[place - given]
        if loudness < least or (loudness == least and room <= 0):
            mark[rows[place]] = 0
            continue
        if loudness == least:
            room -= 1
        row = rows[place]
        slot[row] = kept
        rows[kept] = row
        columns[kept] = columns[place]
        best[kept] = best[place]
        anchor[kept] = anchor[place]
        kept += 1
    return kept


@compiled
def best_places(scores: Array, rows: Array, allowed: Array, floor: float, k: int) -> Array:
    """Places of the *k* best scores, best first; of equals the lowest row first.

    :param rows: catalogue rows of the scores
    :param allowed: mask over catalogue rows; empty allows all
    :param floor: what a score must be above
    """
    fit = np.empty(len(scores), dtype=np.int64)
    found = 0
    for place in range(len(scores)):
        if scores[place] > floor and (len(allowed) == 0 or allowed[rows[place]]):
            fit[found] = place
            found += 1
    fit = fit[:found]
    if found > k:
        values = scores[fit]
        least = np.partition(values, found - k)[found - k]
        fit = fit[values >= least]  # more than k where several are as good as the last one
    keys = np.empty(len(fit), dtype=np.float32)
    for place in range(len(fit)):
        keys[place] = -scores[fit[place]]
    by_row = np.argsort(rows[fit], kind="mergesort")
    order = by_row[np.argsort(keys[by_row], kind="mergesort")]
    return fit[order[:k]]


@compiled
def audible_sources(columns: Array, places: Array, bits: Array, share: float, none: int) -> Array:
    """Which sources spoke of each candidate, as a set of bits.

    :param columns: what sources say of all candidates, shape ``(candidates, len(bits))``
    :param share: of a source's strongest vote, below which it is not heard
    :param none: the bits of candidates of which nobody spoke
    """
    n_columns = len(bits)
    loudest = np.zeros(n_columns, dtype=np.float32)
    for place in range(len(columns)):
        for column in range(n_columns):
            if columns[place, column] > loudest[column]:
                loudest[column] = columns[place, column]
    found = np.zeros(len(places), dtype=np.int64)
    for at in range(len(places)):
        for column in range(n_columns):
            vote = columns[places[at], column]
            if vote > 0 and vote > share * loudest[column]:
                found[at] |= bits[column]
        if found[at] == 0:
            found[at] = none
    return found


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

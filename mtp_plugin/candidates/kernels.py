"""The hot loops: collecting candidates, spreading the weights of anchors over their neighbours, finding similar
sessions, and dropping what no source says much of.

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
    turn: int,
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
    :param turn: marks in *seen* what was met now, see :meth:`.Scratch.take_turn`
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
            if seen[session] != turn:
                seen[session] = turn
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

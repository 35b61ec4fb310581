"""The two hot loops: spreading the weights of anchors over their neighbours, and finding similar sessions.

Both add to the columns of a :class:`~mtp_plugin.candidates.scratch.Scratch`. They are compiled by numba; where it can't
be imported, :mod:`mtp_plugin.candidates.plain` does the same with numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled

Array = NDArray[Any]


@compiled
def spread(
    indptr: Array,
    indices: Array,
    values: Array,
    to_row: Array,
    codes: Array,
    weights: Array,
    anchor_rows: Array,
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
    :param to_row: catalogue row of each product, -1 for those that are gone
    :param codes: the anchors, as products of *indptr*; *anchor_rows* the same as catalogue rows
    """
    limit = len(rows)
    for place in range(len(codes)):
        code = codes[place]
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
                anchor[here] = anchor_rows[place]
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
    to_row: Array,
    codes: Array,
    weights: Array,
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
    :param codes: products of the session asked about, latest first; *weights* what sharing each is worth
    :param most_recent: sessions looked at for each product
    :param neighbours: sessions that vote
    :param closeness: weight of a vote by its distance from the shared product, in places; the last holds beyond
    """
    found = 0
    for place in range(len(codes)):
        code = codes[place]
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
            similarity[session] += weights[place] * session_weights[session]
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

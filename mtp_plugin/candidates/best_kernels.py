"""From what the parts of the blend say of each candidate to the best of them, with where they came from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from .feature_kernels import taste

Array = NDArray[Any]


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
    fit = most(scores, fit[:found], k)
    keys = np.empty(len(fit), dtype=np.float32)
    for place in range(len(fit)):
        keys[place] = -scores[fit[place]]
    best = fit[np.argsort(keys, kind="mergesort")]
    for place in range(1, len(best)):  # equals by row
        here, at = best[place], place
        while at > 0 and scores[best[at - 1]] == scores[here] and rows[best[at - 1]] > rows[here]:
            best[at] = best[at - 1]
            at -= 1
        best[at] = here
    return best[:k]


@compiled
def most(scores: Array, fit: Array, k: int) -> Array:
    """Of some places those of the *k* highest scores, more where several are as good as the last one."""
    if len(fit) <= k:
        return fit
    least = np.partition(scores[fit], len(fit) - k)[len(fit) - k]
    kept = np.empty(len(fit), dtype=np.int64)
    found = 0
    for place in fit:
        if scores[place] >= least:
            kept[found] = place
            found += 1
    return kept[:found]


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
def likeness(
    parts: Array,
    first: int,
    codes: Array,
    drawn_to: Array,
    starts: Array,
    weights: Array,
    popularity: Array,
    shares: Array,
    rows: Array,
    columns: Array,
    alike: int,
    content: int,
) -> tuple[Array, bool, bool, bool]:
    """What affinities say, products alike and the segment, as probabilities; gives how much each candidate is to the
    visitor's taste (empty where nothing is known of it), and which of the three have a say.

    :param parts: written to, from row *first* on, shape ``(parts, candidates)``
    :param drawn_to: the shares that :func:`.feature_kernels.taste` takes, empty where there are none
    :param shares: how much of what the segment does each catalogue row has; empty without a segment, when products
        alike have no say, either
    """
    count = len(rows)
    drawn = taste(codes, drawn_to, starts, weights, rows[: count if len(drawn_to) else 0])
    total = np.zeros(3, dtype=np.float64)
    for place in range(count):
        row = rows[place]
        if len(drawn):
            parts[first, place] = drawn[place] * (np.float32(1.0) + popularity[row])
            total[0] += parts[first, place]
        if len(shares):
            parts[first + 1, place] = columns[place, alike] + columns[place, content]
            parts[first + 2, place] = shares[row]
            total[1] += parts[first + 1, place]
            total[2] += parts[first + 2, place]
    for part in range(3):
        if total[part] > 0.0:
            one = np.float32(1.0 / total[part])
            for place in range(count):
                parts[first + part, place] *= one
    return drawn, total[0] > 0.0, total[1] > 0.0, total[2] > 0.0


@compiled
def mixed(parts: Array, trust: Array) -> Array:
    """The parts mixed, shape ``(candidates,)``."""
    count = parts.shape[1]
    found = np.zeros(count, dtype=np.float32)
    for part in range(len(trust)):
        if trust[part] != 0.0:
            for place in range(count):
                found[place] += trust[part] * parts[part, place]
    return found


@compiled
def chosen(
    scores: Array,
    scratch_rows: Array,
    columns: Array,
    anchor: Array,
    allowed: Array,
    floor: float,
    k: int,
    bits: Array,
    share: float,
    none: int,
    last: int,
    neighbours: int,
) -> tuple[Array, Array, Array, Array, Array]:
    """The *k* best candidates: their places, rows, scores, origins and anchors.

    What session neighbours alone propose is because of where the visitor is; nothing is because of itself.

    :param last: row of the product that the visitor is at, -1 for none
    :param neighbours: the bit of session neighbours; for the others see :func:`best_places`, :func:`audible_sources`
    """
    places = best_places(scores, scratch_rows, allowed, floor, k)
    origins = audible_sources(columns, places, bits, share, none)
    n = len(places)
    rows, values = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.float32)
    anchors = np.empty(n, dtype=np.int32)
    for at in range(n):
        place = places[at]
        rows[at], values[at], anchors[at] = scratch_rows[place], scores[place], anchor[place]
        if last >= 0:
            if anchors[at] < 0 and origins[at] & neighbours:
                anchors[at] = last
            if anchors[at] == rows[at]:
                anchors[at] = -1
    return places, rows, values, origins, anchors


@compiled
def lean(
    places: Array,
    rows: Array,
    origins: Array,
    parts: Array,
    trust: Array,
    naming: tuple[Array, int, int, int, int, float, float],
    own: Array,
    of_all: Array,
) -> None:
    """Add to the origins what each score leans on, content or behaviour, and the segment where it had a part.

    :param naming: which of the parts go by what products are like, the bits of content and of behaviour; the segment's
        place among the parts and its bit, added from such a share of the score on, where the segment's *own* share of a
        row is so many times that *of_all*
    """
    by_content, content, behaviour, segment_part, segment, heard, lifted = naming
    for at in range(len(places)):
        total, alike = np.float32(0.0), np.float32(0.0)
        for part in range(len(trust)):
            said = trust[part] * parts[part, places[at]]
            total += said
            if by_content[part]:
                alike += said
        origins[at] |= content if alike > total / np.float32(2.0) else behaviour
        loud = trust[segment_part] * parts[segment_part, places[at]] > np.float32(heard) * total
        if loud and own[rows[at]] > np.float32(lifted) * of_all[rows[at]]:
            origins[at] |= segment


@compiled
def also(places: Array, origins: Array, drawn: Array, least: float, bit: int) -> None:
    """Add a bit to the origins of those that are more than so much to the visitor's taste."""
    for at in range(len(places)):
        if drawn[places[at]] > least:
            origins[at] |= bit


@compiled
def answer(
    parts: Array,
    trust: Array,
    scratch_rows: Array,
    columns: Array,
    anchor: Array,
    allowed: Array,
    k: int,
    heard: tuple[Array, float, int],
    last: int,
    neighbours: int,
    naming: tuple[Array, int, int, int, int, float, float],
    own: Array,
    of_all: Array,
    drawn: Array,
    least: float,
    affinity: int,
) -> tuple[Array, Array, Array, Array]:
    """The *k* best of what the parts say together, see :func:`chosen`, with all that each comes from.

    :param heard: for :func:`audible_sources`: the bits, the share and the bits of nobody
    :param naming: for :func:`lean`, which is left out where *own* is empty
    :param drawn: for :func:`also`, with *least* and its bit; empty where there is no taste
    """
    bits, share, none = heard
    scores = mixed(parts, trust)
    places, rows, values, origins, anchors = chosen(
        scores, scratch_rows, columns, anchor, allowed, -np.inf, k, bits, share, none, last, neighbours
    )
    if len(own):
        lean(places, rows, origins, parts, trust, naming, own, of_all)
    if len(drawn):
        also(places, origins, drawn, least, affinity)
    return rows, values, origins, anchors

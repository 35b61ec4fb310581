"""The walk down a ranked list that puts off what says the same again; compiled where numba can be had."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled

Array = NDArray[Any]


@compiled
def in_common(words: Array, start: int, stop: int, other: int, end: int) -> int:
    """How many numbers two ascending stretches share."""
    found = 0
    while start < stop and other < end:
        if words[start] == words[other]:
            found += 1
            start += 1
            other += 1
        elif words[start] < words[other]:
            start += 1
        else:
            other += 1
    return found


@compiled
def all_same(codes: Array, rows: Array) -> bool:
    """Whether all rows have one code."""
    same = 0
    for row in rows:
        same += codes[row] == codes[rows[0]]
    return same == len(rows)


UNREAD = -1
"""Where the words of a title nobody has read yet begin."""


@compiled
def some_unread(rows: Array, starts: Array) -> bool:
    """Whether the title of any row is still to be read."""
    found = False
    for row in rows:
        found |= starts[row] == UNREAD
    return found


@compiled
def varied(
    rows: Array,
    category: Array,
    brand: Array,
    starts: Array,
    stops: Array,
    words: Array,
    size: int,
    most_of_category: int,
    most_of_brand: int,
    alike: float,
) -> Array:
    """Places of the *size* rows that make the slate, in order; see :func:`mtp_plugin.rank.diversity.diversify`."""
    count = len(rows)
    if all_same(category, rows):
        most_of_category = count + 1
    if all_same(brand, rows):
        most_of_brand = count + 1
    taken = np.empty(count, dtype=np.int64)
    waiting = np.empty(count, dtype=np.int64)
    taken_category, taken_brand = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    begins, ends = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    n_taken = n_waiting = 0
    for place in range(count):
        if n_taken >= size:
            break
        row = rows[place]
        start, stop = starts[row], stops[row]
        of_category = of_brand = 0
        for at in range(n_taken):
            of_category += taken_category[at] == category[row]
            of_brand += taken_brand[at] == brand[row]
        again = (category[row] >= 0 and of_category >= most_of_category) or (
            brand[row] >= 0 and of_brand >= most_of_brand
        )
        at = n_taken
        while not again and at > 0 and stop > start:
            at -= 1
            begin, end = begins[at], ends[at]
            shorter, longer = min(stop - start, end - begin), max(stop - start, end - begin)
            # Too few words, or sorted ones that do not overlap, cannot have as much in common.
            if shorter < 2 or shorter < alike * longer:
                continue
            if words[stop - 1] < words[begin] or words[end - 1] < words[start]:
                continue
            common = in_common(words, start, stop, begin, end)
            again = common >= 2 and common >= alike * (shorter + longer - common)
        if again:
            waiting[n_waiting] = place
            n_waiting += 1
        else:
            taken[n_taken] = place
            taken_category[n_taken], taken_brand[n_taken] = category[row], brand[row]
            begins[n_taken], ends[n_taken] = start, stop
            n_taken += 1
    late = min(n_waiting, size - n_taken)
    taken[n_taken : n_taken + late] = waiting[:late]
    return taken[: n_taken + late]

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
    n_taken = n_waiting = 0
    for place in range(count):
        if n_taken >= size:
            break
        row = rows[place]
        start, stop = starts[row], stops[row]
        of_category = of_brand = 0
        again = False
        for at in range(n_taken):
            other = rows[taken[at]]
            of_category += category[row] >= 0 and category[other] == category[row]
            of_brand += brand[row] >= 0 and brand[other] == brand[row]
            begin, end = starts[other], stops[other]
            if again or stop == start or end == begin:
                continue
            common = in_common(words, start, stop, begin, end)
            again = common >= 2 and common >= alike * ((stop - start) + (end - begin) - common)
        if again or of_category >= most_of_category or of_brand >= most_of_brand:
            waiting[n_waiting] = place
            n_waiting += 1
        else:
            taken[n_taken] = place
            n_taken += 1
    late = min(n_waiting, size - n_taken)
    taken[n_taken : n_taken + late] = waiting[:late]
    return taken[: n_taken + late]

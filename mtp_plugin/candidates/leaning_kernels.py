"""The loop behind :mod:`mtp_plugin.candidates.leanings`; without numba the same code runs as it is, on few rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled

Array = NDArray[Any]
LEAST = 1e-3
"""Times everybody's share below which it makes no difference how little of it a segment does."""


@compiled
def leanings(
    rows: Array, own: Array, of_all: Array, sure: float, lifts: Array, category: Array, values: tuple[int, int, int]
) -> Array:
    """See :meth:`mtp_plugin.candidates.leanings.Leanings.of`.

    :param own: a segment's share of each row, empty where none is known
    :param of_all: everybody's
    :param sure: how far the segment is to be believed, 0 to 1
    :param lifts: of each value, by category, of those of no category 0 in the last place
    :param category: of each row of the catalogue, a place of *lifts*
    :param values: of the asker's device, time of day and place, -1 where it is not known
    """
    found = np.zeros((len(rows), 4), dtype=np.float32)
    for at in range(len(rows)):
        row = rows[at]
        if len(own) and of_all[row] > 0.0:
            found[at, 0] = np.log(max(1.0 - sure + sure * own[row] / of_all[row], LEAST))
        for facet in range(3):
            if values[facet] >= 0:
                found[at, 1 + facet] = lifts[values[facet], category[row]]
    return found

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
def leanings(rows: Array, own: Array, of_all: Array, sure: float) -> Array:
    """See :meth:`mtp_plugin.candidates.leanings.Leanings.of`.

    :param own: a segment's share of each row, empty where none is known
    :param of_all: everybody's
    :param sure: how far the segment is to be believed, 0 to 1
    """
    found = np.zeros((len(rows), 1), dtype=np.float32)
    if len(own):
        for at in range(len(rows)):
            common = of_all[rows[at]]
            if common > 0.0:
                found[at, 0] = np.log(max(1.0 - sure + sure * own[rows[at]] / common, LEAST))
    return found

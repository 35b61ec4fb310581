"""Products related to products: viewed together, bought together, alike in words; one class for all such lists."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..records import FloatArray, IntArray
from . import kernels, plain
from .compiled import HAS_NUMBA
from .scratch import Scratch


class Vocabulary:
    """Translates between a bundle's products and the rows of a catalogue.

    :param items: the bundle's product ids
    :param index: row of each product id of the catalogue
    """

    def __init__(self, items: tuple[str, ...], index: Mapping[str, int], n_rows: int) -> None:
        find = index.get
        self.to_row: IntArray = np.array([find(item, -1) for item in items], dtype=np.int32)
        self.from_row: IntArray = np.full(max(1, n_rows), -1, dtype=np.int32)
        known = self.to_row >= 0
        self.from_row[self.to_row[known]] = np.flatnonzero(known)

    def by_row(self, values: NDArray[np.generic], missing: float = 0.0) -> FloatArray:
        """A bundle's value per product as a float32 value per row."""
        rows = np.full(len(self.from_row), missing, dtype=np.float32)
        known = self.to_row >= 0
        rows[self.to_row[known]] = values[known]
        return rows


class Related:
    """Weighted neighbours of each product, in compressed rows.

    :param arrays: ``<name>_indptr``, ``<name>_indices``, ``<name>_values`` are read
    """

    def __init__(self, name: str, arrays: Mapping[str, NDArray[np.generic]], vocabulary: Vocabulary) -> None:
        self._indptr, self._indices = arrays[f"{name}_indptr"], arrays[f"{name}_indices"]
        self._values = arrays[f"{name}_values"]
        self._vocabulary = vocabulary

    def spread(self, scratch: Scratch, rows: IntArray, weights: FloatArray, column: int) -> None:
        """Add the neighbours of *rows*, each times its weight, to a column."""
        codes = self._vocabulary.from_row[rows]
        if codes.min(initial=0) < 0:
            known = codes >= 0
            codes, weights, rows = codes[known], weights[known], rows[known]
        if not len(codes):
            return
        call = (self._indptr, self._indices, self._values, self._vocabulary.to_row, codes, weights, rows, column)
        if not HAS_NUMBA:
            plain.spread(scratch, *call)
            return
        scratch.count = kernels.spread(
            *call, scratch.epoch, scratch.mark, scratch.slot, scratch.rows, scratch.columns, scratch.best,
            scratch.anchor, scratch.count,
        )  # fmt: skip

    def knows(self, row: int) -> bool:
        """Whether there is any neighbour of this row."""
        code = self._vocabulary.from_row[row]
        return bool(code >= 0 and self._indptr[code + 1] > self._indptr[code])

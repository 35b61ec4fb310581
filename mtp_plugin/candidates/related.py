"""Products related to products: viewed together, bought together, alike in words; one class for all such lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import HAS_NUMBA
from ..records import FloatArray, IntArray
from . import kernels, plain
from .detail_kernels import led_to, strongest
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
        self.to_row, self.from_row = bare(self.to_row), bare(self.from_row)

    def by_row(self, values: NDArray[np.generic], missing: float = 0.0) -> FloatArray:
        """A bundle's value per product as a float32 value per row."""
        rows = np.full(len(self.from_row), missing, dtype=np.float32)
        known = self.to_row >= 0
        rows[self.to_row[known]] = values[known]
        return rows


def bare(array: NDArray[Any]) -> NDArray[Any]:
    """The same array to be read: without the class ``memmap``, which kernels take longer to be handed, and one kind
    for them whether a file is behind it or not."""
    found: NDArray[Any] = array.view(np.ndarray)
    found.flags.writeable = False
    return found


class Related:
    """Weighted neighbours of each product, in compressed rows.

    :param arrays: ``<name>_indptr``, ``<name>_indices``, ``<name>_values`` are read
    """

    def __init__(self, name: str, arrays: Mapping[str, NDArray[np.generic]], vocabulary: Vocabulary) -> None:
        self._indptr, self._indices, self._values = (
            bare(arrays[f"{name}_{part}"]) for part in ("indptr", "indices", "values")
        )
        self._vocabulary = vocabulary
        self.lists = (self._indptr, self._indices, self._values, vocabulary.from_row, vocabulary.to_row)
        """As :mod:`.session_kernels` takes them."""

    def spread(self, scratch: Scratch, rows: IntArray, weights: FloatArray, column: int) -> None:
        """Add the neighbours of *rows*, each times its weight, to a column."""
        call = (*self.lists, rows, weights, column)
        if not HAS_NUMBA:
            plain.spread(scratch, *call)
            return
        scratch.count = kernels.spread(
            *call, scratch.epoch, scratch.mark, scratch.slot, scratch.rows, scratch.columns, scratch.best,
            scratch.anchor, scratch.count,
        )  # fmt: skip

    def strongest(self, scratch: Scratch, rows: IntArray, at: IntArray, count: int) -> FloatArray:
        """How much the one of *rows* that is nearest says of candidates, see :func:`.detail_kernels.strongest`."""
        said: FloatArray = strongest(*self.lists, rows, scratch.epoch, scratch.mark, scratch.slot, at, count)
        return said

    def led_to(self, scratch: Scratch, rows: IntArray, weights: FloatArray, at: IntArray, count: int) -> FloatArray:
        """What *rows*, each times its weight, say of candidates together, see :func:`.detail_kernels.led_to`."""
        call = (*self.lists, rows, weights, scratch.epoch, scratch.mark, scratch.slot, at, count)
        said: FloatArray = led_to(*call) if HAS_NUMBA else plain.led_to(*call)
        return said

    @classmethod
    def nothing(cls, vocabulary: Vocabulary) -> Related:
        """A list in which no product has neighbours."""
        arrays: dict[str, NDArray[Any]] = {
            "none_indptr": np.zeros(len(vocabulary.to_row) + 1, dtype=np.int64),
            "none_indices": np.zeros(0, dtype=np.int32),
            "none_values": np.zeros(0, dtype=np.float32),
        }
        return cls("none", arrays, vocabulary)

    def knows(self, row: int) -> bool:
        """Whether there is any neighbour of this row."""
        code = self._vocabulary.from_row[row]
        return bool(code >= 0 and self._indptr[code + 1] > self._indptr[code])

"""Products alike in words and price: TF-IDF cosine of the catalogue with itself, the best kept."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ...records import FloatArray, IntArray, Product, ProductTable
from ..words import tokens
from .pair_kernels import content_block, grouped
from .related_lists import Lists, blocks

NEAREST = 60
LONGEST_POSTING = 2_000
"""A token of more products than this is not followed: it costs the square of that and says next to nothing."""
Arrays = dict[str, NDArray[np.generic]]


def content_lists(table: ProductTable, progress: Callable[[str], None]) -> Arrays:
    """``content_indptr``, ``content_indices``, ``content_values`` over the rows of *table*."""
    n, found = len(table), Lists(NEAREST)
    indptr, codes, weights, n_codes = _vectors(table.products)
    by_code, places = grouped(codes, n_codes)
    rows = np.repeat(np.arange(n, dtype=np.int32), np.diff(indptr))[places]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_price = np.log(table.price)
    sums, touched = np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.int32)
    for first, last in blocks(n):
        sizes = np.zeros(last - first, dtype=np.int64)
        content_block(
            first, last, indptr, codes, weights, by_code, rows, weights[places], log_price, sums, touched,
            found.columns, found.values, sizes,
        )  # fmt: skip
        found.pack(sizes)
        progress(f"content {last:,}/{n:,}")
    return found.arrays("content")


def _vectors(products: Iterable[Product]) -> tuple[IntArray, IntArray, FloatArray, int]:
    """TF-IDF vectors of unit length as compressed rows, without the commonest tokens; and how many tokens there are."""
    names: dict[str, int] = {}
    columns, values, sizes = array("i"), array("d"), array("i")
    for product in products:
        found = tokens(product)
        columns.extend([names.setdefault(name, len(names)) for name in found])
        values.extend(found.values())
        sizes.append(len(found))
    column = np.frombuffer(columns, dtype=np.int32) if columns else np.zeros(0, np.int32)
    size, n = np.array(sizes, dtype=np.int64), len(sizes)
    row = np.repeat(np.arange(n), size)
    shared = np.bincount(column, minlength=len(names))
    weight = np.array(values, dtype=np.float64) * np.log1p(n / np.maximum(1, shared[column]))
    weight /= np.maximum(np.sqrt(np.bincount(row, weight**2, minlength=n)), 1e-12)[row]
    keep = shared[column] <= LONGEST_POSTING
    indptr = np.append(0, np.cumsum(np.bincount(row[keep], minlength=n))).astype(np.int64)
    return indptr, column[keep], weight[keep].astype(np.float32), len(names)

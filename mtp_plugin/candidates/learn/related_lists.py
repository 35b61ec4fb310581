"""From counts of pairs to the best neighbours of each product."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...records import IntArray
from ..counts import Counts

NEAREST = 100
Arrays = dict[str, NDArray[np.generic]]


def related_lists(counts: Counts) -> Arrays:
    """``viewed`` and ``bought`` by cosine, ``next`` and ``path`` by the share of what followed."""
    pairs, items = counts.pairs, counts.items
    arrays: Arrays = {}
    arrays |= nearest("viewed", _cosine(pairs["viewed"], items["views"].astype(np.float64)))
    arrays |= nearest("next", _share(pairs["next"]), 60)
    arrays |= nearest("path", _share(pairs["path"]), 80)
    arrays |= nearest("bought", _cosine(_off_diagonal(pairs["bought"]), items["basket"].astype(np.float64)))
    return arrays


def nearest(name: str, matrix: sparse.csr_matrix, n: int = NEAREST, *, signed: bool = False) -> Arrays:
    """The *n* largest values above 0 of each row as ``<name>_indptr``, ``_indices``, ``_values``; best first.

    :param signed: the *n* farthest from 0, below it too
    """
    matrix = matrix.tocoo()
    above = matrix.data != 0 if signed else matrix.data > 0
    row, column, value = matrix.row[above], matrix.col[above], matrix.data[above]
    order = np.lexsort((column, -np.abs(value), row))
    row, column, value = row[order], column[order], value[order]
    starts = np.searchsorted(row, np.arange(matrix.shape[0] + 1))
    keep = np.arange(len(row)) - starts[row] < n
    return {
        f"{name}_indptr": np.searchsorted(row[keep], np.arange(matrix.shape[0] + 1)).astype(np.int64),
        f"{name}_indices": column[keep].astype(np.int32),
        f"{name}_values": value[keep].astype(np.float32),
    }


def _cosine(pairs: sparse.csr_matrix, totals: np.ndarray) -> sparse.csr_matrix:
    scale = 1.0 / np.sqrt(np.maximum(totals, 1.0))
    return sparse.diags_array(scale) @ pairs.astype(np.float64) @ sparse.diags_array(scale)


def _share(pairs: sparse.csr_matrix) -> sparse.csr_matrix:
    total: IntArray = np.asarray(pairs.sum(axis=1)).ravel()
    return sparse.diags_array(1.0 / np.maximum(total, 1.0)) @ pairs.astype(np.float64)


def _off_diagonal(pairs: sparse.csr_matrix) -> sparse.csr_matrix:
    matrix = pairs.tocoo()
    off = matrix.row != matrix.col
    return sparse.csr_matrix((matrix.data[off], (matrix.row[off], matrix.col[off])), shape=matrix.shape)

"""Products alike in words and price: TF-IDF cosine of the catalogue with itself, the best kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...records import ProductTable
from ..content import price_closeness
from ..words import tokens
from .related_lists import nearest

NEAREST = 60
BLOCK = 256
LONGEST_POSTING = 2_000
"""A token of more products than this is not followed: it costs the square of that and says next to nothing."""
Arrays = dict[str, NDArray[np.generic]]


def content_lists(table: ProductTable, progress: Callable[[str], None]) -> Arrays:
    """``content_indptr``, ``content_indices``, ``content_values`` over the rows of *table*."""
    vectors = _vectors(table)
    turned = vectors.T.tocsr()
    blocks = []
    for start in range(0, len(table), BLOCK):
        block = (vectors[start : start + BLOCK] @ turned).tocoo()
        row = block.row + start
        keep = row != block.col
        row, column, value = row[keep], block.col[keep], block.data[keep]
        value = value * price_closeness(table.price[column], table.price[row])
        matrix = sparse.csr_matrix((value, (row - start, column)), shape=block.shape)
        blocks.append(nearest("content", matrix, NEAREST))
        progress(f"content {min(start + BLOCK, len(table)):,}/{len(table):,}")
    return _joined(blocks)


def _vectors(table: ProductTable) -> sparse.csr_matrix:
    """TF-IDF vectors of unit length, shape ``(products, tokens)``."""
    codes: dict[str, int] = {}
    described = [tokens(product) for product in table.products]
    column = np.array([codes.setdefault(name, len(codes)) for one in described for name in one], dtype=np.int64)
    weight = np.array([value for one in described for value in one.values()], dtype=np.float64)
    row = np.repeat(np.arange(len(table)), [len(one) for one in described])
    shared = np.bincount(column, minlength=max(1, len(codes)))
    weight = weight * np.log1p(len(table) / np.maximum(1, shared[column]))
    norm = np.sqrt(np.bincount(row, weight**2, minlength=len(table)))
    weight = weight / np.maximum(norm, 1e-12)[row]
    keep = shared[column] <= LONGEST_POSTING
    shape = (len(table), max(1, len(codes)))
    return sparse.csr_matrix((weight[keep].astype(np.float32), (row[keep], column[keep])), shape=shape)


def _joined(blocks: list[Arrays]) -> Arrays:
    if not blocks:
        empty = {"content_indices": np.zeros(0, np.int32), "content_values": np.zeros(0, np.float32)}
        return {"content_indptr": np.zeros(1, np.int64), **empty}
    sizes = np.concatenate([np.diff(block["content_indptr"]) for block in blocks])
    return {
        "content_indptr": np.append(0, np.cumsum(sizes)).astype(np.int64),
        "content_indices": np.concatenate([block["content_indices"] for block in blocks]),
        "content_values": np.concatenate([block["content_values"] for block in blocks]),
    }

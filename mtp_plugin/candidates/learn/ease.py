"""EASE: the item-item weights that best rebuild every basket from its other products (Steck, 2019, equation 8)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from ...records import FloatArray, IntArray
from ..counts import Counts
from .related_lists import nearest

RIDGE = 60.0
"""Where there are too few orders to learn a better one from."""
MOST_PRODUCTS = 6_000
"""Products in the system of equations, the most bought: its cost grows with their cube."""
FEWEST_ORDERS = 3
NEAREST = 200
FIXED = 4096.0
"""One order of today in the counts of pairs."""
Arrays = dict[str, NDArray[np.generic]]


def ease_lists(counts: Counts, ridge: float = RIDGE) -> Arrays:
    """``ease_indptr``, ``ease_indices``, ``ease_values``; empty when nothing was bought together.

    :param ridge: in orders of today; what a weight must explain to be worth having
    """
    members = most_bought(counts, MOST_PRODUCTS)
    n = counts.pairs["bought"].shape[0]
    if len(members) < 2:
        return nearest("ease", sparse.csr_matrix((n, n)))
    weights = weights_of(system_of(counts, members), ridge)
    return nearest("ease", _strong(weights, members, n), NEAREST, signed=True)


def most_bought(counts: Counts, most: int) -> IntArray:
    """Codes of the products in the most orders, ascending; those in too few are left out."""
    orders = counts.items["orders"]
    members = np.flatnonzero(orders >= FEWEST_ORDERS)
    if len(members) > most:
        members = np.sort(members[np.argsort(-orders[members], kind="stable")[:most]])
    return members


def system_of(counts: Counts, members: IntArray) -> FloatArray:
    """Weighted orders that hold both of two products, shape ``(members, members)``."""
    pairs = counts.pairs["bought"][members][:, members].toarray()
    system: FloatArray = pairs.astype(np.float32) / np.float32(FIXED)
    return system


def weights_of(system: FloatArray, ridge: float) -> FloatArray:
    """The weights that rebuild each basket from its other products, shape as *system*, which stays as it is."""
    ridged = system.copy()
    ridged[np.diag_indices(len(ridged))] += np.float32(ridge)
    weights: FloatArray = -_inverse(ridged)
    weights /= -np.diag(weights)[None, :]
    np.fill_diagonal(weights, 0.0)
    return weights


def _inverse(system: np.ndarray) -> np.ndarray:
    """Inverse of a symmetric positive definite matrix by its Cholesky factor."""
    factor, failed = lapack.spotrf(system, lower=1)
    if failed:
        return np.asarray(np.linalg.inv(system))
    inverse, _ = lapack.spotri(factor, lower=1)
    lower = np.tril(inverse)
    return np.asarray(lower + np.tril(lower, -1).T)


def _strong(weights: np.ndarray, members: np.ndarray, n: int) -> sparse.csr_matrix:
    """The weights of each row farthest from 0 (those below say what does *not* go together), numbered as all *n*."""
    keep = min(NEAREST, len(members) - 1)
    best = np.argpartition(-np.abs(weights), keep, axis=1)[:, :keep]
    row = np.repeat(members, keep)
    return sparse.csr_matrix(
        (np.take_along_axis(weights, best, axis=1).ravel(), (row, members[best].ravel())), shape=(n, n)
    )

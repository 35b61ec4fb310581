"""EASE: the item-item weights that best rebuild every basket from its other products (Steck, 2019, equation 8).

Products may be dropped from a basket by chance before it is rebuilt (EDLAE: Steck, 2020): no weight then leans on one
product alone. It needs no drawing: each product's own place in the system grows by a share of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from ...records import FloatArray, IntArray
from .pair_kernels import gram_rows
from .related_lists import BASKET_BITS, Orders

RIDGE = 20.0
"""Where there are too few orders to learn a better one from."""
DROPPED = 0.2
"""Odds of a product being dropped: from 0.1 to 0.5 they make no difference, without any, weights are worse."""
MOST_PRODUCTS = 6_000
"""Products in the system of equations, the most bought: its cost grows with their cube."""
FEWEST_ORDERS = 3
NEAREST = 200
BLOCK = 512
Arrays = dict[str, NDArray[np.generic]]
Lists = tuple[IntArray, IntArray, FloatArray]
"""Of each member how many weights are kept, of which products, and the weights."""
NOTHING: IntArray = np.zeros(0, dtype=np.int64)
NOBODY: Lists = (NOTHING, np.zeros(0, np.int32), np.zeros(0, np.float32))


def ease_lists(orders: Orders, ridge: float = RIDGE) -> Arrays:
    """``ease_indptr``, ``ease_indices``, ``ease_values``; empty when nothing was bought together.

    :param ridge: in orders of today; what a weight must explain to be worth having
    """
    members = most_bought(orders, MOST_PRODUCTS)
    if len(members) < 2:
        return lists_of("ease", orders.n, NOTHING)
    inverse = _inverse(system_of(orders, members), ridge)
    return lists_of("ease", orders.n, members, farthest(_without_itself(inverse), members, NEAREST))


def most_bought(orders: Orders, most: int) -> IntArray:
    """Codes of the products in the most orders, ascending; those in too few are left out."""
    members = np.flatnonzero(orders.bought >= FEWEST_ORDERS)
    if len(members) > most:
        members = np.sort(members[np.argsort(-orders.bought[members], kind="stable")[:most]])
    return members


def system_of(orders: Orders, members: IntArray) -> FloatArray:
    """Weighted orders that hold both of two products, float32 of shape ``(members, members)``."""
    system = np.zeros((len(members), len(members)), dtype=np.float32)
    place_of = np.full(orders.n, -1, dtype=np.int32)
    place_of[members] = np.arange(len(members))
    sums, touched = np.zeros(orders.n, dtype=np.int64), np.zeros(orders.n, dtype=np.int32)
    gram_rows(members, place_of, *orders.lines(), sums, touched, float(1 << BASKET_BITS), system)
    return system


def weights_of(system: FloatArray, ridge: float) -> FloatArray:
    """The weights that rebuild each basket from its other products, shape as *system*, which stays as it is."""
    weights = _inverse(system.copy(), ridge)
    weights /= -np.diag(weights)[None, :]
    np.fill_diagonal(weights, 0.0)
    return weights


def _inverse(system: FloatArray, ridge: float) -> FloatArray:
    """Inverse of a symmetric matrix with its diagonal raised, by its Cholesky factor, in the memory of *system*."""
    own = np.diag_indices(len(system))
    system[own] += np.float32(ridge) + np.float32(DROPPED) * system[own]
    factor, failed = lapack.spotrf(system.T, lower=1, overwrite_a=1)  # LAPACK counts by columns
    if failed:
        raise ArithmeticError("the products bought together make no positive definite matrix")
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    found: FloatArray = inverse.T  # its upper triangle holds the inverse
    for start in range(0, len(found), BLOCK):
        rows, below = slice(start, start + BLOCK), slice(start + BLOCK, None)
        square = found[rows, rows]
        square[:] = np.triu(square) + np.triu(square, 1).T
        found[below, rows] = found[rows, below].T
    return found


def _without_itself(inverse: FloatArray) -> Iterator[FloatArray]:
    """The weights, block by block, of no product for itself."""
    diagonal = np.diag(inverse).copy()
    for start in range(0, len(inverse), BLOCK):
        weights = -inverse[start : start + BLOCK] / diagonal
        rows = np.arange(len(weights))
        weights[rows, start + rows] = 0.0
        yield weights


def farthest(blocks: Iterable[FloatArray], members: IntArray, most: int) -> Lists:
    """The *most* weights of each member farthest from 0 (those below say what does *not* go together), and how many."""
    keep, sizes, columns, values = min(most, len(members) - 1), [], [], []
    for weights in blocks:
        place = np.sort(np.argpartition(-np.abs(weights), keep, axis=1)[:, :keep], axis=1)
        weight = np.take_along_axis(weights, place, axis=1)
        order = np.argsort(-np.abs(weight), axis=1, kind="stable")
        place, weight = np.take_along_axis(place, order, axis=1), np.take_along_axis(weight, order, axis=1)
        sizes.append(np.count_nonzero(weight, axis=1))
        columns.append(members[place[weight != 0]].astype(np.int32))
        values.append(weight[weight != 0])
    return np.concatenate(sizes), np.concatenate(columns), np.concatenate(values)


def lists_of(name: str, n: int, members: IntArray, found: Lists = NOBODY) -> Arrays:
    """What :func:`farthest` found of some of *n* products, as a bundle keeps it."""
    sizes: IntArray = np.zeros(n, dtype=np.int64)
    sizes[members], columns, values = found
    indptr = np.append(0, np.cumsum(sizes)).astype(np.int64)
    return {f"{name}_indptr": indptr, f"{name}_indices": columns, f"{name}_values": values}

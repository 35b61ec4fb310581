"""What slates are and what came of them, counted in columns: slate by slate, by what they share, by position.

All that is counted of a slate is a sum, so what changed is the sums after less the sums before; orders alone are
counted once for all slates of a kind, see :func:`owed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..records import BoolArray, FloatArray, IntArray
from .measures import BUCKETS_MS, SUMS

KINDS = ("seen", "click", "cart", "purchase", "refund")
"""Kinds of outcomes, by their numbers."""
SEEN, CLICK, CART, PURCHASE, REFUND = range(len(KINDS))
PLACE = {name: place for place, name in enumerate(SUMS)}
_COUNTED = ((SEEN, "seen"), (CLICK, "clicks"), (CART, "carts"), (PURCHASE, "purchases"))
_ENDS_US = 1000 * np.array(BUCKETS_MS)


@dataclass(frozen=True, slots=True)
class Made:
    """Slates: how many products each has, its rung, the microseconds it took, how many products are told by name, and
    how many of these are new; (n,) each."""

    items: IntArray
    rung: IntArray
    took_us: FloatArray
    shown: IntArray
    fresh: IntArray


@dataclass(frozen=True, slots=True)
class Came:
    """Outcomes: the row of the slate, number of the kind, visitor, order and position (0 for none), worth; (m,) each.

    ``sign`` is 1 for what happened and -1 for what was taken back.
    """

    slate: IntArray
    kind: IntArray
    visitor: IntArray
    position: IntArray
    order: IntArray
    sign: FloatArray
    value: FloatArray
    margin: FloatArray

    def only(self, which: BoolArray) -> Came:
        """Some of them."""
        return Came(*(getattr(self, name)[which] for name in self.__slots__))


def slate_sums(made: Made, came: Came) -> FloatArray:
    """The sums of each slate, (n, sums), in the order of :data:`mtp_plugin.kpi.measures.SUMS`."""
    count = len(made.items)
    found = came_sums(came, count)
    found[:, PLACE["slates"]] = 1.0
    found[:, PLACE["empty"]] = made.items == 0
    found[:, PLACE["fallback"]] = made.rung > 0
    found[:, PLACE["shown"]], found[:, PLACE["fresh"]] = made.shown, made.fresh
    found[np.arange(count), PLACE["took_0"] + np.searchsorted(_ENDS_US, made.took_us)] = 1.0
    return found


def came_sums(came: Came, count: int) -> FloatArray:
    """What came of each of *count* slates, (count, sums)."""
    found = _told(came, came.slate, count)
    found[:, PLACE["clicked"]] = _times(_lasting(came, CLICK, came.visitor), count)
    found[:, PLACE["orders"]] = _times(_lasting(came, PURCHASE, came.order), count)
    return found


def place_sums(made: Made, came: Came, placement: IntArray, placements: int, places: int) -> FloatArray:
    """By placement and position, (placements, places, sums).

    A slate of six that was seen has shown each of its first six places.

    :param placement: (n,) number of each slate's placement
    :param places: one more than the last position there is
    """
    at = came.only(came.position > 0)
    cell = placement[at.slate] * places + at.position
    found = _told(at, cell, placements * places)
    # A click counts once a slate and visitor here too, at each position.
    pair = at.slate * places + at.position
    clicked = _lasting(at, CLICK, at.visitor, pair)
    found[:, PLACE["clicked"]] = _times(placement[clicked // places] * places + clicked % places, len(found))
    seen = came.kind == SEEN
    views = _sum(came.sign[seen], came.slate[seen], len(placement))
    long = _sum(views, placement * places + np.minimum(made.items, places - 1), len(found)).reshape(placements, places)
    found = found.reshape(placements, places, len(SUMS))
    found[:, :, PLACE["seen"]] = np.cumsum(long[:, ::-1], axis=1)[:, ::-1]
    found[:, 0] = 0.0
    return found


def owed(came: Came) -> tuple[IntArray, IntArray]:
    """Slates and the orders that they led to, less those that were taken back: pairs, as (k,) each."""
    bought = came.only(came.kind == PURCHASE)
    span = int(bought.order.max(initial=0)) + 1
    pairs, number = np.unique(bought.slate * span + bought.order, return_inverse=True)
    lasting = pairs[_sum(bought.sign, number, len(pairs)) > 0]
    return lasting // span, lasting % span


def by_cell(sums: FloatArray, cell: IntArray, cells: int) -> FloatArray:
    """Rows added up by cell: (cells, sums).

    >>> by_cell(np.array([[1.0], [2.0], [4.0]]), np.array([1, 0, 1]), 3).ravel().tolist()
    [2.0, 5.0, 0.0]
    """
    found = np.zeros((cells, sums.shape[1]))
    if len(cell):
        order = np.argsort(cell, kind="stable")
        sorted_cells = cell[order]
        starts = np.flatnonzero(np.diff(sorted_cells, prepend=-1))
        found[sorted_cells[starts]] = np.add.reduceat(sums[order], starts, axis=0)
    return found


def numbered(values: Sequence[Any], known: dict[Any, int]) -> IntArray:
    """Each value by its number, in order of first appearance; *known* is filled with them."""
    known.update((value, number) for number, value in enumerate(dict.fromkeys(values)))
    return np.fromiter(map(known.__getitem__, values), np.int64, len(values))


def _told(came: Came, cell: IntArray, cells: int) -> FloatArray:
    found = np.zeros((cells, len(SUMS)))
    for kind, name in _COUNTED:
        which = came.kind == kind
        found[:, PLACE[name]] = _sum(came.sign[which], cell[which], cells)
    money = came.kind >= PURCHASE
    found[:, PLACE["revenue"]] = _sum(came.value[money], cell[money], cells)
    found[:, PLACE["margin"]] = _sum(came.margin[money], cell[money], cells)
    back = came.kind == REFUND
    found[:, PLACE["refunds"]] = _sum(came.value[back], cell[back], cells)
    return found


def _lasting(came: Came, kind: int, who: IntArray, of: IntArray | None = None) -> IntArray:
    """For each pair of a slate (or what *of* says) and visitor or order that was not taken back: the slate."""
    which = came.kind == kind
    span = int(who.max(initial=0)) + 1
    pairs, number = np.unique((came.slate if of is None else of)[which] * span + who[which], return_inverse=True)
    kept: IntArray = pairs[_sum(came.sign[which], number, len(pairs)) > 0] // span
    return kept


def _times(cell: IntArray, cells: int) -> FloatArray:
    return np.bincount(cell, minlength=cells).astype(np.float64)


def _sum(values: FloatArray, cell: IntArray, cells: int) -> FloatArray:
    return np.bincount(cell, weights=values, minlength=cells).astype(np.float64, copy=False)

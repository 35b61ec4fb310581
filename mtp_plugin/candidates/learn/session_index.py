"""The index from products to the latest sessions they were seen in."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ...records import IntArray
from ..log import TrainingLog

PER_ITEM = 2500
"""Sessions kept for each product, the latest."""

LONGEST = 64
"""Products kept of one session, the latest: longer ones are robots more often than people."""

Arrays = dict[str, NDArray[np.generic]]


def session_index(log: TrainingLog, per_item: int = PER_ITEM) -> Arrays:
    """Sessions of two products or more as an inverted index.

    :param log: views; sessions in order of time
    :returns: ``session_indptr``, ``session_items`` (each session's distinct products, oldest first),
        ``item_indptr``, ``item_sessions``, ``item_places`` (each product's sessions, latest first, and its place in
        them), ``session_owners`` (a hash of the visitor), ``session_order`` (0 oldest to 1 latest)
    """
    n_items = len(log.items)
    keep = _last_of_each(log.session, log.item, n_items)
    session, item, visitor = log.session[keep], log.item[keep], log.visitor[keep]
    kept = _bounded(session)
    session, item, visitor = session[kept], item[kept], visitor[kept]
    numbers, starts, sizes = np.unique(session, return_index=True, return_counts=True)
    local = np.repeat(np.arange(len(numbers)), sizes)
    place = np.arange(len(item)) - np.repeat(starts, sizes)
    order = np.lexsort((-local, item))
    by_item = item[order]
    rank = np.arange(len(order)) - np.searchsorted(by_item, by_item)
    order = order[rank < per_item]
    return {
        "session_indptr": np.append(starts, len(item)).astype(np.int64),
        "session_items": item.astype(np.int32),
        "session_owners": owners(log)[visitor[starts]] if len(starts) else np.zeros(0, dtype=np.int64),
        "session_order": (np.arange(len(numbers)) / max(1, len(numbers) - 1)).astype(np.float32),
        "item_indptr": np.searchsorted(item[order], np.arange(n_items + 1)).astype(np.int64),
        "item_sessions": local[order].astype(np.int32),
        "item_places": place[order].astype(np.int16),
    }


def owner(visitor: str) -> int:
    """The number under which a visitor's sessions are kept: 63 bits of a hash of the id."""
    return int.from_bytes(hashlib.blake2b(visitor.encode(), digest_size=8).digest(), "big") >> 1


def owners(log: TrainingLog) -> IntArray:
    """The owner number of each visitor of the log."""
    return np.array([owner(visitor) for visitor in log.visitors], dtype=np.int64)


def _last_of_each(session: IntArray, item: IntArray, n_items: int) -> IntArray:
    """Positions of the last occurrence of each product in its session, in order."""
    key = session.astype(np.int64) * n_items + item
    backwards = np.unique(key[::-1], return_index=True)[1]
    return np.sort(len(key) - 1 - backwards)


def _bounded(session: IntArray) -> IntArray:
    """Positions of the latest :data:`LONGEST` rows of each session that has two or more."""
    _, starts, sizes = np.unique(session, return_index=True, return_counts=True)
    to_end = np.repeat(starts + sizes, sizes) - np.arange(len(session))
    return np.flatnonzero((to_end <= LONGEST) & (np.repeat(sizes, sizes) >= 2))

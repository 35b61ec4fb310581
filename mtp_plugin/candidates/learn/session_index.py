"""The index from products to the latest sessions they were seen in; also of baskets, and of customers' whole pasts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...records import IntArray
from ..log import TrainingLog

PER_ITEM = 2500
"""Sessions kept for each product, the latest."""

LONGEST = 64
"""Products kept of one session, the latest: longer ones are robots more often than people."""

LONGEST_PAST = 200
"""Products kept of one customer's past, the latest."""

Arrays = dict[str, NDArray[np.generic]]


def session_index(log: TrainingLog) -> Arrays:
    """Sessions of two products or more as an inverted index.

    :param log: views; sessions in order of time
    :returns: ``session_indptr``, ``session_items`` (each session's distinct products, oldest first),
        ``item_indptr``, ``item_sessions``, ``item_places`` (each product's sessions, latest first, and its place in
        them), ``session_owners`` (a hash of the visitor), ``session_order`` (0 oldest to 1 latest)
    """
    return _index(log, log.session, "", LONGEST)


def basket_index(log: TrainingLog) -> Arrays:
    """The same of orders: names begin with ``basket_``."""
    return _index(log, log.basket, "basket_", LONGEST)


def user_index(log: TrainingLog) -> Arrays:
    """The same of all that each visitor bought, by each product's last purchase: names begin with ``user_``."""
    return _index(log, log.visitor, "user_", LONGEST_PAST)


def _index(log: TrainingLog, group: IntArray, prefix: str, longest: int) -> Arrays:
    """Sessions are what shares a number of *group*, numbered anew by the time of their last row."""
    n_items = max(1, len(log.items))
    order = np.lexsort((np.arange(len(group)), log.time, group))
    numbers, starts, sizes = np.unique(group[order], return_index=True, return_counts=True)
    ends = log.time[order][starts + sizes - 1] if len(starts) else np.zeros(0)
    session = np.repeat(np.arange(len(numbers)), sizes)
    keep = _last_of_each(session, log.item[order], n_items)
    keep = keep[_bounded(session[keep], longest)]
    session, item, visitor = session[keep], log.item[order][keep], log.visitor[order][keep]
    by_end = np.lexsort((np.arange(len(session)), session, ends[session]))
    session, item, visitor = session[by_end], item[by_end], visitor[by_end]
    starts = np.flatnonzero(np.append(True, session[1:] != session[:-1])) if len(session) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(starts, len(session)))
    arrays = _inverted(item.astype(np.int32), sizes, len(log.items))
    arrays["session_owners"] = _owners(log.visitors)[visitor[starts]]
    return {prefix + name: values for name, values in arrays.items()}


def _inverted(item: IntArray, sizes: IntArray, n_items: int) -> Arrays:
    """The index of sessions that stand one after the other, the oldest first."""
    starts = np.cumsum(sizes) - sizes
    local = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(item)) - np.repeat(starts, sizes)
    latest = np.lexsort((-local, item))
    rank = np.arange(len(latest)) - np.searchsorted(item[latest], item[latest])
    latest = latest[rank < PER_ITEM]
    return {
        "session_indptr": np.append(starts, len(item)).astype(np.int64),
        "session_items": item,
        "session_order": (np.arange(len(sizes)) / max(1, len(sizes) - 1)).astype(np.float32),
        "item_indptr": np.searchsorted(item[latest], np.arange(n_items + 1)).astype(np.int64),
        "item_sessions": local[latest].astype(np.int32),
        "item_places": place[latest].astype(np.int16),
    }


def drop_owner(arrays: Mapping[str, NDArray[np.generic]], prefix: str, number: int) -> Arrays:
    """The index without the sessions of one owner.

    :param number: see :func:`owner`
    """
    keep = arrays[f"{prefix}session_owners"] != number
    sizes = np.diff(arrays[f"{prefix}session_indptr"])
    items = arrays[f"{prefix}session_items"][np.repeat(keep, sizes)]
    found = _inverted(items, sizes[keep], len(arrays[f"{prefix}item_indptr"]) - 1)
    found["session_owners"] = arrays[f"{prefix}session_owners"][keep]
    return {prefix + name: values for name, values in found.items()}


def owner(visitor: str) -> int:
    """The number under which a visitor's sessions are kept: 63 bits of a hash of the id."""
    return int.from_bytes(hashlib.blake2b(visitor.encode(), digest_size=8).digest(), "big") >> 1


@lru_cache(maxsize=1)
def _owners(visitors: tuple[str, ...]) -> IntArray:
    return np.array([owner(visitor) for visitor in visitors], dtype=np.int64)


def _last_of_each(session: IntArray, item: IntArray, n_items: int) -> IntArray:
    """Positions of the last occurrence of each product in its session, in order."""
    key = session.astype(np.int64) * n_items + item
    backwards = np.unique(key[::-1], return_index=True)[1]
    return np.sort(len(key) - 1 - backwards)


def _bounded(session: IntArray, longest: int) -> IntArray:
    """Positions of the latest *longest* rows of each session that has two or more."""
    _, starts, sizes = np.unique(session, return_index=True, return_counts=True)
    to_end = np.repeat(starts + sizes, sizes) - np.arange(len(session))
    return np.flatnonzero((to_end <= longest) & (np.repeat(sizes, sizes) >= 2))

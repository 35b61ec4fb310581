"""The index from products to the latest sessions they were seen in; also of baskets, and of customers' whole pasts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...records import FloatArray, IntArray
from ..log import VIEW, TrainingLog
from .index_kernels import in_order, inverted, last_of_each, last_times, views_and_returns

PER_ITEM = 2500
"""Sessions kept for each product, the latest."""

LONGEST = 64
"""Products kept of one session, the latest: longer ones are robots more often than people."""

LONGEST_PAST = 200
"""Products kept of one customer's past, the latest."""

PRIOR_VIEWS = 10
"""Views that what is usual is worth beside a product's own."""

Arrays = dict[str, NDArray[np.generic]]


def session_index(item: IntArray, ended: FloatArray, session: IntArray, n: int) -> Arrays:
    """Sessions of two products or more as an inverted index.

    :param item: with *session*, of views: sessions contiguous, the oldest view first
    :param ended: when the last view of each was, by its number
    :param n: number of products
    :returns: ``session_indptr``, ``session_items`` (each session's distinct products, oldest first),
        ``item_indptr``, ``item_sessions``, ``item_places`` (each product's sessions, latest first, and its place in
        them), ``session_order`` (0 oldest to 1 latest)
    """
    return _index(item, lambda starts: ended[session[starts[:-1]]], session, n, "", LONGEST)


def last_view(log: TrainingLog) -> FloatArray:
    """When the last view of each session was, by its number; anything where there was none."""
    found = np.zeros(int(log.session.max(initial=-1)) + 1)
    last_times(log.session, log.action, log.time, VIEW, found)
    return found


def revisits(item: IntArray, session: IntArray, n: int) -> Arrays:
    """``revisits``: of each product the part of its views that somebody made who had seen it in the same session, drawn
    to that of all by :data:`PRIOR_VIEWS`."""
    views, returns = views_and_returns(item, session, n)
    usual = returns.sum() / max(1, views.sum())
    return {"revisits": ((returns + PRIOR_VIEWS * usual) / (views + PRIOR_VIEWS)).astype(np.float32)}


def basket_index(purchases: TrainingLog) -> Arrays:
    """The same of orders: names begin with ``basket_``."""
    return _grouped(purchases, purchases.basket, "basket_", LONGEST)


def user_index(purchases: TrainingLog) -> Arrays:
    """The same of all that each visitor bought, by each product's last purchase: names begin with ``user_``."""
    return _grouped(purchases, purchases.visitor, "user_", LONGEST_PAST)


def _grouped(log: TrainingLog, group: IntArray, prefix: str, longest: int) -> Arrays:
    order = np.lexsort((log.time, group))
    time = log.time[order]
    return _index(log.item[order], lambda starts: time[starts[1:] - 1], group[order], len(log.items), prefix, longest)


def _index(
    item: IntArray, ended: Callable[[IntArray], FloatArray], group: IntArray, n: int, prefix: str, longest: int
) -> Arrays:
    """Sessions are runs of one number of *group*; they are numbered anew by when they *ended*, told by their starts."""
    starts = np.append(np.append(0, np.flatnonzero(group[1:] != group[:-1]) + 1), len(group))
    keep, sizes = last_of_each(starts, item, longest, max(1, n))
    sessions = np.flatnonzero(sizes)
    sessions = sessions[np.argsort(ended(starts)[sessions], kind="stable")]
    indptr, items = in_order(sessions, starts, item, keep, sizes)
    rows, item_sessions, item_places = inverted(indptr, items, PER_ITEM, n)
    arrays: Arrays = {
        "session_indptr": indptr,
        "session_items": items,
        "session_order": (np.arange(len(sessions)) / max(1, len(sessions) - 1)).astype(np.float32),
        "item_indptr": rows,
        "item_sessions": item_sessions,
        "item_places": item_places,
    }
    return {prefix + name: values for name, values in arrays.items()}

"""The loops that make an inverted index of sessions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiled import compiled_long

Array = NDArray[Any]


@compiled_long
def last_of_each(starts: Array, item: Array, longest: int, n: int) -> tuple[Array, Array]:
    """Which rows are kept: of each session the last occurrence of its *longest* latest products.

    :param starts: first row of each session, and the number of rows; sessions stand one after the other
    :param n: number of products
    :returns: a mask of the rows, and how many each session kept; a session of one product keeps none
    """
    keep = np.zeros(len(item), dtype=np.bool_)
    sizes = np.zeros(len(starts) - 1, dtype=np.int32)
    seen = np.full(n, -1, dtype=np.int32)
    for session in range(len(starts) - 1):
        kept = 0
        for row in range(starts[session + 1] - 1, starts[session] - 1, -1):
            if kept < longest and seen[item[row]] != session:
                seen[item[row]] = session
                keep[row] = True
                kept += 1
        if kept == 1:
            keep[starts[session] : starts[session + 1]] = False
            kept = 0
        sizes[session] = kept
    return keep, sizes


@compiled_long
def in_order(order: Array, starts: Array, item: Array, keep: Array, sizes: Array) -> tuple[Array, Array]:
    """The kept products session after session, in the order asked for; and where each session begins, and the end."""
    indptr = np.zeros(len(order) + 1, dtype=np.int64)
    for place in range(len(order)):
        indptr[place + 1] = indptr[place] + sizes[order[place]]
    items = np.empty(indptr[-1], dtype=np.int32)
    for place in range(len(order)):
        session, out = order[place], indptr[place]
        for row in range(starts[session], starts[session + 1]):
            if keep[row]:
                items[out] = item[row]
                out += 1
    return indptr, items


@compiled_long
def last_times(session: Array, action: Array, time: Array, which: int, found: Array) -> None:
    """Of each session the time of its last row of an action, into *found*."""
    for row in range(len(session)):
        if action[row] == which:
            found[session[row]] = time[row]


@compiled_long
def views_and_returns(item: Array, session: Array, n: int) -> tuple[Array, Array]:
    """How often each of *n* products was viewed, and how often by somebody who had seen it in the same session."""
    views, returns, latest = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    for place in range(len(item)):
        product = item[place]
        views[product] += 1
        if latest[product] == session[place]:
            returns[product] += 1
        latest[product] = session[place]
    return views, returns


@compiled_long
def inverted(indptr: Array, items: Array, most: int, n: int) -> tuple[Array, Array, Array]:
    """The latest *most* sessions of each product, latest first, and its place in each, as compressed rows."""
    counts = np.zeros(n, dtype=np.int64)
    for item in items:
        counts[item] += 1
    rows = np.zeros(n + 1, dtype=np.int64)
    for item in range(n):
        rows[item + 1] = rows[item] + min(counts[item], most)
    free = rows[:-1].copy()
    sessions = np.empty(rows[-1], dtype=np.int32)
    places = np.empty(rows[-1], dtype=np.int16)
    for session in range(len(indptr) - 2, -1, -1):
        for at in range(indptr[session], indptr[session + 1]):
            item = items[at]
            if free[item] < rows[item + 1]:
                sessions[free[item]] = session
                places[free[item]] = at - indptr[session]
                free[item] += 1
    return rows, sessions, places

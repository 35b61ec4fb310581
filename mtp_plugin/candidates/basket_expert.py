"""What purchases say: the next basket of a returning customer, and what completes the basket at hand."""

from __future__ import annotations

import numpy as np

from ..records import BoolArray, FloatArray, IntArray
from .blend import relative, shares
from .loudest import EVERYTHING, keep_loudest
from .own import DAY_S, Bought, due
from .scratch import Scratch
from .sources import BOUGHT, CONTENT, EASE, USER_VOTERS, USERS, Sources

LOGS = (USERS, USER_VOTERS, BOUGHT, EASE, CONTENT)
RELATIVE = np.array((USERS, BOUGHT, EASE, CONTENT))
COMMON = (
    "users", "user-voters", "bought", "ease", "content", "users-relative", "bought-relative", "ease-relative",
    "content-relative", "ease-raw", "popular", "momentum", "lately",
)  # fmt: skip
OWN = (
    "own", "orders", "frequency", "days-7", "days-30", "days-120", "due", "in-last-order", "orders-lately",
    "frequency-lately", "pause",
)  # fmt: skip
RETURN_FEATURES = (*COMMON, *(f"own-{name}" for name in COMMON), *OWN)
"""Weights of what sources say are apart for products bought before and for new ones."""

RETURN_DEFAULTS = {
    "users": 0.2, "bought": 0.2, "ease": 0.2, "content": 0.15, "users-relative": 0.5, "ease-relative": 0.5,
    "bought-relative": 0.5, "content-relative": 0.3, "popular": 0.3, "own": 1.0, "orders": 1.5, "days-30": 0.5,
    "due": 0.5,
}  # fmt: skip
COMPLETE_DEFAULTS = {
    "users": 0.2, "bought": 0.3, "ease": 0.3, "content": 0.1, "ease-relative": 1.5, "bought-relative": 1.0,
    "content-relative": 0.4, "popular": 0.1,
}  # fmt: skip

RETURN_BUCKETS = 3
"""Customers of one or two orders, up to eight, more."""
COMPLETE_BUCKETS = 3
"""One product in the basket, two to five, more."""

MOST = 60
"""Products of a customer's past that are followed, the latest."""
POPULAR = 100
ENOUGH = 200
"""Candidates beside a customer's own and a session's that are weighed, the loudest: of thousands the rest hardly ever
wins, weights are learnt better without it (on earlier cuts of two shops), and weighing costs time for each."""
HALF_LIFE_DAYS = 60.0


def return_bucket(own: Bought) -> int:
    """Which weights a customer takes."""
    return 0 if own.n_orders <= 2 else 1 if own.n_orders <= 8 else 2


def complete_bucket(n_products: int) -> int:
    """Which weights a basket of so many products takes."""
    return 0 if n_products <= 1 else 1 if n_products <= 5 else 2


def gather_return(sources: Sources, scratch: Scratch, own: Bought, now: float, allowed: BoolArray = EVERYTHING) -> None:
    """Let the sources speak about a customer who bought before.

    :param allowed: mask over the catalogue's rows: of too many candidates those that may not be shown go first
    """
    latest = np.argsort(-own.last, kind="stable")[:MOST]
    rows = own.rows[latest]
    fade = np.exp2(-np.maximum(now - own.last[latest], 0.0) / (HALF_LIFE_DAYS * DAY_S))
    weights = (np.log1p(own.orders[latest]) * fade).astype(np.float32)
    scratch.add(own.rows)
    given = scratch.count
    if sources.users is not None:
        sources.users.vote(scratch, rows, np.zeros(len(rows), dtype=np.int64), USERS)
    _follow(sources, scratch, rows, weights)
    keep_loudest(sources, scratch, given, ENOUGH, RELATIVE, allowed)


def gather_complete(sources: Sources, scratch: Scratch, rows: IntArray, allowed: BoolArray = EVERYTHING) -> None:
    """Let the sources speak about a basket.

    :param rows: distinct products in it
    :param allowed: as for :func:`gather_return`
    """
    scratch.add(rows)
    given = scratch.count
    if sources.baskets is not None:
        sources.baskets.vote(scratch, rows, np.zeros(len(rows), dtype=np.int64), USERS)
    _follow(sources, scratch, rows, np.ones(len(rows), dtype=np.float32))
    keep_loudest(sources, scratch, given, ENOUGH, RELATIVE, allowed)


def _follow(sources: Sources, scratch: Scratch, rows: IntArray, weights: FloatArray) -> None:
    sources.spread("bought", scratch, rows, weights, BOUGHT)
    sources.spread("ease", scratch, rows, weights, EASE)
    sources.alike(scratch, rows[:40], weights[:40], CONTENT)
    if sources.rankings.known:
        scratch.add(sources.rankings["popular"].top(POPULAR))


def complete_features(sources: Sources, scratch: Scratch) -> FloatArray:
    """What is known of each candidate, shape ``(scratch.count, len(COMMON))``."""
    columns, found = scratch.columns[: scratch.count], scratch.rows[: scratch.count]
    raw = columns[:, EASE]
    columns = np.maximum(columns, 0.0)
    return np.column_stack(
        (
            shares(columns[:, LOGS]), relative(columns, RELATIVE), raw, sources.popularity[found],
            sources.momentum[found], sources.lately[found],
        )
    )  # fmt: skip


def return_features(sources: Sources, scratch: Scratch, own: Bought, now: float) -> FloatArray:
    """What is known of each candidate, shape ``(scratch.count, len(RETURN_FEATURES))``."""
    common = complete_features(sources, scratch)
    n = common.shape[1]
    matrix: FloatArray = np.zeros((len(common), len(RETURN_FEATURES)), dtype=np.float32)
    matrix[:, :n] = common
    places = scratch.slot[own.rows]
    matrix[places, n : 2 * n] = common[places]
    matrix[places, :n] = 0.0
    days = np.maximum(now - own.last, 0.0) / DAY_S
    orders, frequency = np.log1p(own.orders), own.orders / max(own.n_orders, float(own.orders.max(initial=1.0)))
    lately = np.exp(-days / 60)
    matrix[places, 2 * n :] = np.column_stack(
        (
            np.ones(len(places)), orders, frequency, np.exp(-days / 7), np.exp(-days / 30), np.exp(-days / 120),
            due(own, sources.rhythm, now), own.last >= own.last.max() - DAY_S, orders * lately, frequency * lately,
            np.log1p(days),
        )
    )  # fmt: skip
    return matrix

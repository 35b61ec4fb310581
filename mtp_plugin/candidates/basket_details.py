"""What the re-ranker looks at closely beside a customer's past or a basket, of the few candidates ordered anew."""

from __future__ import annotations

import numpy as np

from ..records import FloatArray, IntArray
from .detail_kernels import places_among, standing
from .own import DAY_S, Bought
from .scratch import Scratch
from .sources import USER_VOTERS, Sources

COMMON_DETAILS = (
    "kind", "rank-of-kind", "best", "known-probability", "voters", "ease-nearest", "ease-named", "bought-nearest",
    "bought-named", "content-nearest", "sold-lately", "sold-since", "rebought",
)  # fmt: skip
"""Whether the candidate was bought before, its rank among those that were or were not, the best candidate's probability
and that of all known ones; how many alike hold it; of the products it is asked about with, the nearest by EASE, by
cosine and by words, and the part of them that name it; logarithms of the days since it was sold last and first, and how
often its buyers buy it again."""
RETURN_DETAILS = (
    *COMMON_DETAILS, "customer-orders", "order-size", "customer-repeats", "since-order", "order-pause", "after",
)  # fmt: skip
"""Also: logarithms of the customer's orders and of their products, the part of those bought before, logarithms of the
days since the last order and between two; how far all that was bought leads to the candidate."""
PAST_HALF_LIFE_DAYS = 150.0
"""Of what a purchase says about the next order: of 30, 60 and 150 the best."""
FOLLOWED = 100
"""Products of a past that are followed to the next order, the latest."""
COMPLETE_DETAILS = (*COMMON_DETAILS, "basket-popular")
VOTERS = 100.0
"""Those alike that all vote for a candidate say 1, about."""


def return_details(
    sources: Sources, scratch: Scratch, own: Bought, now: float, places: IntArray, scores: FloatArray
) -> FloatArray:
    """Shape ``(len(places), len(RETURN_DETAILS))``, float32.

    :param places: of the candidates asked about, best first
    :param scores: the expert's, of all candidates
    """
    latest = float(own.last.max())
    orders = float(max(own.n_orders, 1))
    products = max(float(own.orders.sum()), 1.0)
    pause = max(latest - float(own.first.min()), 0.0) / DAY_S / max(orders - 1.0, 1.0)
    customer = (
        np.log(orders), np.log(products / orders), 1.0 - len(own.rows) / products,
        np.log1p(max(now - latest, 0.0) / DAY_S), np.log1p(pause),
    )  # fmt: skip
    lately = own.rows[own.last >= latest - DAY_S]
    found = _details(sources, scratch, own.rows, lately, (*customer, 0.0), places, scores)
    found[:, -1] = _after(sources, scratch, own, now, places)
    return found


def _after(sources: Sources, scratch: Scratch, own: Bought, now: float, places: IntArray) -> FloatArray:
    """What the past leads to, as a row of length 1: a product counts by how often and how lately it was bought."""
    latest = np.argsort(-own.last, kind="stable")[:FOLLOWED]
    ago = np.maximum(now - own.last[latest], 0.0) / (PAST_HALF_LIFE_DAYS * DAY_S)
    weights = own.orders[latest] * np.exp2(-ago)
    weights = (weights / max(float(np.sqrt(weights @ weights)), 1e-12)).astype(np.float32)
    at = places_among(places, scratch.count)
    return sources.led_to("after", scratch, own.rows[latest], weights, at, len(places))


def complete_details(
    sources: Sources, scratch: Scratch, rows: IntArray, places: IntArray, scores: FloatArray
) -> FloatArray:
    """Shape ``(len(places), len(COMPLETE_DETAILS))``, float32; see :func:`return_details`.

    :param rows: distinct products of the basket
    """
    return _details(sources, scratch, rows, rows, (sources.popularity[rows].mean(),), places, scores)


def _details(
    sources: Sources, scratch: Scratch, known: IntArray, with_: IntArray, asked: tuple[float, ...], places: IntArray,
    scores: FloatArray,
) -> FloatArray:  # fmt: skip
    """:data:`COMMON_DETAILS` and what is the same for all candidates of a question.

    :param known: bought before, or in the basket
    :param with_: what candidates are looked at with: the last order, or the basket
    """
    n, top, at = len(places), scratch.rows[places], places_among(places, scratch.count)
    found: FloatArray = np.empty((n, len(COMMON_DETAILS) + len(asked)), dtype=np.float32)
    found[:, :4] = standing(scores, places, scratch.slot[known], scratch.count)
    found[:, 4] = scratch.columns[places, USER_VOTERS] / VOTERS
    found[:, 5:7] = sources.strongest("ease", scratch, with_, at, n)
    found[:, 7:9] = sources.strongest("bought", scratch, with_, at, n)
    found[:, 9] = sources.strongest("content", scratch, with_, at, n)[:, 0]
    found[:, 10] = sources.sold_lately[top]
    found[:, 11] = sources.sold_since[top]
    found[:, 12] = sources.rebought[top]
    found[:, len(COMMON_DETAILS) :] = asked
    return found

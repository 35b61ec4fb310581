"""Which ridge of EASE finds what was hidden from a shop's own held-out baskets best."""

from __future__ import annotations

import numpy as np

from ...records import FloatArray, IntArray
from ..log import TrainingLog
from .ease import RIDGE, most_bought, system_of, weights_of
from .related_lists import Orders

TRIED = (5.0, 10.0, 40.0, 80.0, 160.0, 320.0)
"""Instead of the default, from weak to strong."""
PRODUCTS = 1_500
"""The most bought, on which ridges are compared: the whole system costs the cube of its size for each."""
MOST_BASKETS = 1_000
FEWEST_BASKETS = 200
WORTH_IT = 1.01
"""The default is left for predicting at least this much better: less may be chance."""
SOFTENED = 10
"""Added to a rank before it is turned over: the blend ranks anew what is found, so places 5 and 20 still differ."""


def ease_ridge(orders: Orders, held_out: TrainingLog, *, seed: int) -> float:
    """The ridge, :data:`~mtp_plugin.candidates.learn.ease.RIDGE` where there is nothing to be gained or learnt from.

    :param orders: of what was before *held_out*
    :param held_out: later purchases, of the same vocabulary
    """
    members = most_bought(orders, PRODUCTS)
    random = np.random.default_rng(seed)
    baskets = _baskets(held_out, members, random)
    if len(baskets) < FEWEST_BASKETS:
        return RIDGE
    hidden = [int(random.integers(len(basket))) for basket in baskets]
    system = system_of(orders, members)
    best, worth = RIDGE, WORTH_IT * _worth(system, RIDGE, baskets, hidden)
    for ridge in TRIED:
        tried = _worth(system, ridge, baskets, hidden)
        if tried > worth:
            best, worth = ridge, tried
    return best


def _baskets(held_out: TrainingLog, members: IntArray, random: np.random.Generator) -> list[IntArray]:
    """Held-out baskets of two members or more, as places among them."""
    place = np.full(len(held_out.items), -1, dtype=np.int64)
    place[members] = np.arange(len(members))
    at = place[held_out.item]
    known = (at >= 0) & (held_out.basket >= 0)
    lines = np.unique(np.column_stack((held_out.basket[known], at[known])), axis=0)
    parts = np.split(lines[:, 1], np.flatnonzero(np.diff(lines[:, 0])) + 1)
    several = [part for part in parts if len(part) > 1]
    return [several[one] for one in random.permutation(len(several))[:MOST_BASKETS]]


def _worth(system: FloatArray, ridge: float, baskets: list[IntArray], hidden: list[int]) -> float:
    """Mean softened reciprocal rank of what was hidden; equals count against it."""
    weights, total = weights_of(system, ridge), 0.0
    for basket, place in zip(baskets, hidden, strict=True):
        rest = np.delete(basket, place)
        scores = weights[rest].sum(axis=0)
        scores[rest] = -np.inf
        total += 1.0 / (SOFTENED + np.count_nonzero(scores >= scores[basket[place]]))
    return total / len(baskets)

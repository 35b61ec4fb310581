"""What customers bought, and what the sources had said of it: the cases of the two basket experts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ...records import FloatArray, IntArray
from .. import basket_expert
from ..basket_details import complete_details, return_details
from ..blend import Expert
from ..leanings import Asker, Details
from ..log import TrainingLog
from ..membership import Earlier
from ..own import Bought
from ..recommender import Recommender
from .askers import askers_of
from .choice import HEAVY, LIGHT, Cases, fit
from .reranker import Case

MOST_CASES = 4_000
FEWEST_CASES = 100
PER_BASKET = 4
"""Products of one basket that are hidden in turn, at most."""


def return_choice(recommender: Recommender, purchases: TrainingLog, cut: float, *, seed: int) -> dict[str, Any] | None:
    """Learn what returning customers buy next.

    :param recommender: of what was known before *cut*
    :param purchases: all of them; those from *cut* on are what is predicted
    """
    neutral = Expert(basket_expert.RETURN_FEATURES, basket_expert.RETURN_DEFAULTS, 1, None)
    cases = _cases(return_questions(recommender, purchases, cut, seed), neutral)
    if len(cases) < FEWEST_CASES or not len(recommender.table):
        return None
    return fit(cases, basket_expert.RETURN_FEATURES, basket_expert.RETURN_BUCKETS, ridge=HEAVY)


def complete_choice(
    recommender: Recommender, purchases: TrainingLog, cut: float, *, seed: int
) -> dict[str, Any] | None:
    """Learn what completes a basket: each is asked with one product hidden."""
    neutral = Expert(basket_expert.COMMON, basket_expert.COMPLETE_DEFAULTS, 1, None)
    cases = _cases(complete_questions(recommender, purchases, cut, seed), neutral)
    if len(cases) < FEWEST_CASES:
        return None
    return fit(cases, basket_expert.COMMON, basket_expert.COMPLETE_BUCKETS, ridge=LIGHT)


def _cases(questions: Iterable[Case], neutral: Expert) -> Cases:
    cases = Cases()
    for one in questions:
        cases.add(one.features, one.chosen, one.bucket, neutral.scores(one.features, 0))
    return cases


def return_questions(
    recommender: Recommender, purchases: TrainingLog, cut: float, seed: int, earlier: Earlier | None = None
) -> Iterator[Case]:
    """What is known of returning customers at each order from *cut* on, and what they bought then.

    :param earlier: tells the segments of who is asked about
    """
    to_row = _to_row(recommender, purchases)
    by_visitor, starts = _by_visitor(purchases)
    baskets = _sample(_baskets(purchases, purchases.time >= cut), MOST_CASES, seed)
    leanings = recommender.sources.leanings
    for lines, asker in zip(baskets, _askers(purchases, baskets, earlier), strict=True):
        now = float(purchases.time[lines[0]])
        visitor = int(purchases.visitor[lines[0]])
        past = by_visitor[starts[visitor] : starts[visitor + 1]]
        own = bought_before(purchases, past[purchases.time[past] < now], to_row)
        if own is None:
            continue
        scratch = recommender.sources.scratch()
        basket_expert.gather_return(recommender.sources, scratch, own, now)
        targets = np.unique(to_row[purchases.item[lines]])
        targets = targets[targets >= 0]
        chosen = scratch.slot[targets[scratch.mark[targets] == scratch.epoch]]
        features = basket_expert.return_features(recommender.sources, scratch, own, now)
        new = np.setdiff1d(np.arange(scratch.count), scratch.slot[own.rows])
        details: Details = partial(return_details, recommender.sources, scratch, own, now)
        details = leanings.beside(details, scratch, asker) if leanings.known else details
        yield Case(features, chosen, basket_expert.return_bucket(own), len(own.rows), new, details)


def complete_questions(
    recommender: Recommender, purchases: TrainingLog, cut: float, seed: int, earlier: Earlier | None = None
) -> Iterator[Case]:
    """Baskets from *cut* on, each with one product hidden; candidates are the products that are not in it.

    :param earlier: as :func:`return_questions` takes it
    """
    random, to_row = np.random.default_rng(seed), _to_row(recommender, purchases)
    baskets = _sample(_baskets(purchases, purchases.time >= cut), MOST_CASES, seed)
    leanings = recommender.sources.leanings
    for lines, asker in zip(baskets, _askers(purchases, baskets, earlier), strict=True):
        rows = np.unique(to_row[purchases.item[lines]])
        rows = random.permutation(rows[rows >= 0])
        for target in rows[:PER_BASKET].tolist() if len(rows) > 1 else ():
            rest = rows[rows != target].astype(np.int32)
            scratch = recommender.sources.scratch()
            basket_expert.gather_complete(recommender.sources, scratch, rest)
            if scratch.mark[target] != scratch.epoch:
                continue
            features = basket_expert.complete_features(recommender.sources, scratch)
            open_places = np.setdiff1d(np.arange(scratch.count), scratch.slot[rest])
            chosen = np.flatnonzero(open_places == scratch.slot[target])
            bucket = basket_expert.complete_bucket(len(rest))
            details: Details = partial(complete_details, recommender.sources, scratch, rest)
            details = leanings.beside(details, scratch, asker) if leanings.known else details
            details = partial(_open_details, details, scratch.count, open_places)
            yield Case(features[open_places], chosen, bucket, len(rest), np.arange(len(open_places)), details)


def _open_details(
    details: Details, count: int, open_places: IntArray, places: IntArray, scores: FloatArray
) -> FloatArray:
    """Details of candidates at *places* among the *open_places* of *count*, of which alone there are *scores*."""
    of_all = np.zeros(count, dtype=scores.dtype)
    of_all[open_places] = scores
    return details(open_places[places], of_all)


def _askers(purchases: TrainingLog, baskets: list[IntArray], earlier: Earlier | None) -> Sequence[Asker]:
    """Whose baskets they are, as they came: in the visit itself they looked at what they bought."""
    return askers_of(purchases, np.array([lines[0] for lines in baskets], dtype=np.int64), earlier, arriving=True)


def bought_before(purchases: TrainingLog, lines: IntArray, to_row: IntArray) -> Bought | None:
    """A visitor's purchases in these *lines* as the profile would hold them, ``None`` if there are none."""
    rows, time, basket = to_row[purchases.item[lines]], purchases.time[lines], purchases.basket[lines]
    known = rows >= 0
    if not known.any():
        return None
    rows, time, basket = rows[known], time[known], basket[known]
    distinct, at = np.unique(rows, return_inverse=True)
    lines_of = np.unique(np.column_stack((at, basket)), axis=0)[:, 0]
    first, last = np.full(len(distinct), np.inf), np.full(len(distinct), -np.inf)
    np.minimum.at(first, at, time)
    np.maximum.at(last, at, time)
    orders = np.bincount(lines_of, minlength=len(distinct)).astype(np.float32)
    n_orders = len(np.unique(basket))
    return Bought(distinct.astype(np.int32), orders, orders, first, last, n_orders)


def _to_row(recommender: Recommender, log: TrainingLog) -> IntArray:
    find = recommender.table.index.get
    return np.array([find(item, -1) for item in log.items], dtype=np.int64)


def _by_visitor(purchases: TrainingLog) -> tuple[IntArray, IntArray]:
    """The rows of each visitor one after the other, and where each visitor's begin."""
    order = np.argsort(purchases.visitor, kind="stable")
    return order, np.searchsorted(purchases.visitor[order], np.arange(len(purchases.owners) + 1))


def _baskets(purchases: TrainingLog, mask: np.ndarray) -> list[IntArray]:
    """The lines of each basket that lies in the mask."""
    lines = np.flatnonzero(mask & (purchases.basket >= 0))
    lines = lines[np.argsort(purchases.basket[lines], kind="stable")]
    cuts = np.flatnonzero(np.diff(purchases.basket[lines])) + 1
    return [part for part in np.split(lines, cuts) if len(part)]


def _sample(baskets: list[IntArray], most: int, seed: int) -> list[IntArray]:
    if len(baskets) <= most:
        return baskets
    chosen = np.sort(np.random.default_rng(seed).choice(len(baskets), most, replace=False))
    return [baskets[place] for place in chosen]

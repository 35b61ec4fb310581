"""Two models of purchase propensity tell what visitors buy in a week that neither of them saw."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .contest import QUICK_US, Bounds, Told, Verdict, lead_of
from .ports import Journal
from .propensity.features import DAY
from .propensity.model import HORIZON_DAYS, Propensity
from .records import ACTIONS, Action, FloatArray, FoldFunction, IntArray, ProductTable, Profile

METRIC = "log loss"
FEWEST_BOUGHT = 30
"""Products bought by visitors in the week, below which nothing is told from it."""
MOST = 3_000
"""Visitors asked about."""
OTHERS = 8
"""Products drawn for each visitor of those neither met nor bought, each standing for many."""
CALIBRATED = 0.02
"""Expected calibration error below which nobody is called badly calibrated."""
WORSE_CALIBRATED = 1.5
"""How many times the champion's calibration error a challenger's may be above that."""


class Asked(NamedTuple):
    """A visitor as of the moment, and the rows of the catalogue bought in the week after."""

    profile: Profile
    bought: frozenset[int]


class Answers(NamedTuple):
    """What a model told of the pairs it was asked about: probabilities (NaN untold) by visitor, and microseconds."""

    categories: list[FloatArray]
    products: list[FloatArray]
    took: list[float]


class Pairs(NamedTuple):
    """What is asked about each visitor: categories by name, products by row, and what each of these stands for."""

    categories: tuple[str, ...]
    bought: list[FloatArray]
    rows: list[IntArray]
    taken: list[FloatArray]
    weight: list[FloatArray]


def asked_of(
    journal: Journal, fold: FoldFunction, names: Sequence[str], table: ProductTable, moment: float
) -> list[Asked]:
    """The visitors of a moment who were here within half a year, at most :data:`MOST` of those named first."""
    from .propensity.learn.examples import GONE_DAYS
    from .propensity.learn.history import rows_bought

    found: list[Asked] = []
    for name in names:
        events = list(journal.events_of(name))
        before = tuple(event for event in events if event.timestamp < moment)
        profile = fold(None, before) if before else None
        if profile is None or moment - profile.last_seen > GONE_DAYS * DAY:
            continue
        after = (event for event in events if moment <= event.timestamp < moment + HORIZON_DAYS * DAY)
        orders = (event for event in after if ACTIONS.get(event.name) is Action.PURCHASE)
        found.append(Asked(profile, frozenset(row for order in orders for row in rows_bought(order, table))))
        if len(found) >= MOST:
            break
    return found


def contest(
    challenger: Propensity, champion: Propensity, asked: Sequence[Asked], table: ProductTable, moment: float,
    bounds: Bounds, seed: int,
) -> Verdict:  # fmt: skip
    """Whether the challenger tells better what was bought.

    The lead is by how much less log loss it has than the champion, as a share of the champion's, in the mean of
    categories and products and over visitors; whole visitors are drawn for its interval. A champion that tells of too
    little beside the challenger, as the catalogue has changed, is no longer compared.

    :param asked: visitors as of *moment*, seconds since 1970, with what they bought after it
    """
    pairs = _pairs(challenger, champion, asked, table, seed)
    first, second = (_answers(model, pairs, asked, moment) for model in (challenger, champion))
    losses = [_losses(told, other, pairs) for told, other in ((first, second), (second, first))]
    scales = [float(part.mean()) or 1.0 for part in losses[1]]
    mine, other = (-(of[0] / scales[0] + of[1] / scales[1]) / 2 for of in losses)
    lead = lead_of(mine, other, np.arange(len(asked)), seed)
    figures = tuple(_figures(told, of, pairs) for told, of in zip((first, second), losses, strict=True))
    lacks = _lacks(figures[0], figures[1], bounds)
    how = (
        f"{METRIC} lower by {lead.mean:.1%} ({lead.low:.1%} to {lead.high:.1%}), better with a probability of "
        f"{lead.sure:.0%}"
    )
    ours, theirs = (one.coverage for one in figures)
    if theirs < ours * bounds.coverage:  # of what one of them does not tell of, log loss says nothing
        how = f"it tells of {ours:.0%} of what is asked, the champion of {theirs:.0%}"
    elif not (lead.mean > 0 and lead.sure >= bounds.confidence):
        lacks.insert(0, f"{how}; {bounds.confidence:.0%} are asked for")
    reason = "; ".join(lacks) or f"{how}, within all bounds"
    return Verdict(
        won=not lacks, reason=reason, metric=METRIC, cases=len(asked), challenger=figures[0], champion=figures[1],
        lead=lead,
    )  # fmt: skip


def _pairs(
    challenger: Propensity, champion: Propensity, asked: Sequence[Asked], table: ProductTable, seed: int
) -> Pairs:
    from .propensity.learn.examples import draw

    names = tuple(dict.fromkeys((*challenger.category_names, *champion.category_names)))
    place = {name: code for code, name in enumerate(names)}
    code_of = [place.get(name, -1) for name in table.category_names]
    found = Pairs(names, [], [], [], [])
    for number, (profile, bought) in enumerate(asked):
        random = np.random.default_rng((seed, number))
        told = np.zeros(len(names))
        told[[code for row in bought if table.category[row] >= 0 and (code := code_of[table.category[row]]) >= 0]] = 1.0
        ids = (*(item.product_id for item in profile.recent), *(one.product_id for one in profile.purchases))
        met = {table.index[name] for name in ids if name in table.index}
        rows, taken, weight = draw(met, set(bought), len(table), OTHERS, random)
        found.bought.append(told)
        found.rows.append(rows)
        found.taken.append(taken.astype(np.float64))
        found.weight.append(weight)
    return found


def _answers(model: Propensity, pairs: Pairs, asked: Sequence[Asked], moment: float) -> Answers:
    place = {name: code for code, name in enumerate(model.category_names)}
    codes = np.array([place.get(name, -1) for name in pairs.categories], dtype=np.int64)
    found = Answers([], [], [])
    for (profile, _), rows in zip(asked, pairs.rows, strict=True):
        began = time.perf_counter()
        told = np.append(model.category_probabilities(profile, moment), np.nan)
        found.products.append(model.of_products(profile, rows, moment))
        found.took.append((time.perf_counter() - began) * 1e6)
        found.categories.append(told[codes])
    return found


def _losses(told: Answers, other: Answers, pairs: Pairs) -> tuple[FloatArray, FloatArray]:
    """Log loss of each visitor's categories and products, over those that both models tell of."""
    ones = [np.ones(len(pairs.categories))] * len(pairs.bought)
    return (
        _loss(told.categories, other.categories, pairs.bought, ones),
        _loss(told.products, other.products, pairs.taken, pairs.weight),
    )


def _loss(
    told: Sequence[FloatArray], other: Sequence[FloatArray], done: Sequence[FloatArray], weight: Sequence[FloatArray]
) -> FloatArray:
    found: FloatArray = np.zeros(len(told))
    for number, (p, q, y, w) in enumerate(zip(told, other, done, weight, strict=True)):
        both = ~(np.isnan(p) | np.isnan(q))
        found[number] = -(w * np.log(np.where(y > 0, p, 1.0 - p)))[both].sum()
    return found


def _figures(told: Answers, losses: tuple[FloatArray, FloatArray], pairs: Pairs) -> Told:
    from .propensity.learn.judge import calibration_error

    ones = [np.ones(len(pairs.categories))] * len(pairs.bought)
    p = np.concatenate([*told.categories, *told.products])
    y, w = np.concatenate([*pairs.bought, *pairs.taken]), np.concatenate([*ones, *pairs.weight])
    known = ~np.isnan(p)
    category, product = (float(part.mean()) for part in losses)
    return Told(
        category_log_loss=round(category, 5),
        product_log_loss=round(product, 5),
        ece=round(calibration_error(y[known] > 0, p[known], w[known]), 5) if known.any() else 1.0,
        coverage=round(float(w[known].sum() / w.sum()), 4),
        p50_us=round(float(np.median(told.took)), 1),
    )


def _lacks(challenger: Told, champion: Told, bounds: Bounds) -> list[str]:
    lacks: list[str] = []
    allowed: dict[str, tuple[Any, ...]] = {
        "calibration error": (challenger.ece, champion.ece, WORSE_CALIBRATED, CALIBRATED),
        "latency in us": (challenger.p50_us, champion.p50_us, bounds.latency, QUICK_US),
    }
    for name, (mine, other, times, enough) in allowed.items():
        if mine > other * times and mine > enough:
            lacks.append(f"{name} {mine:g} is above {times:g} times {other:g}")
    if challenger.coverage < champion.coverage * bounds.coverage:
        lacks.append(f"coverage {challenger.coverage:g} is below {bounds.coverage:g} times {champion.coverage:g}")
    return lacks

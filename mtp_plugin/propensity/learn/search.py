"""Choosing hyper-parameters by successive halving over time-ordered folds.

Many settings are tried on the rows of a few visitors, the better third of them on three times as many, and so on
(Jamieson, Talwalkar: Non-stochastic best arm identification, AISTATS 2016). scikit-learn's own halving search neither
weighs rows where it judges nor draws whole visitors, so it is done here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ...parallel import each
from ..scorer import SMALLEST
from .estimators import SPACES, Fitted
from .examples import Examples

KEPT = 3
"""One of so many goes on, with so many times the visitors."""
MOST_ROWS = 60_000
"""Rows that the last try of a search learns from and is judged by; what is chosen is then learnt from all."""


def folds(cuts: int) -> list[tuple[int, int]]:
    """Time-ordered folds: learn from the cut-offs below the first number, judge at the second; the two latest.

    >>> folds(5)
    [(3, 3), (4, 4)]
    """
    return [(place, place) for place in range(max(1, cuts - 2), cuts)]


def log_loss(y: np.ndarray, probability: np.ndarray, weight: np.ndarray) -> float:
    """The mean log loss, in nats."""
    p = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return float(-np.average(np.where(y, np.log(p), np.log(1 - p)), weights=weight))


def search(
    dotted: str, examples: Examples, *, tries: int, seed: int, progress: Callable[[str], None]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The best parameters, and what each try came to.

    :param examples: of the cut-offs to choose by
    :param tries: settings to begin with; below 2 nothing is searched
    """
    settings = _settings(dotted, tries, seed)
    told: list[dict[str, Any]] = []
    cuts = int(examples.cut.max(initial=-1)) + 1
    if len(settings) < 2 or cuts < 2:
        return {}, told
    order = np.random.default_rng(seed).permutation(int(examples.visitor.max()) + 1)
    most = min(1.0, MOST_ROWS / len(examples))
    share = most * KEPT ** -float(np.ceil(np.log(len(settings)) / np.log(KEPT)) - 1)
    while len(settings) > 1:
        some = examples.rows(order[examples.visitor] < max(1, share * len(order)))
        progress(f"trying {len(settings)} settings on {len(some):,} rows")
        losses = each(partial(_loss, dotted, some, cuts, seed), settings)
        told += [
            {"params": params, "rows": len(some), "log_loss": round(loss, 6)}
            for params, loss in zip(settings, losses, strict=True)
        ]
        best = np.argsort(losses, kind="stable")[: max(1, len(settings) // KEPT)]
        settings, share = [settings[place] for place in best.tolist()], min(most, share * KEPT)
    return settings[0], told


def _loss(dotted: str, examples: Examples, cuts: int, seed: int, params: Mapping[str, Any]) -> float:
    losses = []
    for below, at in folds(cuts):
        learn, judge = examples.rows(examples.cut < below), examples.rows(examples.cut == at)
        if 0 < learn.y.sum() < len(learn) and len(judge):
            said = Fitted(dotted, params, seed).fit(learn).probabilities(judge.x)
            losses.append(log_loss(judge.y, said, judge.weight))
    return float(np.mean(losses)) if losses else np.inf


def _settings(dotted: str, tries: int, seed: int) -> list[dict[str, Any]]:
    """The defaults, and others drawn at random from the space."""
    space = SPACES.get(dotted)
    if not space or tries < 2:
        return [{}]
    every = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
    drawn = np.random.default_rng(seed).permutation(len(every))[: tries - 1]
    return [{}, *(every[place] for place in drawn.tolist())]

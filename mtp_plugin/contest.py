"""Whether a model just learnt may take the place of the one that serves: both predict what neither has seen.

The newest sessions that began after the champion was trained are held out from the challenger, too. It has to be ahead
by one metric, by more than chance explains, and no worse than bounds allow in what a metric of hits does not see.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np

from .candidates.log import CART, PURCHASE, VIEW, TrainingLog
from .candidates.recommender import Recommender
from .records import FloatArray, IntArray, Query, Strategy

K = 20
MIN_CASES, MOST_CASES = 50, 1000
HELD = 1 / 3
"""Share of the sessions since the champion's training that is held out."""
HEAD = 0.1
"""Share of the products that counts as popular: those with the most interactions before the held-out sessions."""
QUICK_US = 200.0
"""A median below which nobody is called slow."""

RESAMPLES = 1000
"""Of the sessions, for the interval of a difference."""


class Case(NamedTuple):
    """Products of a session so far, and the next one; sessions are counted from 0."""

    session: int
    prefix: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a challenger has to reach, each relative to the champion.

    ``metric`` (``mrr``, ``hr``) has to be higher with a probability of ``confidence``. ``coverage`` and ``diversity``
    are the least, and ``popularity`` and ``latency`` the most that its own may be, as multiples of the champion's.
    """

    metric: str = "mrr"
    confidence: float = 0.9
    coverage: float = 0.8
    popularity: float = 1.2
    diversity: float = 0.8
    latency: float = 2.0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did: hit rate and reciprocal rank of the next product among 20; the share of all products that it
    showed to anybody; the share of what it showed that is popular; distinct categories a slate, as a share of its
    products; median microseconds.
    """

    hr: float
    mrr: float
    coverage: float
    popularity: float
    diversity: float
    p50_us: float


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did that tells purchases: log loss of a visitor's categories and products, expected calibration error
    over both; the share of the categories and products asked about that it tells of; median microseconds a visitor.
    """

    category_log_loss: float
    product_log_loss: float
    ece: float
    coverage: float
    p50_us: float


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """By how much the challenger is ahead in a metric (negative: behind), its 95 % interval, and ``sure``, how probable
    it is that it is ahead at all, from 0 to 1.
    """

    mean: float
    low: float
    high: float
    sure: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A model's figures, and what each case adds to ``hr`` and ``mrr``, float64 ``(cases,)``."""

    figures: Figures
    gains: dict[str, FloatArray]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the challenger won, why or why not, and both models' figures over how many cases."""

    won: bool
    reason: str
    metric: str = ""
    against: str = ""
    cases: int = 0
    challenger: Figures | Told | None = None
    champion: Figures | Told | None = None
    lead: Lead | None = None


def held_out(log: TrainingLog, since: float) -> int | None:
    """The row from which on sessions are held out, ``None`` while too few began after *since* to tell anything.

    :param log: sessions contiguous, numbered by their start
    :param since: when the champion was trained, seconds since 1970
    """
    starts = np.flatnonzero(np.diff(log.session, prepend=-1))
    young = starts[log.time[starts] > since]
    if not len(young):
        return None
    row = int(young[len(young) - max(1, int(len(young) * HELD))])
    return row if sum(1 for _ in cases(log.take(slice(row, None)))) >= MIN_CASES else None


def cases(log: TrainingLog) -> Iterator[Case]:
    """Each next product of each session; the same product twice in a row is one."""
    told = np.isin(log.action, (VIEW, CART, PURCHASE))
    session, item = log.session[told], log.item[told]
    for number, part in enumerate(np.split(item, np.flatnonzero(np.diff(session)) + 1)):
        seen = part[np.diff(part, prepend=-1) != 0].tolist()
        names = tuple(log.items[code] for code in seen)
        yield from (Case(number, names[:place], names[place]) for place in range(1, len(names)))


def sampled(log: TrainingLog, row: int, seed: int) -> list[Case]:
    """Cases of the held-out sessions, at most :data:`MOST_CASES`."""
    found = list(cases(log.take(slice(row, None))))
    if len(found) <= MOST_CASES:
        return found
    chosen = np.sort(np.random.default_rng(seed).choice(len(found), MOST_CASES, replace=False))
    return [found[place] for place in chosen]


def head_of(log: TrainingLog, recommender: Recommender) -> frozenset[int]:
    """Rows of the most popular products by a log, of the products that there are."""
    counts: IntArray = np.bincount(log.item, minlength=len(log.items))
    order = np.argsort(-counts, kind="stable")[: max(1, int(HEAD * len(recommender.table)))]
    index = recommender.table.index
    return frozenset(index[log.items[code]] for code in order.tolist() if log.items[code] in index)


def measure(recommender: Recommender, asked: Sequence[Case], head: frozenset[int], now: float) -> Measured:
    """How a recommender does over cases."""
    table, shown = recommender.table, set[int]()
    reciprocal: FloatArray = np.zeros(len(asked))
    popular, diverse, took = [], [], []
    for number, (_, prefix, target) in enumerate(asked):
        session = tuple(table.index[name] for name in prefix if name in table.index)
        began = time.perf_counter()
        rows = _ask(recommender, Query(now=now, session=session, eligible=table.visible))
        took.append((time.perf_counter() - began) * 1e6)
        shown.update(rows)
        wanted = table.index.get(target, -1)
        if wanted in rows:
            reciprocal[number] = 1 / (rows.index(wanted) + 1)
        if rows:
            popular.append(sum(row in head for row in rows) / len(rows))
            diverse.append(len(set(table.category[rows].tolist())) / len(rows))
    gains = {"hr": (reciprocal > 0).astype(np.float64), "mrr": reciprocal}
    figures = Figures(
        **{name: round(float(gain.mean()), 4) for name, gain in gains.items()},
        coverage=round(len(shown) / max(1, int(table.visible.sum())), 4),
        popularity=round(float(np.mean(popular)) if popular else 0.0, 4),
        diversity=round(float(np.mean(diverse)) if diverse else 0.0, 4),
        p50_us=round(float(np.median(took)), 1),
    )
    return Measured(figures, gains)


def lead_of(challenger: FloatArray, champion: FloatArray, session: IntArray, seed: int) -> Lead:
    """How sure it is that one model is ahead of another on the same cases: a paired bootstrap.

    Whole sessions are drawn, as the cases of one are alike. A resample in which both are level counts as half.

    >>> better, worse = np.ones(40), np.tile([1.0, 0.0], 20)
    >>> lead = lead_of(better, worse, np.arange(40) // 2, seed=0)
    >>> lead.mean, lead.sure
    (0.5, 1.0)

    :param challenger: what each case adds to its metric, float ``(cases,)``
    :param champion: the same of the other
    :param session: which session a case is of, counted from 0
    :param seed: of the resamples

    Source: B. Efron and R. Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 8 and 13.
    """
    _, code = np.unique(session, return_inverse=True)
    gain, size = np.bincount(code, challenger - champion), np.bincount(code)
    drawn = np.random.default_rng(seed).integers(0, len(size), (RESAMPLES, len(size)))
    found = gain[drawn].sum(axis=1) / size[drawn].sum(axis=1)
    low, high = np.quantile(found, (0.025, 0.975))
    return Lead(
        mean=round(float(gain.sum() / size.sum()), 4),
        low=round(float(low), 4),
        high=round(float(high), 4),
        sure=round(float(np.mean(found > 0) + np.mean(found == 0) / 2), 4),
    )


def _ask(recommender: Recommender, query: Query) -> list[int]:
    found = recommender.candidates(Strategy.RECOMMENDED_FOR_YOU, query, K)
    rows: list[int] = (found if len(found) else recommender.candidates(Strategy.BEST_SELLERS, query, K)).rows.tolist()
    return rows


def judge(challenger: Figures, champion: Figures, lead: Lead, bounds: Bounds) -> tuple[bool, str]:
    """Whether the challenger may serve, and why or why not.

    :param lead: of the metric of the bounds
    """
    told: dict[str, Any] = {
        name: (getattr(challenger, name), getattr(champion, name)) for name in Figures.__struct_fields__
    }
    mine, other = told[bounds.metric]
    how = (
        f"{bounds.metric} {mine:g} against {other:g}, a difference of {lead.mean:+g} "
        f"({lead.low:+g} to {lead.high:+g}), better with a probability of {lead.sure:.0%}"
    )
    lacks = []
    if not (lead.mean > 0 and lead.sure >= bounds.confidence):
        lacks.append(f"{how}; {bounds.confidence:.0%} are asked for")
    lacks += _broken(told, bounds)
    return not lacks, "; ".join(lacks) or f"{how}, within all bounds"


def _broken(told: dict[str, Any], bounds: Bounds) -> list[str]:
    lacks = []
    for name in ("coverage", "diversity"):
        mine, other = told[name]
        if mine < other * getattr(bounds, name):
            lacks.append(f"{name} {mine:g} is below {getattr(bounds, name):g} times {other:g}")
    mine, other = told["popularity"]
    if mine > other * bounds.popularity and mine > HEAD:
        lacks.append(f"popularity {mine:g} is above {bounds.popularity:g} times {other:g}")
    mine, other = told["p50_us"]
    if mine > other * bounds.latency and mine > QUICK_US:
        lacks.append(f"latency {mine:g} us is above {bounds.latency:g} times {other:g} us")
    return lacks

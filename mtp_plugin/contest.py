"""Whether a model just learnt may take the place of the one that serves: both predict what neither has seen.

The newest sessions that began after the champion was trained are held out from the challenger, too. It has to be about
as good by one metric, and no worse than bounds allow in what a metric of hits does not see.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from .candidates.log import CART, PURCHASE, VIEW, TrainingLog
from .candidates.recommender import Recommender
from .records import IntArray, Query, Strategy

K = 20
MIN_CASES, MOST_CASES = 50, 1000
HELD = 1 / 3
"""Share of the sessions since the champion's training that is held out."""
HEAD = 0.1
"""Share of the products that counts as popular: those with the most interactions before the held-out sessions."""
QUICK_US = 200.0
"""A median below which nobody is called slow."""

Case = tuple[tuple[str, ...], str]
"""Products of a session so far, and the next one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a challenger has to reach, each relative to the champion.

    ``metric`` (``mrr``, ``hr``) may be lower by ``tolerance``. ``coverage`` and ``diversity`` are the least, and
    ``popularity`` and ``latency`` the most that its own may be, as multiples of the champion's.
    """

    metric: str = "mrr"
    tolerance: float = 0.01
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


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the challenger won, why or why not, and both models' figures over how many cases."""

    won: bool
    reason: str
    metric: str = ""
    against: str = ""
    cases: int = 0
    challenger: Figures | None = None
    champion: Figures | None = None


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
    for part in np.split(item, np.flatnonzero(np.diff(session)) + 1):
        seen = part[np.diff(part, prepend=-1) != 0].tolist()
        names = tuple(log.items[code] for code in seen)
        yield from ((names[:place], names[place]) for place in range(1, len(names)))


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


def measure(recommender: Recommender, asked: Sequence[Case], head: frozenset[int], now: float) -> Figures:
    """How a recommender does over cases."""
    table, shown = recommender.table, set[int]()
    hits, reciprocal, popular, diverse, took = 0, 0.0, [], [], []
    for prefix, target in asked:
        session = tuple(table.index[name] for name in prefix if name in table.index)
        began = time.perf_counter()
        rows = _ask(recommender, Query(now=now, session=session, eligible=table.visible))
        took.append((time.perf_counter() - began) * 1e6)
        shown.update(rows)
        wanted = table.index.get(target, -1)
        if wanted in rows:
            hits, reciprocal = hits + 1, reciprocal + 1 / (rows.index(wanted) + 1)
        if rows:
            popular.append(sum(row in head for row in rows) / len(rows))
            diverse.append(len(set(table.category[rows].tolist())) / len(rows))
    return Figures(
        hr=round(hits / len(asked), 4),
        mrr=round(reciprocal / len(asked), 4),
        coverage=round(len(shown) / max(1, int(table.visible.sum())), 4),
        popularity=round(float(np.mean(popular)) if popular else 0.0, 4),
        diversity=round(float(np.mean(diverse)) if diverse else 0.0, 4),
        p50_us=round(float(np.median(took)), 1),
    )


def _ask(recommender: Recommender, query: Query) -> list[int]:
    found = recommender.candidates(Strategy.RECOMMENDED_FOR_YOU, query, K)
    rows: list[int] = (found if len(found) else recommender.candidates(Strategy.BEST_SELLERS, query, K)).rows.tolist()
    return rows


def judge(challenger: Figures, champion: Figures, bounds: Bounds) -> tuple[bool, str]:
    """Whether the challenger may serve, and why or why not."""
    told: dict[str, Any] = {
        name: (getattr(challenger, name), getattr(champion, name)) for name in Figures.__struct_fields__
    }
    mine, other = told[bounds.metric]
    lacks = []
    if mine < other * (1 - bounds.tolerance):
        lacks.append(f"{bounds.metric} {mine:g} is below {other:g}")
    for name in ("coverage", "diversity"):
        mine_too, others = told[name]
        if mine_too < others * getattr(bounds, name):
            lacks.append(f"{name} {mine_too:g} is below {getattr(bounds, name):g} times {others:g}")
    mine_too, others = told["popularity"]
    if mine_too > others * bounds.popularity and mine_too > HEAD:
        lacks.append(f"popularity {mine_too:g} is above {bounds.popularity:g} times {others:g}")
    mine_too, others = told["p50_us"]
    if mine_too > others * bounds.latency and mine_too > QUICK_US:
        lacks.append(f"latency {mine_too:g} us is above {bounds.latency:g} times {others:g} us")
    return not lacks, "; ".join(lacks) or f"{bounds.metric} {mine:g} against {other:g}, within all bounds"

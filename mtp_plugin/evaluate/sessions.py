"""``evaluate sessions``: how well the recommender that serves predicts the next product of a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..candidates.log import TrainingLog
from ..candidates.recommender import Recommender
from ..candidates.train import Learnt, train
from ..catalog.table import build_table
from ..records import Product, ProductTable, Query, Strategy
from .measures import Measures
from .read import read_cases, read_sessions
from .session_baselines import session_baselines

PROTOCOL = (
    "next product of a session; all products are ranked, repeats and the current product allowed; "
    "novel: only targets not in the prefix, prefix products taken out of the list; where nothing is known of the "
    "prefix, best-sellers; targets that were never seen in training count as missed; top {k}"
)
Case = tuple[list[str], str]


def evaluate_sessions(
    train_path: str | Path,
    test_path: str | Path,
    *,
    k: int = 20,
    seed: int = 0,
    limit: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train on one file, predict the other; gives the object that ``--json`` prints.

    :param train_path: columns session, item, seq, or SessionId, ItemId, Time
    :param test_path: columns prefix, target; or whole sessions, predicted place by place
    :param limit: only so many cases, drawn by *seed*; 0 for all
    :raises mtp_plugin.errors.InputError: a file that cannot be read, or without a single case
    """
    progress("reading")
    rows, timed = read_sessions(train_path)
    log = TrainingLog.from_sessions(rows, timed=timed)
    cases = _sample(read_cases(test_path), limit, seed)
    started = time.perf_counter()
    learnt = train(log, seed=seed, progress=progress)
    seconds = time.perf_counter() - started
    recommender = open_learnt(learnt, bare_table(log.items, seed))
    progress(f"predicting {len(cases):,} cases")
    served, novel, took = _measure(recommender, cases, log.end, k)
    progress("baselines")
    return {
        "protocol": PROTOCOL.format(k=k),
        "cases": len(cases),
        "metrics": {
            **served.single(),
            f"coverage@{k}": served.coverage(len(log.items)),
            "novel": {"cases": novel.cases, **novel.single(), f"coverage@{k}": novel.coverage(len(log.items))},
            "p50_us": round(float(np.percentile(took, 50)), 1),
            "p90_us": round(float(np.percentile(took, 90)), 1),
        },
        "baselines": _baselines(log, cases, k),
        "train_seconds": round(seconds, 2),
    }


def bare_table(items: Iterable[str], seed: int) -> ProductTable:
    """A catalogue of ids alone, shuffled: equals are ranked by row, and the order of ids often is a clock."""
    return build_table(shuffled([Product(product_id=item, title="") for item in items], seed), 1)


def shuffled(products: list[Product], seed: int) -> list[Product]:
    """The products in an order that says nothing of them."""
    return [products[place] for place in np.random.default_rng(seed).permutation(len(products))]


def open_learnt(learnt: Learnt, table: ProductTable, content: Learnt | None = None) -> Recommender:
    """The recommender as it serves, without a registry in between; warmed."""
    recommender = Recommender(table, learnt.bundle("behaviour"), content.bundle("content") if content else None)
    recommender.warm()
    return recommender


def _sample(cases: list[Case], limit: int, seed: int) -> list[Case]:
    if not limit or len(cases) <= limit:
        return cases
    chosen = np.sort(np.random.default_rng(seed).choice(len(cases), limit, replace=False))
    return [cases[place] for place in chosen]


def _measure(recommender: Recommender, cases: list[Case], now: float, k: int) -> tuple[Measures, Measures, list[float]]:
    """All cases, the novel ones, and microseconds a prediction."""
    served, novel = Measures(k), Measures(k)
    took: list[float] = []
    index = recommender.table.index
    open_to_all = np.ones(len(recommender.table), dtype=np.bool_)
    for prefix, target in cases:
        known = tuple(index[item] for item in prefix if item in index)
        targets = {index[target]} if target in index else set()
        began = time.perf_counter()
        ranked = _ask(recommender, Query(now=now, session=known), k)
        took.append((time.perf_counter() - began) * 1e6)
        served.add(ranked, targets, 1)
        if target not in prefix:
            open_to_all[list(known)] = False
            novel.add(_ask(recommender, Query(now=now, session=known, eligible=open_to_all), k), targets, 1)
            open_to_all[list(known)] = True
    return served, novel, took


def _ask(recommender: Recommender, query: Query, k: int) -> list[int]:
    """The slate, by the next rung of a block's ladder where nothing is known of the visitor."""
    found = recommender.candidates(Strategy.RECOMMENDED_FOR_YOU, query, k)
    if not len(found):
        found = recommender.candidates(Strategy.BEST_SELLERS, query, k)
    ranked: list[int] = found.rows.tolist()
    return ranked


def _baselines(log: TrainingLog, cases: list[Case], k: int) -> dict[str, dict[str, Any]]:
    codes = {item: code for code, item in enumerate(log.items)}
    n = len(codes)
    results: dict[str, dict[str, Any]] = {}
    for name, predict in session_baselines(log, k).items():
        every, novel = Measures(k), Measures(k)
        for prefix, target in cases:
            known = [codes[item] for item in prefix if item in codes]
            targets = {codes[target]} if target in codes else set()
            ranked = predict(known)
            every.add(ranked, targets, 1)
            if target not in prefix:
                novel.add([code for code in ranked if code not in set(known)], targets, 1)
        results[name] = {
            **every.single(),
            f"coverage@{k}": every.coverage(n),
            "novel": {**novel.single(), f"coverage@{k}": novel.coverage(n)},
        }
    return results

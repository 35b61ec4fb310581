"""``evaluate baskets``: what returning customers buy next, what of it is new to them, and what completes a basket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..candidates.log import TrainingLog
from ..candidates.recommender import Recommender
from ..candidates.train import train, train_content
from ..catalog.table import build_table
from ..errors import InputError
from ..records import Event, Product, ProductTable, Profile, Purchase, Query, Strategy
from ..track.files import read_events
from .basket_baselines import basket_baselines
from .measures import Measures
from .sessions import open_learnt, shuffled
from .words import read_words

DAY_S = 86_400.0
PROTOCOL = (
    "the last {days} days are the test. next_basket: the first order of each customer who ordered before, all "
    "products ranked; next_basket_new: the same with products new to the customer only; completion: one product "
    "hidden from each order, drawn by seed. Targets are products sold before; titles and prices are from before "
    "the test; top {k}"
)


def evaluate_baskets(
    events_path: str | Path,
    *,
    test_days: int = 30,
    format: str = "",
    mapping: Mapping[str, Any] | None = None,
    k: int = 20,
    seed: int = 0,
    limit: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train on what was before the last days, predict those; gives the object that ``--json`` prints.

    :param events_path: a file that ``import-events`` reads
    :param format: of the file, told by it if empty
    :param mapping: our field to the file's column, as ``import-events`` takes it
    :param limit: only so many orders of each kind, drawn by *seed*; 0 for all
    :raises InputError: the file cannot be read, or there are no orders before and in the test
    """
    progress("reading")
    found = read_events(events_path, format=format, mapping=mapping)
    orders = [event for event in found if isinstance(event, Event) and event.name == "Order Completed"]
    orders = [event for event in orders if event.products]
    if not orders:
        raise InputError(f"there are no orders in {events_path}", field="events")
    cut = max(event.timestamp for event in orders) - test_days * DAY_S
    before, test = _split(orders, cut)
    if not before or not test:
        raise InputError(f"there must be orders before and in the last {test_days} days", field="test_days")
    table = _table(before, read_words(events_path, before=cut, mapping=mapping), seed)
    started = time.perf_counter()
    learnt = train(TrainingLog.from_events([before]), table=table, now=cut, seed=seed, progress=progress)
    content = train_content(table, seed=seed)
    seconds = time.perf_counter() - started
    recommender = open_learnt(learnt, table, content)
    cases = _Cases(before, test, table, cut, limit, seed)
    if not cases.returning and not cases.completion:
        raise InputError(
            f"nothing to predict in the last {test_days} days: nobody ordered before, no basket of two known products",
            field="test_days",
        )
    progress(f"predicting {len(cases.returning):,} next baskets, {len(cases.completion):,} completions")
    took: list[float] = []
    metrics = _measure(recommender, cases, k, took)
    return {
        "protocol": PROTOCOL.format(days=test_days, k=k),
        "cases": len(cases.returning) + len(cases.completion),
        "metrics": {
            **metrics,
            "p50_us": round(float(np.percentile(took, 50)), 1),
            "p90_us": round(float(np.percentile(took, 90)), 1),
        },
        "baselines": {
            name: _measure(baseline, cases, k, []) for name, baseline in basket_baselines(before, table, cut).items()
        },
        "train_seconds": round(seconds, 2),
    }


def _split(orders: list[Event], cut: float) -> tuple[list[Event], list[Event]]:
    orders = sorted(orders, key=lambda event: event.timestamp)
    return [event for event in orders if event.timestamp < cut], [event for event in orders if event.timestamp >= cut]


def _table(before: Iterable[Event], words: Mapping[str, str], seed: int) -> ProductTable:
    """Products sold before the test, with their last price; shuffled, as the order of ids often is a clock."""
    prices: dict[str, float | None] = {}
    for event in before:
        prices.update({product.product_id: product.price for product in event.products})
    found = [Product(product_id=item, title=words.get(item, ""), price=price) for item, price in prices.items()]
    return build_table(shuffled(found, seed), 1)


class _Cases:
    """Questions and answers: ``returning`` are (profile, targets), ``completion`` (the rest of the basket, target)."""

    def __init__(
        self, before: list[Event], test: list[Event], table: ProductTable, cut: float, limit: int, seed: int
    ) -> None:
        random = np.random.default_rng(seed)
        profiles = _profiles(before)
        first = {event.profile_id: event for event in reversed(test)}
        self.cut = cut
        self.returning: list[tuple[Profile, set[int], float]] = []
        self.completion: list[tuple[tuple[int, ...], int, float]] = []
        for profile_id, event in sorted(first.items()):
            targets = set(_rows(event, table))
            if profile_id in profiles and targets:
                self.returning.append((profiles[profile_id], targets, event.timestamp))
        for event in test:
            rows = _rows(event, table)
            if len(rows) > 1:
                hidden = rows.pop(int(random.integers(len(rows))))
                self.completion.append((tuple(rows), hidden, event.timestamp))
        if limit:
            self.returning = [self.returning[i] for i in random.permutation(len(self.returning))[:limit]]
            self.completion = [self.completion[i] for i in random.permutation(len(self.completion))[:limit]]


def _rows(event: Event, table: ProductTable) -> list[int]:
    ids = dict.fromkeys(product.product_id for product in event.products)
    return [table.index[item] for item in ids if item in table.index]


def _profiles(before: Iterable[Event]) -> dict[str, Profile]:
    """What each customer bought, as a profile holds it."""
    found: dict[str, dict[str, Purchase]] = {}
    orders: dict[str, int] = {}
    for event in before:
        orders[event.profile_id] = orders.get(event.profile_id, 0) + 1
        own = found.setdefault(event.profile_id, {})
        quantities: dict[str, float] = {}
        for product in event.products:
            quantities[product.product_id] = quantities.get(product.product_id, 0.0) + product.quantity
        for item, quantity in quantities.items():
            old = own.get(item) or Purchase(item, 0.0, 0, event.timestamp, event.timestamp)
            own[item] = Purchase(item, old.quantity + quantity, old.orders + 1, old.first, event.timestamp)
    return {
        profile_id: Profile(profile_id=profile_id, purchases=tuple(own.values()), orders=orders[profile_id])
        for profile_id, own in found.items()
    }


def _measure(recommender: Any, cases: _Cases, k: int, took: list[float]) -> dict[str, Any]:
    """The three blocks of figures of anything that gives candidates."""
    every, new, completion = Measures(k), Measures(k), Measures(k)
    n = len(recommender.table)
    for profile, targets, now in cases.returning:
        own = [recommender.table.index[one.product_id] for one in profile.purchases]
        every.add(_ask(recommender, Query(now=now, profile=profile), k, took), targets)
        fresh = targets.difference(own)
        if fresh:
            eligible = np.ones(n, dtype=np.bool_)
            eligible[own] = False
            new.add(_ask(recommender, Query(now=now, profile=profile, eligible=eligible), k, took), fresh)
    for rest, hidden, now in cases.completion:
        eligible = np.ones(n, dtype=np.bool_)
        eligible[list(rest)] = False
        query = Query(now=now, cart=rest, eligible=eligible)
        completion.add(_ask(recommender, query, k, took, Strategy.FREQUENTLY_BOUGHT_TOGETHER), {hidden})
    return {
        "next_basket": {"cases": every.cases, **every.several(), f"coverage@{k}": every.coverage(n)},
        "next_basket_new": {"cases": new.cases, **new.several(), f"coverage@{k}": new.coverage(n)},
        "completion": {"cases": completion.cases, **completion.single(), f"coverage@{k}": completion.coverage(n)},
    }


def _ask(
    recommender: Recommender,
    query: Query,
    k: int,
    took: list[float],
    strategy: str = Strategy.RECOMMENDED_FOR_YOU,
) -> Sequence[int]:
    began = time.perf_counter()
    found = recommender.candidates(strategy, query, k)
    took.append((time.perf_counter() - began) * 1e6)
    ranked: list[int] = found.rows.tolist()
    return ranked

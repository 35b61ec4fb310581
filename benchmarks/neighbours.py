"""Neighbour search and the whole personal query, beside the same search in plain numpy. Prints one JSON object.

Run it alone on the machine: ``python benchmarks/neighbours.py [--clicks 1000000] [--products 50000] [--queries 3000]``.
Sessions are made up: a product's popularity falls with its rank, and sessions stay near one product.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np

from mtp_plugin.candidates import neighbours
from mtp_plugin.candidates.learn.bare_table import bare_table
from mtp_plugin.candidates.learn.behaviour import learn_behaviour
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.own import latest_first
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.sources import FORMAT, SESSION
from mtp_plugin.ports import Bundle
from mtp_plugin.records import Query

LENGTH = 5


def sessions(clicks: int, products: int, random: np.random.Generator) -> TrainingLog:
    """Sessions of five views around a product drawn by popularity."""
    centres = random.zipf(1.2, clicks // LENGTH) % products
    steps = np.rint(random.normal(0, 8, (len(centres), LENGTH))).astype(np.int64)
    views = (centres[:, None] + steps) % products
    rows = ((f"s{session}", f"p{item}", 0.0) for session, items in enumerate(views.tolist()) for item in items)
    return TrainingLog.from_sessions(rows, timed=False)


def percentiles(ask: Callable[[Query], object], queries: list[Query]) -> dict[str, float]:
    """Microseconds a query, after one warm-up round."""
    took = []
    for query in queries[:50]:
        ask(query)
    for query in queries:
        began = time.perf_counter_ns()
        ask(query)
        took.append((time.perf_counter_ns() - began) / 1e3)
    return {f"p{share}_us": round(float(np.percentile(took, share)), 1) for share in (50, 90, 99)}


def main() -> None:
    """Train, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("clicks", 1_000_000), ("products", 50_000), ("queries", 3_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    random = np.random.default_rng(0)
    log = sessions(given.clicks, given.products, random)
    began = time.perf_counter()
    arrays = learn_behaviour(log, now=log.end)
    seconds = time.perf_counter() - began
    bundle = Bundle(kind="behaviour", version="", arrays=arrays, strings={"items": log.items}, meta={"format": FORMAT})
    found = Recommender(bare_table(log.items), bundle)
    found.warm()
    starts = random.integers(0, len(log) // LENGTH, given.queries) * LENGTH
    queries = [Query(now=0.0, session=tuple(log.item[at : at + 1 + at % 4].tolist())) for at in starts.tolist()]

    def search(query: Query) -> None:
        scratch = found.sources.scratch()
        assert found.sources.neighbours is not None
        found.sources.neighbours.vote(scratch, *latest_first(query.session), SESSION)

    result = {
        "clicks": len(log),
        "products": len(log.items),
        "train_lists_seconds": round(seconds, 2),
        "arrays_mb": round(sum(array.nbytes for array in arrays.values()) / 1e6, 1),
        "neighbour_search": percentiles(search, queries),
        "personal_query": percentiles(lambda query: found.candidates("recommended-for-you", query, 24), queries),
        "floor": {"limits_us": {"p50": 50, "p90": 200}},
    }
    neighbours.HAS_NUMBA = False
    result["floor"]["neighbour_search_numpy"] = percentiles(search, queries[:200])
    print(json.dumps(result))


if __name__ == "__main__":
    main()

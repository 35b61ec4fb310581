"""Ordering a hundred candidates anew, beside the expert alone in the same run. Prints one JSON object.

Run it alone on the machine: ``python benchmarks/reranker.py [--queries 2000]``. Candidates and what sources say of them
are made up; the trees are grown from them as training grows them, of the size that training allows. Apart is told what
it takes to look up, for these hundred, how the segment and the surroundings of whoever asks lean.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from _history import catalogue, history

from mtp_plugin.candidates import session_expert
from mtp_plugin.candidates.blend import Expert
from mtp_plugin.candidates.leanings import Asker, Leanings
from mtp_plugin.candidates.learn.behaviour import learn_behaviour
from mtp_plugin.candidates.learn.leanings import item_categories, leaning_arrays
from mtp_plugin.candidates.learn.reranker import Case, grow_reranker
from mtp_plugin.candidates.membership import Membership
from mtp_plugin.candidates.reranker import TOP, Reranker
from mtp_plugin.candidates.session_details import SESSION_DETAILS
from mtp_plugin.candidates.sources import FORMAT, Sources
from mtp_plugin.ports import Bundle
from mtp_plugin.records import FloatArray, SegmentRef, Surroundings

FEATURES = len(session_expert.FEATURES)


def details(places: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """As many as of a session; what they say is made up."""
    return np.tile(scores[places, None], len(SESSION_DETAILS)).astype(np.float32)


def questions(count: int, candidates: int, random: np.random.Generator) -> list[Case]:
    """What is chosen depends on two features together, which no linear expert can say."""
    found = []
    for _ in range(count):
        features = random.normal(size=(candidates, FEATURES)).astype(np.float32)
        worth = features[:, 0] * (features[:, 1] > 0) + features[:, 2] + random.gumbel(size=candidates)
        chosen = np.array([int(np.argmax(worth))])
        found.append(Case(features, chosen, 0, 3, np.arange(candidates), details))
    return found


def people(products: int, random: np.random.Generator) -> tuple[Leanings, Asker]:
    """A made-up shop of four segments, of which and from which somewhere somebody asks."""
    log, table = history(20 * products, products), catalogue(products)
    devices = tuple(Surroundings(device=one, country="DE") for one in ("mobile", "desktop"))
    log = replace(log, around=(random.integers(0, 2, int(log.session[-1]) + 1).astype(np.int16), devices))
    ids = ("a", "b", "c", "d")
    members = Membership(ids, (-1,) * 4, random.integers(0, 4, len(log.owners)).astype(np.int16))
    arrays = learn_behaviour(log, now=log.end, membership=members)
    arrays |= leaning_arrays(log, item_categories(table, log.items))
    strings = {"items": log.items, "segments": ids, "categories": table.category_names}
    bundle = Bundle(kind="behaviour", version="", arrays=arrays, strings=strings, meta={"format": FORMAT})
    return Sources(table, bundle, None).leanings, Asker(SegmentRef("a", "", 0.8), devices[0])


def microseconds(ask: Callable[[Case], Any], cases: list[Case]) -> dict[str, float]:
    """Processor time of a query."""
    took = []
    for case in (*cases[:100], *cases):
        began = time.thread_time_ns()
        ask(case)
        took.append((time.thread_time_ns() - began) / 1e3)
    return {"p50_us": round(float(np.median(took[100:])), 1), "p90_us": round(float(np.quantile(took[100:], 0.9)), 1)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--candidates", type=int, default=300, help="of which the best are ordered anew")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    names = session_expert.FEATURES
    expert = Expert(names, {names[0]: 0.5, names[2]: 1.0}, 1, None)
    earlier, later = questions(1500, TOP, random), questions(1500, TOP, random)
    grown = grow_reranker(earlier, later, expert, seed=0)
    assert grown.trees is not None, grown.figures
    reranker = Reranker(grown.trees, grown.trust)
    cases = questions(options.queries, options.candidates, random)
    floor = microseconds(lambda case: expert.scores(case.features, 0), cases)

    def anew(case: Case) -> FloatArray:
        return reranker.scores(case.features, expert.scores(case.features, 0), 3, None, details)

    both = microseconds(anew, cases)
    leanings, asker = people(1000, random)
    rows = random.integers(0, 1000, TOP).astype(np.int32)
    leaning = microseconds(lambda case: leanings.of(rows, asker), cases)
    trees = {"trees": len(grown.trees.roots), "nodes": len(grown.trees.feature)}
    found = {"expert": floor, "re-ranked": both, "leanings": leaning}
    print(json.dumps({"benchmark": "reranker", "ordered_anew": TOP, **trees, **found}))


if __name__ == "__main__":
    main()

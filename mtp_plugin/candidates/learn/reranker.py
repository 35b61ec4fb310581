"""Growing the re-ranker of an expert on stretches of held-out history, one after the other.

Each is asked about with an index of what was before it; the trees learn from the earlier ones and have to win on the
latest, else the blend stays as it is. No shop sets anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...records import FloatArray, IntArray
from ...trees import Trees, Walk
from ..blend import Expert
from ..leanings import Details
from ..reranker import best_places, seen
from .boosting import Boosting
from .judge import FEWEST, Asked, Judge
from .lessons import Lessons

HEAD, REST = 20, 6
"""Of a case the best are kept, and so many of the others, each standing for as many as it was drawn from."""
BOOSTING = Boosting(trees=60, leaves=31, depth=7, rate=0.1, ridge=10.0)
"""Chosen on RetailRocket's training sessions alone, learnt from an earlier tenth and judged on the latest one, but for
the depth, which bounds the time."""
LEAST_IN_LEAF = 1000
PER_LEAF = 600
"""Rows in a leaf: at least this part of all rows, as far as :data:`LEAST_IN_LEAF`."""


class Case(NamedTuple):
    """A question: the candidates' features, what was chosen (places), the expert's bucket, and how much was known.

    ``new`` are the places of candidates that are new to whom is asked about: they
    are asked about once more alone. ``details`` looks closely at candidates; it can as long as no other question is
    asked.
    """

    features: FloatArray
    chosen: IntArray
    bucket: int
    known: int
    new: IntArray
    details: Details


@dataclass(slots=True)
class Grown:
    """What came of it; ``trees`` is ``None`` where the blend stays. ``trust`` in the expert goes with them."""

    trees: Trees | None
    figures: dict[str, Any]
    trust: float = 0.0

    def arrays(self, prefix: str) -> dict[str, Any]:
        """For a bundle, nothing where the blend stays."""
        if self.trees is None:
            return {}
        return {**self.trees.arrays(prefix), f"{prefix}trust": np.array([self.trust])}


def grow_reranker(earlier: Iterable[Case], later: Iterable[Case], expert: Expert, *, seed: int) -> Grown:
    """Learn from the earlier cases, judge on the later ones; what wins is grown once more, of both.

    :param expert: as it was learnt
    :param seed: of the sample of candidates
    """
    random, lessons = np.random.default_rng(seed), Lessons()
    learn_from(lessons, (asked for case in earlier for asked in _asked(case, expert)), random)
    if lessons.questions < FEWEST:
        return Grown(None, {"serves": False, "why": f"{lessons.questions} cases are too few to learn from"})
    if lessons.arrays()[1].all():
        return Grown(None, {"serves": False, "why": "all candidates were chosen, there is nothing to learn"})
    trees, judge = Walk(_grown(lessons, seed)), Judge(len(expert.names))
    for case in later:
        both = list(_asked(case, expert))
        judge.hear(trees, both)
        learn_from(lessons, both, random)
    trust, figures = judge.says()
    return Grown(_grown(lessons, seed) if figures["serves"] else None, figures, trust)


def learn_from(lessons: Lessons, questions: Iterable[Asked], random: np.random.Generator) -> None:
    """Take those of which anything was chosen."""
    for asked in questions:
        if asked.chosen.any():
            lessons.add(*_thinned(asked, random))


def _asked(case: Case, expert: Expert) -> Iterator[Asked]:
    scores = expert.scores(case.features, case.bucket)
    yield _question(case, scores, best_places(scores), new=False)
    new = np.zeros(len(scores), dtype=np.bool_)
    new[case.new] = True
    if not new.all() and new[case.chosen].any():
        yield _question(case, scores, best_places(scores, new), new=True)


def _question(case: Case, scores: FloatArray, places: IntArray, *, new: bool) -> Asked:
    chosen = np.isin(places, case.chosen).astype(np.float32)
    return Asked(seen(case.features, scores, places, case.known, case.details), chosen, new)


def _grown(lessons: Lessons, seed: int) -> Trees:
    least = int(min(LEAST_IN_LEAF, max(20, len(lessons) / PER_LEAF)))
    return BOOSTING.grow(*lessons.arrays(), least=least, seed=seed)


def _thinned(asked: Asked, random: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The best rows, and some of the others; each question counts alike, however much was chosen."""
    rows, chosen, _ = asked
    n, weights = len(rows), np.full(len(rows), 1.0 / chosen.sum())
    if n <= HEAD + REST:
        return rows, chosen, weights
    drawn = HEAD + random.choice(n - HEAD, REST, replace=False)
    keep = np.union1d(np.concatenate((np.arange(HEAD), drawn)), np.flatnonzero(chosen))
    weights[HEAD:] *= np.where(chosen[HEAD:] > 0, 1.0, (n - HEAD) / REST)
    return rows[keep], chosen[keep], weights[keep]

"""Growing the re-ranker of an expert on held-out history, and judging it on the latest part of that.

The index that its candidates come from knows nothing of the held-out time; the trees learn from the earlier part of it
and have to win on the later one, else the blend stays as it is. No shop sets anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...records import FloatArray, IntArray
from ...trees import Trees, of_hist_boosting
from ..blend import Expert
from ..reranker import best_places, seen

JUDGED = 0.4
"""Part of the cases, the latest, that decides whether the trees are better."""
HEAD, REST = 30, 10
"""Of a case the best are kept, and so many of the others, each standing for as many as it was drawn from."""
FEWEST = 400
"""Cases to learn from at least."""
K = 20
SURE = 2.33
"""Standard errors by which the gain must be above zero: one in a hundred that are no better would pass. There are three
tasks a shop and a training every night, and next month's visitors are not quite last month's."""
GROWN: dict[str, Any] = {
    "max_iter": 60, "max_leaf_nodes": 31, "max_depth": 7, "learning_rate": 0.1, "l2_regularization": 10.0,
    "early_stopping": False,
}  # fmt: skip
"""Chosen on RetailRocket's training sessions alone, learnt from an earlier tenth and judged on the latest one, but for
the depth, which bounds the time."""
LEAST_IN_LEAF = 1000
PER_LEAF = 600
"""Rows in a leaf: at least this part of all rows, as far as :data:`LEAST_IN_LEAF`."""


class Case(NamedTuple):
    """A question: the candidates' features, what was chosen (places), the expert's bucket, and how much was known.

    ``late`` tells the part that judges. ``new`` are the places of candidates that are new to whom is asked about: they
    are asked about once more alone.
    """

    features: FloatArray
    chosen: IntArray
    bucket: int
    known: int
    late: bool
    new: IntArray


@dataclass(slots=True)
class Grown:
    """What came of it; ``trees`` is ``None`` where the blend stays."""

    trees: Trees | None
    figures: dict[str, Any]


def grow_reranker(cases: Iterable[Case], expert: Expert, *, seed: int) -> Grown:
    """Learn from the earlier cases, judge on the later ones; what wins is grown once more, of all.

    :param expert: as it was learnt
    :param seed: of the sample of candidates
    """
    random = np.random.default_rng(seed)
    early: list[Part] = []
    late: list[Part] = []
    judges: list[_Asked] = []
    for case in cases:
        for asked in _asked(case, expert):
            if case.late:
                judges.append(asked)
            if asked.chosen.any():
                (late if case.late else early).append(_thinned(asked, random))
    if min(len(early), len(judges)) < FEWEST:
        return Grown(None, {"serves": False, "why": f"{len(early)} cases are too few to learn from"})
    judged = _judged(_grown(early, seed), judges)
    if judged.trees is not None:
        judged.trees = _grown(early + late, seed)
    return judged


Part = tuple[FloatArray, FloatArray, FloatArray]
"""Rows, labels and weights of one question."""


class _Asked(NamedTuple):
    """What the trees see of the best candidates of one question, which were chosen, and whether all are new."""

    rows: FloatArray
    chosen: FloatArray
    new: bool


def _asked(case: Case, expert: Expert) -> Iterator[_Asked]:
    scores = expert.scores(case.features, case.bucket)
    yield _question(case, scores, best_places(scores), new=False)
    new = np.zeros(len(scores), dtype=np.bool_)
    new[case.new] = True
    if not new.all() and new[case.chosen].any():
        yield _question(case, scores, best_places(scores, new), new=True)


def _question(case: Case, scores: FloatArray, places: IntArray, *, new: bool) -> _Asked:
    chosen = np.isin(places, case.chosen).astype(np.float32)
    return _Asked(seen(case.features, scores, places, case.known), chosen, new)


def _grown(parts: Sequence[Part], seed: int) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows, chosen, weights = (np.concatenate(each) for each in zip(*parts, strict=True))
    least = int(min(LEAST_IN_LEAF, max(20, len(rows) / PER_LEAF)))
    estimator = HistGradientBoostingClassifier(**GROWN, min_samples_leaf=least, random_state=seed)
    return of_hist_boosting(estimator.fit(rows, chosen, sample_weight=weights))


def _thinned(asked: _Asked, random: np.random.Generator) -> Part:
    """The best rows, and some of the others."""
    rows, chosen, _ = asked
    n, weights = len(rows), np.ones(len(rows))
    if n <= HEAD + REST:
        return rows, chosen, weights
    drawn = HEAD + random.choice(n - HEAD, REST, replace=False)
    keep = np.union1d(np.concatenate((np.arange(HEAD), drawn)), np.flatnonzero(chosen))
    weights[HEAD:] = np.where(chosen[HEAD:] > 0, 1.0, (n - HEAD) / REST)
    return rows[keep], chosen[keep], weights[keep]


def _judged(trees: Trees, asked: list[_Asked]) -> Grown:
    """Whether they find what was chosen further up than the expert, whose order the rows are in.

    They have to win where all candidates are asked about, and must not lose where new ones alone are.
    """
    gains = np.array([_gain(trees, one) for one in asked])
    new = np.array([one.new for one in asked], dtype=np.bool_)
    mean, error = _mean(gains[~new])
    of_new, error_of_new = _mean(gains[new])
    wins, loses = mean - SURE * error > 0, of_new + SURE * error_of_new < 0
    figures = {
        "serves": wins and not loses,
        "judged": int((~new).sum()),
        f"ndcg@{K}_gain": round(mean, 5),
        f"ndcg@{K}_gain_error": round(error, 5),
        f"new_ndcg@{K}_gain": round(of_new, 5),
        f"new_ndcg@{K}_gain_error": round(error_of_new, 5),
        "why": "it does not win on later history: the blend stays",
    }
    if wins:
        figures["why"] = "it finds new products worse: the blend stays" if loses else "it wins on later history"
    return Grown(trees if wins and not loses else None, figures)


def _gain(trees: Trees, asked: _Asked) -> float:
    order = np.argsort(-trees.scores(asked.rows), kind="stable")
    return _worth(asked.chosen[order]) - _worth(asked.chosen)


def _mean(gains: FloatArray) -> tuple[float, float]:
    """Mean and standard error; nothing of fewer than two."""
    if len(gains) < 2:
        return 0.0, 0.0
    return float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))


def _worth(chosen: FloatArray) -> float:
    """Normalised discounted gain of an order at :data:`K` (Järvelin and Kekäläinen 2002)."""
    wanted = int(chosen.sum())
    if not wanted:
        return 0.0
    discounts = 1.0 / np.log2(np.arange(2, K + 2))
    return float(chosen[:K] @ discounts[: len(chosen[:K])] / discounts[: min(wanted, K)].sum())

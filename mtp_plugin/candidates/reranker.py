"""The re-ranker: trees that order anew what an expert likes best, where that proved better on later history.

An expert is linear: it cannot say that a vote counts for less of a product that was just seen, or for more where little
else is known. Some dozens of small trees can. What they see of a candidate are the expert's features, which do not
change when an index grows, and where the expert puts it within this query; never an id or a raw count. They are learnt
by :mod:`mtp_plugin.candidates.learn.reranker`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..ports import Bundle
from ..records import BoolArray, FloatArray, IntArray
from ..trees import Trees, Walk
from . import basket_expert, session_expert
from .anew_kernels import first_places, put_back, seen_rows
from .basket_details import COMPLETE_DETAILS, RETURN_DETAILS
from .leanings import LEANINGS, Details
from .loudest import EVERYTHING
from .session_details import SESSION_DETAILS

TASKS = ("session", "return", "complete")
"""What experts are asked: the next product of a session, a customer's next basket, what completes a basket."""
TOP = 100
"""Candidates that are ordered anew, those that the expert likes best."""
PLACE = ("behind-best", "log-probability", "log-rank", "known")
"""Features beside the expert's own: its score less the best one, the logarithm of its probability among these
candidates, of its rank from 1, and of how much is known of whom is asked about."""

SEEN = {
    "session": len(session_expert.FEATURES) + len(PLACE) + len(SESSION_DETAILS),
    "return": len(basket_expert.RETURN_FEATURES) + len(PLACE) + len(RETURN_DETAILS),
    "complete": len(basket_expert.COMMON) + len(PLACE) + len(COMPLETE_DETAILS),
}
"""What the trees of each task see of a candidate; behind it, in shops that have segments, :data:`.LEANINGS`."""


class Reranker:
    """Orders the best candidates of one expert anew.

    :param trees: over the expert's features, :data:`PLACE` and details; sums are log-odds of being chosen
    :param trust: in the expert beside the trees: by how much of its logarithmic probability their sums are raised
    :param leans: whether the trees ask for :data:`.LEANINGS`, behind all details
    """

    def __init__(self, trees: Trees, trust: float = 0.0, *, leans: bool = False) -> None:
        self._walk, self._trust, self.leans = Walk(trees), trust, leans

    def scores(
        self, features: FloatArray, scores: FloatArray, known: int, allowed: BoolArray | None, details: Details
    ) -> FloatArray:
        """The expert's scores with those of the best candidates put in the order of the trees.

        These share among themselves the probability that they had; what stands behind them stays behind them.

        :param features: shape ``(candidates, features)``
        :param scores: of the expert, ``(candidates,)``
        :param known: products of the session, the past or the basket
        :param allowed: mask over the candidates that may be shown, ``None`` for all
        :param details: looks closely at those that are ordered anew
        """
        places = best_places(scores, allowed)
        if len(places) < 2:
            return scores
        rows = seen(features, scores, places, known, details)
        said = combined(self._walk.scores(rows), rows, features.shape[1], self._trust)
        found: FloatArray = put_back(scores, places, said)
        return found


def best_places(scores: FloatArray, allowed: BoolArray | None = None) -> IntArray:
    """Where the :data:`TOP` best of the allowed candidates stand, best first; equals in the order they were found."""
    best: IntArray = first_places(scores, EVERYTHING if allowed is None else allowed, TOP)
    return best


def combined(said: FloatArray, rows: FloatArray, width: int, trust: float) -> FloatArray:
    """What trees *said* of *rows*, with so much *trust* in the expert, whose features are the first *width*."""
    return said + trust * rows[:, width + PLACE.index("log-probability")]


def seen(features: FloatArray, scores: FloatArray, places: IntArray, known: int, details: Details) -> FloatArray:
    """What the trees see of the candidates at *places*, a float32 row each: features, :data:`PLACE`, details."""
    rows: FloatArray = seen_rows(features, scores, places, known, details(places, scores))
    return rows


def prefix_of(task: str) -> str:
    """How the names of a task's arrays begin in a bundle."""
    return f"rerank_{task}_"


def load_rerankers(bundle: Bundle | None) -> dict[str, Reranker]:
    """Those that a bundle has, by task.

    :raises ModelError: one that cannot be read
    """
    found: dict[str, Reranker] = {}
    arrays: Mapping[str, NDArray[Any]] = bundle.arrays if bundle else {}
    for task in TASKS:
        if f"{prefix_of(task)}roots" not in arrays:
            continue
        try:
            trust = float(arrays.get(f"{prefix_of(task)}trust", np.zeros(1))[0])
            trees = Trees.of_arrays(arrays, prefix_of(task))
            most = SEEN[task] + len(LEANINGS)
            if trees.width > most:
                raise ValueError(f"they ask for {trees.width} features, there are {most}")
            found[task] = Reranker(trees, trust, leans=trees.width > SEEN[task])
        except (KeyError, ValueError) as error:
            raise ModelError(f"the re-ranker of {task} cannot be read: {error}; run `flask mtp train`") from error
    return found

"""Whether trees find what was chosen further up than the expert whose best candidates they order anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...records import FloatArray
from ...trees import Trees, Walk
from ..reranker import combined

FEWEST = 400
"""Questions to learn from, and to judge by, at least."""
K = 20
SURE = 2.0
"""Standard errors by which the gain must be above zero. Places of one session or basket are not quite independent; of
trees that are no better about 3 in a hundred pass in simulations. There are three tasks a shop and a training every
night, and next month's visitors are not quite last month's."""
TRUST = (0.5, 0.0, 1.0)
"""How far the expert may still count beside the trees: with little to learn from it steadies them. The first is left
only for one that is surely better: chosen by what gained most on some hundred cases, the trees of baskets lost it."""


class Asked(NamedTuple):
    """What the trees see of the best candidates of one question, in the expert's order; which were chosen, and whether
    new candidates alone are asked about."""

    rows: FloatArray
    chosen: FloatArray
    new: bool


class Judge:
    """Hears questions that the trees were not grown on.

    They have to win over each case, asked about all candidates and about new ones alone, on the average of both; and
    must not lose in either. How far the expert is trusted beside them is chosen for what it gains here.

    :param width: how many features the expert has
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._gains: dict[str, list[list[float]]] = {"both": [], "every": [], "new": []}

    def hear(self, trees: Trees | Walk, questions: Sequence[Asked]) -> None:
        """The questions of one case."""
        gains = [self._gain(trees, one) for one in questions]
        for one, gain in zip(questions, gains, strict=True):
            self._gains["new" if one.new else "every"].append(gain)
        self._gains["both"].append(np.mean(gains, axis=0).tolist())

    def says(self) -> tuple[float, dict[str, Any]]:
        """The trust that gains most, and figures, of which ``serves`` tells whether the trees are better."""
        judged = len(self._gains["every"])
        if judged < FEWEST:
            return 0.0, {"serves": False, "why": f"{judged} cases are too few to judge by"}
        best = _surely_best(np.array(self._gains["both"]))
        found = {name: _mean([gain[best] for gain in gains]) for name, gains in self._gains.items()}
        wins = _surely(found["both"])
        loses = any(_surely((-mean, error)) for mean, error in (found["every"], found["new"]))
        figures: dict[str, Any] = {"serves": wins and not loses, "judged": judged, "trust": TRUST[best]}
        for name, (mean, error) in found.items():
            prefix = "" if name == "every" else f"{name}_"
            figures |= {f"{prefix}ndcg@{K}_gain": round(mean, 5), f"{prefix}ndcg@{K}_gain_error": round(error, 5)}
        figures["why"] = "it does not win on later history: the blend stays"
        if wins:
            figures["why"] = "it loses in one of both: the blend stays" if loses else "it wins on later history"
        return TRUST[best], figures

    def _gain(self, trees: Trees | Walk, asked: Asked) -> list[float]:
        """By trust."""
        if not asked.chosen.any():
            return [0.0] * len(TRUST)
        said, before = trees.scores(asked.rows), _worth(asked.chosen)
        orders = (np.argsort(-combined(said, asked.rows, self._width, trust), kind="stable") for trust in TRUST)
        return [_worth(asked.chosen[order]) - before for order in orders]


def _surely_best(gains: FloatArray) -> int:
    """Which column gains most, the first unless another surely gains more."""
    best = int(np.argmax(gains.mean(axis=0)))
    return best if _surely(_mean((gains[:, best] - gains[:, 0]).tolist())) else 0


def _surely(found: tuple[float, float]) -> bool:
    mean, error = found
    return mean - SURE * error > 0


def _mean(gains: Sequence[float]) -> tuple[float, float]:
    """Mean and standard error; nothing of fewer than two."""
    if len(gains) < 2:
        return 0.0, 0.0
    return float(np.mean(gains)), float(np.std(gains, ddof=1) / np.sqrt(len(gains)))


def _worth(chosen: FloatArray) -> float:
    """Normalised discounted gain of an order at :data:`K` (Järvelin and Kekäläinen 2002), of what is among the best."""
    discounts = 1.0 / np.log2(np.arange(2, K + 2))
    wanted = min(int(chosen.sum()), K)
    return float(chosen[:K] @ discounts[: len(chosen[:K])] / discounts[:wanted].sum())

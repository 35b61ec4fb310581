"""What simple ways reach on the same cases: popularity, echo of the prefix, one Markov step, item-item cosine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from ..candidates.log import TrainingLog

Predict = Callable[[Sequence[int]], list[int]]


def session_baselines(log: TrainingLog, k: int) -> dict[str, Predict]:
    """Predictors by name; each takes a prefix of item codes, oldest first, and gives at least *k* codes if it can."""
    popular = np.argsort(-np.bincount(log.item, minlength=len(log.items)), kind="stable").tolist()
    same = log.session[1:] == log.session[:-1]
    markov: dict[int, Counter[int]] = defaultdict(Counter)
    for before, after in zip(log.item[:-1][same].tolist(), log.item[1:][same].tolist(), strict=True):
        markov[before][after] += 1
    return {
        "popularity": lambda prefix: popular[:k],
        "prefix-echo": lambda prefix: list(dict.fromkeys(reversed(prefix))),
        "markov": lambda prefix: _most(markov.get(prefix[-1])) if prefix else popular[:k],
        "item-item": _item_item(log, k),
    }


def _item_item(log: TrainingLog, k: int) -> Predict:
    """Cosine of products over the sessions they were seen in, summed over the prefix."""
    sessions: dict[int, list[int]] = defaultdict(list)
    members: dict[int, list[int]] = defaultdict(list)
    pairs = np.unique(np.column_stack((log.session, log.item)), axis=0)
    for session, item in pairs.tolist():
        sessions[item].append(session)
        members[session].append(item)
    found: dict[int, Counter[int]] = {}

    def near(item: int) -> Counter[int]:
        if item not in found:
            together = Counter(other for session in sessions[item] for other in members[session])
            found[item] = Counter(
                {other: n / (len(sessions[item]) * len(sessions[other])) ** 0.5 for other, n in together.items()}
            )
        return found[item]

    def predict(prefix: Sequence[int]) -> list[int]:
        total: Counter[int] = Counter()
        for item in set(prefix):
            total.update(near(item))
        return _most(total)[: k + len(prefix)]

    return predict


def _most(counter: Counter[int] | None) -> list[int]:
    """Codes by count; equals by code, never in the target's favour."""
    return [] if not counter else [code for code, _ in sorted(counter.items(), key=lambda one: (-one[1], one[0]))]

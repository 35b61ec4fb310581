"""Synthetic problems with known truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mtp_plugin.bandit.counts import Counts


def regret_of(policy: Any, means: Sequence[float], steps: int, seed: int, batch: int = 1) -> float:
    """What a policy earned less than always the best arm would have, in expectation given its choices.

    :param batch: so many rewards become known at once
    """
    rng, counts, regret = np.random.default_rng(seed), Counts.none(len(means)), 0.0
    luck, seeds = rng.random(steps), rng.integers(0, 2**62, steps).tolist()
    waiting: list[tuple[int, float]] = []
    for step in range(steps):
        arm = policy.choose(counts, seeds[step]).arm
        waiting.append((arm, float(luck[step] < means[arm])))
        if len(waiting) == batch:
            for known, reward in waiting:
                counts = policy.update(counts, known, reward)
            waiting.clear()
        regret += max(means) - means[arm]
    return regret

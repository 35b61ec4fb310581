"""Simulated logs whose truth is known."""

from __future__ import annotations

import numpy as np

from mtp_plugin.bandit.off_policy import Log, Target
from mtp_plugin.bandit.off_policy.log import Floats


class World:
    """Groups, actions, their reward rates, and two policies: the one that served and the target."""

    def __init__(self, groups: int, actions: int, rate: float, *, served: float, target: float, seed: int = 1) -> None:
        dice = np.random.default_rng(seed)
        self.rates = np.clip(rate * dice.lognormal(0, 0.5, (groups, actions)), 0, 0.9)
        liked = dice.normal(size=(groups, actions))
        other = 0.3 * liked + 0.95 * dice.normal(size=(groups, actions))
        self.served, self.target = softmax(served * liked), softmax(target * other)

    def value(self, policy: Floats) -> float:
        """The true value of a policy: groups are equally likely."""
        return float((policy * self.rates).sum(1).mean())

    def draw(self, n: int, seed: int, visits: int = 1) -> tuple[Log, Target]:
        """A log of *n* decisions, so many of each visitor, who differ in how readily they click."""
        dice, (groups, actions) = np.random.default_rng([7, seed]), self.rates.shape
        visitors = n // visits
        group = np.repeat(dice.integers(0, groups, visitors), visits)
        ready = np.repeat(dice.gamma(2, 0.5, visitors), visits) if visits > 1 else np.ones(len(group))
        sums = np.cumsum(self.served[group], axis=1)
        action = (sums < dice.random((len(group), 1))).sum(1).clip(max=actions - 1)
        reward = (dice.random(len(group)) < np.clip(self.rates[group, action] * ready, 0, 1)).astype(float)
        log = Log(
            reward,
            self.served[group, action],
            action,
            actions,
            group=group,
            cluster=np.repeat(np.arange(visitors), visits),
        )
        return log, Target.dense(self.target[group])


def softmax(scores: Floats) -> Floats:
    """Rows that add up to 1."""
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))

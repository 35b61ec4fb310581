"""What is known of the arms of one choice: how often each was seen and what it earned. All of it adds up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..records import FloatArray


class Counts(NamedTuple):
    """``tries`` and ``rewards`` have one entry an arm; a reward lies between 0 and 1, so ``rewards <= tries``.

    Both are discounted where the past is to count less, hence no whole numbers.
    """

    tries: FloatArray
    rewards: FloatArray

    @classmethod
    def none(cls, arms: int) -> Counts:
        """Nothing known yet of so many arms."""
        return cls(np.zeros(arms), np.zeros(arms))

    @property
    def means(self) -> FloatArray:
        """The mean reward of each arm, 0 where it was never seen."""
        return self.rewards / np.maximum(self.tries, 1e-12)


def added(counts: Counts, arm: int, reward: float, discount: float = 1.0) -> Counts:
    """The counts after one more impression of *arm*.

    :param reward: from 0 to 1
    :param discount: what everything before counts now, in (0, 1]: Garivier and Moulines, "On upper-confidence bound
        policies for switching bandit problems", 2011

    >>> counts = added(Counts.none(2), 0, 1.0)
    >>> added(counts, 1, 0.5, discount=0.9).tries.tolist()
    [0.9, 1.0]
    """
    tries, rewards = counts.tries * discount, counts.rewards * discount
    tries[arm] += 1.0
    rewards[arm] += reward
    return Counts(tries, rewards)


def shrunk(own: Counts, rest: Counts, weight: float) -> Counts:
    """A segment's counts with those of everybody else beside them, each arm's worth at most *weight* impressions.

    The power prior of Ibrahim and Chen ("Power prior distributions for regression models", 2000): what others tell
    counts ``min(1, weight / tries)`` times. A segment of its own mind outgrows it, a small one leans on it.

    >>> own, rest = Counts(np.array([2.0]), np.array([2.0])), Counts(np.array([100.0]), np.array([10.0]))
    >>> shrunk(own, rest, 20.0)
    Counts(tries=array([22.]), rewards=array([4.]))
    """
    share = np.minimum(1.0, weight / np.maximum(rest.tries, 1e-12))
    return Counts(own.tries + share * rest.tries, own.rewards + share * rest.rewards)

"""Epsilon-greedy: mostly the best so far, now and then any."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import FloatArray
from .counts import Counts, added
from .draw import Draw, check_floor, draw, floored
from .kernels import shares_of_best, upper_bounds


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    """The arm of the highest mean with probability ``1 - epsilon``, else any arm; what was never seen comes first.

    Sutton and Barto, "Reinforcement Learning", 2nd edition, section 2.2. Arms that are alike share evenly.

    :param epsilon: from 0 to 1
    :param floor: least probability of each arm

    >>> policy = EpsilonGreedy(epsilon=0.2)
    >>> counts = policy.update(policy.update(Counts.none(2), 0, 1.0), 1, 0.0)
    >>> policy.probabilities(counts).tolist()
    [0.9, 0.1]
    >>> policy.choose(counts, seed=1)
    Draw(arm=0, propensity=0.9)
    """

    epsilon: float = 0.1
    floor: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.epsilon <= 1.0:
            raise ValueError(f"epsilon must be from 0 to 1, not {self.epsilon}")
        check_floor(self.floor)

    def probabilities(self, counts: Counts) -> FloatArray:
        """Of each arm, shape ``(arms,)``."""
        scores = upper_bounds(counts.tries, counts.rewards, 0.0)
        return floored(shares_of_best(scores), self.epsilon / len(scores) + self.floor * (1.0 - self.epsilon))

    def choose(self, counts: Counts, seed: int) -> Draw:
        """An arm, and how probable it was."""
        return draw(self.probabilities(counts), seed)

    def update(self, counts: Counts, arm: int, reward: float, discount: float = 1.0) -> Counts:
        """The counts after *arm* was seen and earned *reward*, 0 to 1."""
        return added(counts, arm, reward, discount)

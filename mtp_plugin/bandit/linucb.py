"""LinUCB: the arm that could be best here, in this context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..records import FloatArray
from .draw import Draw, check_floor, draw, floored
from .kernels import linear_bounds, shares_of_best, sherman_morrison


class Linear(NamedTuple):
    """What is known of the arms: sums that add up, and the inverses that choosing takes.

    ``gram`` are sums of ``x x'``, shape ``(arms, d, d)``; ``moments`` sums of ``reward * x``, shape ``(arms, d)``;
    ``inverse`` is that of ``gram + ridge * I`` for each arm.
    """

    gram: FloatArray
    moments: FloatArray
    inverse: FloatArray

    @classmethod
    def of(cls, gram: FloatArray, moments: FloatArray, ridge: float = 1.0) -> Linear:
        """With the inverses of these sums."""
        return cls(gram, moments, np.linalg.inv(gram + ridge * np.eye(moments.shape[1])))

    @classmethod
    def none(cls, arms: int, size: int, ridge: float = 1.0) -> Linear:
        """Nothing known yet of so many arms, by *size* features."""
        return cls.of(np.zeros((arms, size, size)), np.zeros((arms, size)), ridge)


@dataclass(frozen=True, slots=True)
class LinUCB:
    """A ridge regression of the reward on the context for each arm, and the arm of the highest upper bound.

    Li, Chu, Langford and Schapire, "A contextual-bandit approach to personalized news article recommendation", 2010,
    algorithm 1 (disjoint models). Like :class:`~mtp_plugin.bandit.ucb1.UCB1` it has no chance of its own but *floor*.

    :param alpha: width of the bounds, 0 or more; 0 explores nothing
    :param ridge: above 0
    :param floor: least probability of each arm

    >>> policy = LinUCB(alpha=0.5)
    >>> known = Linear.none(2, 2)
    >>> for _ in range(50):
    ...     known = policy.update(known, 0, np.array([1.0, 0.0]), 1.0)
    ...     known = policy.update(known, 1, np.array([0.0, 1.0]), 1.0)
    >>> policy.choose(known, np.array([1.0, 0.0]), seed=1)
    Draw(arm=0, propensity=1.0)
    """

    alpha: float = 1.0
    ridge: float = 1.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        if not self.alpha >= 0.0:
            raise ValueError(f"alpha must be 0 or more, not {self.alpha}")
        if not self.ridge > 0.0:
            raise ValueError(f"ridge must be above 0, not {self.ridge}")
        check_floor(self.floor)

    def probabilities(self, known: Linear, features: FloatArray) -> FloatArray:
        """Of each arm in this context, shape ``(arms,)``."""
        bounds = linear_bounds(known.inverse, known.moments, features, self.alpha)
        return floored(shares_of_best(bounds), self.floor)

    def choose(self, known: Linear, features: FloatArray, seed: int) -> Draw:
        """An arm, and how probable it was."""
        return draw(self.probabilities(known, features), seed)

    def update(self, known: Linear, arm: int, features: FloatArray, reward: float, discount: float = 1.0) -> Linear:
        """What is known after *arm* was seen in this context and earned *reward*, 0 to 1."""
        gram, moments = known.gram * discount, known.moments * discount
        gram[arm] += np.outer(features, features)
        moments[arm] += reward * features
        if discount != 1.0:
            return Linear.of(gram, moments, self.ridge)
        inverse = known.inverse.copy()
        sherman_morrison(inverse[arm], features)
        return Linear(gram, moments, inverse)

"""UCB1: the arm that could be best, given what is not known of it yet."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import FloatArray
from .counts import Counts, added
from .draw import Draw, check_floor, draw, floored
from .kernels import shares_of_best, upper_bounds


@dataclass(frozen=True, slots=True)
class UCB1:
    """The arm whose mean plus ``alpha * sqrt(2 ln(all tries) / its tries)`` is highest; the unseen first.

    Auer, Cesa-Bianchi and Fischer, "Finite-time analysis of the multiarmed bandit problem", 2002, figure 1, where alpha
    is 1; with discounted counts it is D-UCB (Garivier and Moulines, 2011). It has no chance of its own but *floor*: a
    whole batch of requests goes to one arm, so where feedback comes late Thompson sampling learns more.

    :param alpha: above 0; smaller explores less
    :param floor: least probability of each arm

    >>> import numpy as np
    >>> policy = UCB1()
    >>> counts = Counts(np.array([100.0, 10.0]), np.array([50.0, 4.0]))
    >>> policy.choose(counts, seed=1)
    Draw(arm=1, propensity=1.0)
    """

    alpha: float = 1.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        if not self.alpha > 0.0:
            raise ValueError(f"alpha must be above 0, not {self.alpha}")
        check_floor(self.floor)

    def probabilities(self, counts: Counts) -> FloatArray:
        """Of each arm, shape ``(arms,)``."""
        bounds = upper_bounds(counts.tries, counts.rewards, self.alpha)
        return floored(shares_of_best(bounds), self.floor)

    def choose(self, counts: Counts, seed: int) -> Draw:
        """An arm, and how probable it was."""
        return draw(self.probabilities(counts), seed)

    def update(self, counts: Counts, arm: int, reward: float, discount: float = 1.0) -> Counts:
        """The counts after *arm* was seen and earned *reward*, 0 to 1."""
        return added(counts, arm, reward, discount)

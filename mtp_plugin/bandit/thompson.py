"""Thompson sampling: each arm as often as it is probably the best."""

from __future__ import annotations

from dataclasses import dataclass

from ..records import FloatArray
from .counts import Counts, added
from .draw import Draw, check_floor, draw, floored
from .kernels import best_of_beta


@dataclass(frozen=True, slots=True)
class Thompson:
    """Beta posteriors of the arms' means, each arm drawn with the probability that its mean is the highest.

    Thompson, "On the likelihood that one unknown probability exceeds another", 1933; Chapelle and Li, "An empirical
    evaluation of Thompson sampling", 2011, for late feedback. Rewards between 0 and 1 count in part, as by Agrawal and
    Goyal, "Analysis of Thompson sampling for the multi-armed bandit problem", 2012, without their coin.

    Instead of drawing a mean of each arm, which leaves the probability of the choice unknown, the probabilities are
    computed (:func:`~mtp_plugin.bandit.kernels.best_of_beta`, within about 0.02) and the arm is drawn by them. So the
    propensity is exact for what was done, whatever the integral is off by.

    :param prior: good and bad impressions that each arm begins with, each at least 1
    :param floor: least probability of each arm

    >>> import numpy as np
    >>> policy = Thompson()
    >>> counts = Counts(np.array([100.0, 100.0]), np.array([20.0, 10.0]))
    >>> policy.probabilities(counts).round(2).tolist()
    [0.97, 0.03]
    >>> policy.choose(counts, seed=1).arm
    0
    """

    prior: tuple[float, float] = (1.0, 1.0)
    floor: float = 0.0

    def __post_init__(self) -> None:
        if min(self.prior) < 1.0:
            raise ValueError(f"both numbers of prior must be at least 1, not {self.prior}")
        check_floor(self.floor)

    def probabilities(self, counts: Counts) -> FloatArray:
        """Of each arm, shape ``(arms,)``."""
        good, bad = self.prior
        return floored(best_of_beta(counts.rewards + good, counts.tries - counts.rewards + bad), self.floor)

    def choose(self, counts: Counts, seed: int) -> Draw:
        """An arm, and how probable it was."""
        return draw(self.probabilities(counts), seed)

    def update(self, counts: Counts, arm: int, reward: float, discount: float = 1.0) -> Counts:
        """The counts after *arm* was seen and earned *reward*, 0 to 1."""
        return added(counts, arm, reward, discount)

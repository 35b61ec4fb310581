"""What is known of past decisions, and of what another policy would have done in their place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...records import IntArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Decisions as they were made, one row each: of a slate a row for each position, or one for the whole of it.

    All arrays are of shape (n,). The value of a policy is its reward for each *unit*: a slate, with as many rows as
    positions were decided. Rows of one *cluster* (a visitor) may depend on each other, those of two may not.

    :param reward: what came of it
    :param propensity: probability with which the policy that served took this action, above 0 and up to 1
    :param action: what was done, a number from 0
    :param n_actions: how many there are
    :param position: where in the slate, from 1; 0 for the whole of it
    :param group: which of several contexts; the reward model learns each apart
    :param unit: which slate, a number from 0; each row its own if not said
    :param cluster: whose, a number from 0; each unit its own if not said
    :raises InputError: arrays that do not fit together, or a propensity outside of (0, 1]
    """

    reward: Floats
    propensity: Floats
    action: IntArray
    n_actions: int
    position: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    group: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    unit: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    cluster: IntArray = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        n = len(self.reward)
        defaults = {"position": np.zeros(n, np.int64), "group": np.zeros(n, np.int64), "unit": np.arange(n)}
        for name, value in defaults.items():
            if not len(getattr(self, name)):
                object.__setattr__(self, name, value)
        if not len(self.cluster):
            object.__setattr__(self, "cluster", self.unit)
        self._check(n)

    def _check(self, n: int) -> None:
        for name in ("propensity", "action", "position", "group", "unit", "cluster"):
            if len(getattr(self, name)) != n:
                raise InputError(f"{name} has {len(getattr(self, name))} rows, reward {n}", field=name)
        if n and not (np.all(self.propensity > 0) and np.all(self.propensity <= 1)):
            raise InputError("propensities must be above 0 and at most 1", field="propensity")
        if n and not (self.action.min() >= 0 and self.action.max() < self.n_actions):
            raise InputError(f"actions must be from 0 to {self.n_actions - 1}", field="action")
        if not np.all(np.isfinite(self.reward)):
            raise InputError("rewards must be finite", field="reward")

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def cells(self) -> IntArray:
        """Group and action of each row as one number."""
        return np.asarray(self.group * self.n_actions + self.action)

    @property
    def n_groups(self) -> int:
        """How many contexts there are."""
        return int(self.group.max()) + 1 if len(self) else 0


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What the other policy would have done: the probability of each action at each row, as triples.

    :param rows: a row of the log, shape (m,)
    :param actions: an action it might have taken there, shape (m,)
    :param probabilities: how likely, shape (m,); together 1 for each row
    :raises InputError: arrays that do not fit together, or probabilities that are none
    """

    rows: IntArray
    actions: IntArray
    probabilities: Floats

    def __post_init__(self) -> None:
        if not len(self.rows) == len(self.actions) == len(self.probabilities):
            raise InputError("rows, actions and probabilities must be of one length", field="probabilities")
        if len(self.rows) and not (self.probabilities.min() >= 0 and self.probabilities.max() <= 1 + 1e-9):
            raise InputError("probabilities must be from 0 to 1", field="probabilities")

    @classmethod
    def dense(cls, probabilities: Floats) -> Target:
        """Of a table of shape (n, actions)."""
        rows, actions = np.nonzero(probabilities)
        return cls(rows, actions, np.asarray(probabilities[rows, actions], dtype=float))

    @classmethod
    def uniform(cls, log: Log) -> Target:
        """Each action as likely as any other."""
        return cls.dense(np.full((len(log), log.n_actions), 1.0 / log.n_actions))

    @classmethod
    def always(cls, log: Log, action: int) -> Target:
        """The same action at every row."""
        n = len(log)
        return cls(np.arange(n), np.full(n, action), np.ones(n))

    def of_logged(self, log: Log) -> Floats:
        """The probability of what was really done, shape (n,).

        :raises InputError: the probabilities of a row do not add up to 1
        """
        n = len(log)
        sums = np.bincount(self.rows, self.probabilities, n)
        if n and not np.allclose(sums, 1, atol=1e-4):
            raise InputError("the probabilities of each row must add up to 1", field="probabilities")
        same = self.actions == log.action[self.rows]
        return np.asarray(np.bincount(self.rows[same], self.probabilities[same], n), dtype=float)

    def cells(self, log: Log) -> IntArray:
        """Group and action of each triple as one number."""
        return np.asarray(log.group[self.rows] * log.n_actions + self.actions)

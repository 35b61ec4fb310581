"""What one policy has learnt so far, as arrays that requests choose by; made off their path, never changed after."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..memory import Remembered
from ..ports import BanditSum
from ..records import FloatArray
from .counts import Counts, shrunk
from .features import FEATURES
from .linucb import Linear
from .rows import Row

TRIES, REWARDS, LINEAR = 0, 1, 2
"""Cells of a sum: impressions, rewards, and from the third on LinUCB's moments and the upper half of its gram."""
SIZE = len(FEATURES)
UPPER = np.triu_indices(SIZE)
DAY = 86400.0


def day_of(at: float) -> int:
    """The day of a time, in days since 1970 in UTC."""
    return int(at // DAY)


def cells_of(reward: float, features: FloatArray | None = None) -> dict[int, float]:
    """What one impression adds, by cell; zeros are left out."""
    cells = {TRIES: 1.0, REWARDS: reward}
    if features is not None:
        sums = [*(reward * features), *np.outer(features, features)[UPPER]]
        cells.update({LINEAR + place: float(value) for place, value in enumerate(sums)})
    return {cell: value for cell, value in cells.items() if value}


class Known(NamedTuple):
    """Of the arms asked for: ``counts``, and for LinUCB ``linear``."""

    counts: Counts
    linear: Linear | None


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """Discounted sums of a policy at a version of the state.

    ``index`` gives an arm's place; the last place is that of an arm that was never seen. ``own`` are the counts of
    each segment, ``all`` those of everybody. ``asked`` remembers probabilities that requests asked for.
    """

    version: int
    index: Mapping[str, int]
    all: Counts
    own: Mapping[str, Counts]
    linear: Linear | None = None
    shared: float = 0.0
    asked: Remembered[Hashable, FloatArray] = field(default_factory=lambda: Remembered(2000))
    _mixed: dict[str, Counts] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """The mean reward of everybody and all arms, with one good and one bad impression to begin with."""
        return float((self.all.rewards.sum() + 1.0) / (self.all.tries.sum() + 2.0))

    def counts(self, segment_id: str) -> Counts:
        """Of all arms as a segment knows them, everybody's beside its own; everybody's where it has none."""
        mixed = self._mixed.get(segment_id)
        if mixed is None:
            own = self.own.get(segment_id)
            if own is None or not segment_id:
                return self.all
            rest = Counts(self.all.tries - own.tries, self.all.rewards - own.rewards)
            mixed = self._mixed[segment_id] = shrunk(own, rest, self.shared)
        return mixed

    def of(self, arms: Sequence[str], segment_id: str) -> Known:
        """What is known of these arms, in this order."""
        counts, last = self.counts(segment_id), len(self.index)
        take = [self.index.get(arm, last) for arm in arms]
        known = Counts(counts.tries[take], counts.rewards[take])
        linear = None if self.linear is None else Linear(*(part[take] for part in self.linear))
        return Known(known, linear)


def learn(row: Row, sums: Iterable[BanditSum], *, version: int, today: int) -> Learnt:
    """Add up the days of a policy, each by what it counts today.

    A day's sums are worth ``discount ** (today - day)``: the same as if each impression had been discounted by the
    day it was made, in whatever order they came in.

    :param today: see :func:`day_of`
    """
    kept = [one for one in sums if not row.days or one.day > today - row.days]
    index = {arm: place for place, arm in enumerate(dict.fromkeys([*row.named, *(one.arm for one in kept)]))}
    width = LINEAR + (SIZE + len(UPPER[0]) if row.policy == "linucb" else 0)
    by_segment: dict[str, FloatArray] = {}
    for one in kept:
        if one.cell < width:
            segment_id = one.segment_id if row.segments else ""
            found = by_segment.setdefault(segment_id, np.zeros((len(index) + 1, width)))
            found[index[one.arm], one.cell] += one.value * row.discount ** max(0, today - one.day)
    total = sum(by_segment.values(), np.zeros((len(index) + 1, width)))
    return Learnt(
        version=version,
        index=index,
        all=_counts(total),
        own={segment_id: _counts(found) for segment_id, found in by_segment.items()},
        linear=_linear(total) if row.policy == "linucb" else None,
        shared=row.shared,
    )


def _counts(cells: FloatArray) -> Counts:
    return Counts(cells[:, TRIES].copy(), cells[:, REWARDS].copy())


def _linear(cells: FloatArray) -> Linear:
    gram = np.zeros((len(cells), SIZE, SIZE))
    gram[:, UPPER[0], UPPER[1]] = cells[:, LINEAR + SIZE :]
    gram[:, UPPER[1], UPPER[0]] = cells[:, LINEAR + SIZE :]
    return Linear.of(gram, cells[:, LINEAR : LINEAR + SIZE].copy())


def interval(tries: float, rewards: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a mean reward, (0, 1) where nothing was seen; wider than need be where rewards are parts.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    >>> [round(end, 3) for end in interval(100.0, 10.0)]
    [0.055, 0.174]
    """
    if tries <= 0.0:
        return 0.0, 1.0
    mean = min(1.0, max(0.0, rewards / tries))
    centre, shrink = mean + z * z / (2 * tries), 1 + z * z / tries
    half = z * math.sqrt(mean * (1 - mean) / tries + z * z / (4 * tries * tries))
    return max(0.0, (centre - half) / shrink), min(1.0, (centre + half) / shrink)

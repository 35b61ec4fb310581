"""How much more one part of the simulated shoppers did than another, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from .shoppers import Told

DRAWS = 4000
MEASURES = {
    "clicks_per_slate": ("clicked", "seen"),
    "orders_per_shopper": ("orders", ""),
    "revenue_per_shopper": ("revenue", ""),
}
"""Each as a sum over a sum, of what shoppers did; without a name below, over the number of shoppers."""


@dataclass(frozen=True, slots=True)
class Lift:
    """``lift`` is relative: .1 is a tenth more than the control. The interval is one of 95 %."""

    measure: str
    value: float
    control: float
    lift: float
    low: float
    high: float

    @property
    def found(self) -> bool:
        """Whether the interval is above nothing at all."""
        return self.low > 0.0


def figures(told: Sequence[Told]) -> dict[str, float]:
    """What so many shoppers did, summed up."""
    sums = {name: float(sum(getattr(one, name) for one in told)) for name in asdict(Told())}
    ratios = {
        name: _over(sums[above], sums[below] if below else len(told)) for name, (above, below) in MEASURES.items()
    }
    return {"shoppers": len(told), **sums, **{name: round(value, 5) for name, value in ratios.items()}}


def lifts(told: Sequence[Told], control: Sequence[Told], seed: int) -> list[Lift]:
    """The lift of each measure over a control.

    Intervals are percentiles of a bootstrap over shoppers, since what one shopper does hangs together (Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993).
    """
    dice = np.random.default_rng(seed)
    return [_lift(name, above, below, told, control, dice) for name, (above, below) in MEASURES.items()]


def _lift(
    name: str, above: str, below: str, told: Sequence[Told], control: Sequence[Told], dice: np.random.Generator
) -> Lift:
    mine, other = (_columns(above, below, one) for one in (told, control))
    value, base = (_over(*columns.sum(axis=0)) for columns in (mine, other))
    drawn = _drawn(mine, dice) / np.maximum(_drawn(other, dice), 1e-12) - 1.0
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Lift(name, value, base, _over(value, base) - 1.0, float(low), float(high))


def _columns(above: str, below: str, told: Sequence[Told]) -> NDArray[np.float64]:
    return np.array([(getattr(one, above), getattr(one, below) if below else 1) for one in told], dtype=np.float64)


def _drawn(columns: NDArray[np.float64], dice: np.random.Generator) -> NDArray[np.float64]:
    """The ratio of sums in each of the bootstrap's samples."""
    count = len(columns)
    sums = np.array([columns[dice.integers(count, size=count)].sum(axis=0) for _ in range(DRAWS)])
    ratios: NDArray[np.float64] = sums[:, 0] / np.maximum(sums[:, 1], 1e-12)
    return ratios


def _over(above: float, below: float) -> float:
    return above / below if below else 0.0

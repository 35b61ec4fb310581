"""A metric in two variations: its values, their difference and how exactly it is known.

Ratios go by the delta method with the visitor as unit (Deng, Knoblich and Lu, Applying the Delta Method in Metric
Analytics, 2018); CUPED takes out what was known before the exposure (Deng, Xu, Kohavi and Walker, 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .readings import ALPHA, Interval, Known, ratio_fixed, ratio_sequence
from .units import Floats, Sums

CAPPED = 0.999
"""Share of units whose value is kept as it is; what lies above is set down to the value there."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A metric in one variation: its value, the variance of a unit's part in it, and the number of units.

    ``plain`` is the value as it was before CUPED, which shares are told of.
    """

    value: float
    variance: float
    units: int
    plain: float

    @property
    def error(self) -> float:
        """Standard error of the value."""
        return float(np.sqrt(self.variance / self.units)) if self.units else float("inf")


@dataclass(frozen=True, slots=True)
class Effect:
    """A treatment beside the control. ``difference`` is absolute, ``lift`` relative to the control's value; ``error``
    and ``lift_error`` are their standard errors. Of a control that is not positive no lift can be told.
    """

    control: Arm
    treatment: Arm

    @property
    def units(self) -> int:
        return self.control.units + self.treatment.units

    @property
    def difference(self) -> float:
        return self.treatment.value - self.control.value

    @property
    def error(self) -> float:
        return float(np.hypot(self.control.error, self.treatment.error))

    @property
    def lift(self) -> float:
        return self.difference / self.control.plain if self.control.plain > 0 else float("nan")

    def once(self, alpha: float = ALPHA) -> Interval:
        """Where the relative effect lies, at a single look."""
        return ratio_fixed(*self._ends, alpha)

    def always(self, rho2: float, alpha: float = ALPHA) -> Interval:
        """Where the relative effect lies, at any look."""
        return ratio_sequence(*self._ends, self.units, rho2, alpha)

    @property
    def _ends(self) -> tuple[Known, Known]:
        base = self.control.plain
        return (base + self.difference, self.treatment.error), (base, self.control.error)

    @property
    def lift_error(self) -> float:
        base = self.control.plain
        if base <= 0:
            return float("inf")
        ratio = self.treatment.plain / self.control.plain
        return float(np.hypot(self.treatment.error, ratio * self.control.error)) / base


def arms(sums: Sums, variation: NDArray[np.int64], count: int, *, cap: float = CAPPED) -> list[Arm]:
    """The metric in each of *count* variations.

    :param variation: of each unit, shape ``(units,)``
    :param cap: outliers of ``above`` are set down to this quantile over all units, 1 leaves them
    """
    above = capped(sums.above, cap)
    parts = [variation == number for number in range(count)]
    values = [_ratio(above[part], sums.below[part]) for part in parts]
    shares: Floats = np.zeros(len(above))
    for part, value in zip(parts, values, strict=True):
        mean = sums.below[part].mean() if part.any() else 0.0
        if mean > 0:
            shares[part] = value + (above[part] - value * sums.below[part]) / mean
    plain = values
    if sums.before is not None:
        shares = adjusted(shares, sums.before, parts)
        values = [float(shares[part].mean()) if part.any() else 0.0 for part in parts]
    return [
        Arm(value, float(shares[part].var(ddof=1)) if part.sum() > 1 else float("inf"), int(part.sum()), raw)
        for part, value, raw in zip(parts, values, plain, strict=True)
    ]


def adjusted(values: Floats, before: Floats, parts: list[NDArray[np.bool_]]) -> Floats:
    """Values less what *before* told of them (CUPED): the mean stays, the variance falls by its squared correlation.

    One slope for all variations, from the deviations within each.
    """
    inner_before, inner_values = before.astype(np.float64).copy(), values.copy()
    for part in parts:
        if part.any():
            inner_before[part] -= before[part].mean()
            inner_values[part] -= values[part].mean()
    spread = float(inner_before @ inner_before)
    if spread <= 0:
        return values
    slope = float(inner_before @ inner_values) / spread
    found: Floats = values - slope * (before - before.mean())
    return found


def capped(values: Floats, share: float) -> Floats:
    """Values with what lies above this quantile of those that are not 0 set down to it."""
    if share >= 1.0 or not (values > 0).any():
        return values
    found: Floats = np.minimum(values, np.quantile(values[values > 0], share))
    return found


def _ratio(above: Floats, below: Floats) -> float:
    total = float(below.sum())
    return float(above.sum()) / total if total else 0.0

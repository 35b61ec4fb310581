"""Several things tested at once: every combination of levels is a variation, and each effect uses all visitors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .crossing import Factors, cells
from .effects import Arm
from .readings import ALPHA, Interval, ratio_sequence


@dataclass(frozen=True, slots=True)
class Contrast:
    """A comparison of cells: ``plus`` against ``minus``, each a weighted mean of cells, shape ``(cells,)``.

    ``factors`` and ``levels`` name one factor for a main effect (averaged over all else), two for an interaction: how
    much more the one does where the other is on.
    """

    factors: tuple[str, ...]
    levels: tuple[Any, ...]
    plus: NDArray[np.float64]
    minus: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FactorEffect:
    """The effect of a contrast relative to the mean of its ``minus``, with an interval that holds at any look."""

    factors: tuple[str, ...]
    levels: tuple[Any, ...]
    lift: float
    always: Interval


def contrasts(factors: Factors) -> Iterator[Contrast]:
    """Main effects of each level beside its factor's first, and interactions of pairs of them."""
    combined = cells(factors)

    def at(**wanted: Any) -> NDArray[np.float64]:
        found = np.array([all(cell[name] == level for name, level in wanted.items()) for cell in combined], dtype=float)
        share: NDArray[np.float64] = found / found.sum()
        return share

    ups = [(name, level) for name, levels in factors.items() for level in levels[1:]]
    for name, level in ups:
        yield Contrast((name,), (level,), at(**{name: level}), at(**{name: factors[name][0]}))
    for (name, level), (other, second) in itertools.combinations(ups, 2):
        if name == other:
            continue
        low, zero = factors[name][0], factors[other][0]
        with_it = at(**{name: level, other: second}) + at(**{name: low, other: zero})
        without = at(**{name: level, other: zero}) + at(**{name: low, other: second})
        yield Contrast((name, other), (level, second), with_it, without)


def factor_effects(arms: Sequence[Arm], factors: Factors, rho2: float, alpha: float = ALPHA) -> list[FactorEffect]:
    """Every contrast of a metric.

    :param arms: of the metric, by cell in the order of :func:`cells`
    :param rho2: of :func:`mtp_plugin.experiment.readings.mixing`
    """
    values = np.array([arm.value for arm in arms])
    variances = np.array([arm.variance / arm.units if arm.units else math.inf for arm in arms])
    return [_effect(one, values, variances, sum(arm.units for arm in arms), rho2, alpha) for one in contrasts(factors)]


def _effect(
    one: Contrast,
    values: NDArray[np.float64],
    variances: NDArray[np.float64],
    units: int,
    rho2: float,
    alpha: float,
) -> FactorEffect:
    upper, lower = float(one.plus @ values), float(one.minus @ values)
    # Cells of the one are none of the other, so what is known of both is known apart.
    errors = [math.sqrt(float(side**2 @ variances)) for side in (one.plus, one.minus)]
    if lower <= 0 or not np.isfinite(errors).all():
        return FactorEffect(one.factors, one.levels, math.nan, Interval(-math.inf, math.inf, 1.0))
    share = float(one.minus.sum())
    found = ratio_sequence((upper, errors[0]), (lower, errors[1]), units, rho2, alpha)
    always = Interval(found.low * share, found.high * share, found.p)
    return FactorEffect(one.factors, one.levels, (upper / lower - 1.0) * share, always)

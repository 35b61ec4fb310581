"""Before an experiment: how many visitors it takes, for how long, or how small an effect could be found."""

from __future__ import annotations

import math

from scipy import optimize, stats

from .readings import ALPHA, mixing, sequence

POWER = 0.8


def units_needed(
    mean: float,
    variance: float,
    lift: float,
    *,
    then: float | None = None,
    alpha: float = ALPHA,
    power: float = POWER,
    always: bool = False,
) -> int:
    """Units in each of two variations to find a relative effect with this power.

    :param variance: of a unit's part in the metric, and *then* with the effect, the same when it is not said
    :param always: looked at whenever one likes (a confidence sequence, tuned to this very number), not once
    """
    if mean <= 0 or variance <= 0 or lift == 0:
        raise ValueError("mean and variance must be positive, and the effect not nothing")
    both = variance + (variance if then is None else then)
    need = both * (float(stats.norm.isf(alpha / 2)) + float(stats.norm.isf(1 - power))) ** 2 / (lift * mean) ** 2
    if not always:
        return math.ceil(need)

    def lacking(log_units: float) -> float:
        return power_of(mean, variance, lift, math.exp(log_units), then=then, alpha=alpha, always=True) - power

    return math.ceil(math.exp(optimize.brentq(lacking, math.log(need) - 1.0, math.log(need) + 5.0)))


def power_of(
    mean: float,
    variance: float,
    lift: float,
    units: float,
    *,
    then: float | None = None,
    alpha: float = ALPHA,
    always: bool = False,
) -> float:
    """The chance to find a relative effect with so many units in each variation, looked at when they are all there."""
    error = math.sqrt((variance + (variance if then is None else then)) / units)
    z = abs(lift) * mean / error
    if not always:
        return float(stats.norm.sf(float(stats.norm.isf(alpha / 2)) - z))
    total = round(2 * units)
    reach = sequence(0.0, 1.0, total, mixing(total, alpha), alpha).high
    return float(stats.norm.sf(reach - z))


def detectable(
    mean: float, variance: float, units: float, *, alpha: float = ALPHA, power: float = POWER, always: bool = False
) -> float:
    """The smallest relative effect that so many units in each variation find with this power."""
    reach = float(stats.norm.isf(alpha / 2))
    if always:
        total = round(2 * units)
        reach = sequence(0.0, 1.0, total, mixing(total, alpha), alpha).high
    return (reach + float(stats.norm.isf(1 - power))) * math.sqrt(2.0 * variance / units) / mean

"""Three ways to read an effect: once at a planned size, at any time, and as a belief."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

ALPHA = 0.05
PRIOR_SD = 0.3
"""How large relative effects are thought to be before anything is known: two thirds are below 30 %."""

Known = tuple[float, float]
"""A value and its standard error."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where an effect lies; ``p`` is the smallest error at which it would exclude nothing at all."""

    low: float
    high: float
    p: float

    @property
    def above(self) -> bool:
        return self.low > 0.0

    @property
    def below(self) -> bool:
        return self.high < 0.0


def fixed(effect: float, error: float, alpha: float = ALPHA) -> Interval:
    """The interval of a single look: right only when the number of units was settled before."""
    if not math.isfinite(error) or error <= 0 or not math.isfinite(effect):
        return Interval(-math.inf, math.inf, 1.0)
    reach = float(stats.norm.isf(alpha / 2)) * error
    return Interval(effect - reach, effect + reach, float(2 * stats.norm.sf(abs(effect) / error)))


def mixing(units: float, alpha: float = ALPHA) -> float:
    """The mixture's variance that makes a confidence sequence tightest at so many units.

    Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence
    sequences, 2021, section on tuning.
    """
    said = -2.0 * math.log(alpha)
    return (said + math.log(said + 1.0)) / max(units, 1.0)


def sequence(effect: float, error: float, units: int, rho2: float, alpha: float = ALPHA) -> Interval:
    """The interval of a confidence sequence: right at every look, however often one looks.

    Normal mixture (Robbins 1970; asymptotic by Waudby-Smith et al. 2021). ``p`` is always valid in the same sense
    (Johari, Pekelis and Walsh 2015).

    :param units: in both variations together, by now
    :param rho2: of :func:`mixing`, settled before the experiment
    """
    if not math.isfinite(error) or error <= 0 or units < 2 or not math.isfinite(effect):
        return Interval(-math.inf, math.inf, 1.0)
    grown = units * rho2
    reach = error * math.sqrt(2.0 * (grown + 1.0) / grown * math.log(math.sqrt(grown + 1.0) / alpha))
    evidence = (effect / error) ** 2 * grown / (2.0 * (1.0 + grown)) - 0.5 * math.log1p(grown)
    return Interval(effect - reach, effect + reach, min(1.0, math.exp(-min(evidence, 700.0))))


def ratio_fixed(treatment: Known, control: Known, alpha: float = ALPHA) -> Interval:
    """The interval of a relative effect at a single look, as :func:`ratio_sequence` makes it of a sequence.

    Of two variations of one size the difference of skewed values is nearly symmetric, their ratio is not.
    """
    whole = fixed(*_difference(treatment, control), alpha)
    return _ratios(treatment, control, whole, float(stats.norm.isf(alpha / 2)))


def ratio_sequence(treatment: Known, control: Known, units: int, rho2: float, alpha: float = ALPHA) -> Interval:
    """The confidence sequence of a relative effect: all ratios that the two values do not speak against, less 1.

    By Fieller (1954): a ratio stays as long as treatment - ratio * control is not further from 0 than a sequence of it
    reaches. So it excludes no effect exactly when the difference does. A normal interval around the ratio itself would
    not hold: where few have bought its error is small whenever the treatment happens to be low.

    :param treatment: value and standard error, and *control* the same
    """
    whole = sequence(*_difference(treatment, control), units, rho2, alpha)
    return _ratios(treatment, control, whole, sequence(0.0, 1.0, units, rho2, alpha).high)


def _difference(treatment: Known, control: Known) -> Known:
    return treatment[0] - control[0], math.hypot(treatment[1], control[1])


def _ratios(treatment: Known, control: Known, difference: Interval, reach: float) -> Interval:
    """The ratios less 1 at which the difference is no more than *reach* standard errors from 0."""
    (upper, upper_error), (lower, lower_error) = treatment, control
    square = lower**2 - (reach * lower_error) ** 2
    if lower <= 0 or not math.isfinite(difference.high) or square <= 0:
        return Interval(-math.inf, math.inf, difference.p)
    inside = (lower * upper_error) ** 2 + lower_error**2 * (upper**2 - (reach * upper_error) ** 2)
    middle, root = upper * lower, reach * math.sqrt(max(0.0, inside))
    return Interval((middle - root) / square - 1.0, (middle + root) / square - 1.0, difference.p)


@dataclass(frozen=True, slots=True)
class Belief:
    """A normal posterior of the relative effect: the chance that the treatment is better, and what choosing it loses on
    average if it is not (as a share of the control's value); ``low`` and ``high`` hold 95 %.
    """

    chance: float
    risk: float
    low: float
    high: float


def belief(lift: float, error: float, prior_sd: float = PRIOR_SD) -> Belief:
    """What to believe of a relative effect, with a normal prior around none."""
    if not math.isfinite(error) or error <= 0 or not math.isfinite(lift):
        reach = float(stats.norm.isf(0.025)) * prior_sd
        return Belief(0.5, prior_sd / math.sqrt(2.0 * math.pi), -reach, reach)
    precision = 1.0 / error**2 + 1.0 / prior_sd**2
    mean, spread = lift / error**2 / precision, math.sqrt(1.0 / precision)
    z = mean / spread
    risk = spread * float(stats.norm.pdf(z)) - mean * float(stats.norm.sf(z))
    reach = float(stats.norm.isf(0.025)) * spread
    return Belief(float(stats.norm.cdf(z)), max(0.0, risk), mean - reach, mean + reach)

"""All estimates of one target on one log, against what the policy that served earned, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from .estimators import cross_fitted, direct, doubly_robust, ips, snips, weights_of
from .intervals import mean_interval, totals
from .log import Floats, Log, Target
from .support import Support, support_of
from .verdict import Verdict, judge

DECIDES = "doubly-robust"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Value of a policy for each unit with its interval, and its difference to the one that served with its own."""

    value: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float


@dataclass(frozen=True, slots=True)
class Report:
    """``logged`` is the policy that served; ``estimates`` by ``ips``, ``snips``, ``direct``, ``doubly-robust``;
    ``positions`` those of the doubly robust one by position of the slate; the verdict is on that one's difference."""

    level: float
    units: int
    logged: Estimate
    estimates: dict[str, Estimate]
    positions: dict[int, Estimate]
    support: Support
    verdict: Verdict


def compare(log: Log, target: Target, *, level: float = 0.95, matters: float = 0.1) -> Report:
    """What *target* would have earned in place of the policy that served.

    :param level: of the intervals
    :param matters: the smallest difference that matters, as part of what was earned
    :raises InputError: the log is empty, or the target's probabilities do not add up
    """
    if not len(log):
        raise InputError("there is nothing in the log to estimate from", field="log")
    weights = weights_of(log, target)
    expected, logged = cross_fitted(log, target)
    rows = {
        "ips": ips(log, weights),
        "snips": snips(log, weights),
        "direct": direct(log, target),
        DECIDES: doubly_robust(log, weights, expected, logged),
    }
    estimates = {name: _estimate(log, values, level) for name, values in rows.items()}
    support, decides = support_of(log, target, weights), estimates[DECIDES]
    served = _estimate(log, log.reward, level)
    return Report(
        level=level,
        units=len(np.unique(log.unit)),
        logged=served,
        estimates=estimates,
        positions=_by_position(log, rows[DECIDES], level),
        support=support,
        verdict=judge(support, served.value, decides.difference_low, decides.difference_high, matters),
    )


def _estimate(log: Log, values: Floats, level: float) -> Estimate:
    whole, more = (totals(one, log.unit, log.cluster) for one in (values, values - log.reward))
    return Estimate(float(whole.mean()), *mean_interval(whole, level), float(more.mean()), *mean_interval(more, level))


def _by_position(log: Log, values: Floats, level: float) -> dict[int, Estimate]:
    """Each position's part of the estimate."""
    positions = [int(one) for one in np.unique(log.position) if one]
    out = {}
    for position in positions:
        here = log.position == position
        alone = Log(
            reward=np.where(here, log.reward, 0.0),
            propensity=log.propensity,
            action=log.action,
            n_actions=log.n_actions,
            unit=log.unit,
            cluster=log.cluster,
        )
        out[position] = _estimate(alone, np.where(here, values, 0.0), level)
    return out

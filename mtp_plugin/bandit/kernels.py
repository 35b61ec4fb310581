"""How probable it is that an arm is the best, by its posterior; compiled where numba can be had."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled

Array = NDArray[Any]

NODES = 40
"""Points at which the posteriors are looked at."""
BELOW, ABOVE = 4.5, 6.0
"""Standard deviations below and above the mean within which a posterior is looked at."""
_T = (1.0 - np.cos(np.pi * np.arange(NODES) / (NODES - 1.0))) / 2.0
_POWERS = 2.0 ** np.arange(-1000, 101)


@compiled
def fallen(probabilities: Array, left: float) -> int:
    """In whose share of [0, 1) the number *left* falls; what rounding leaves over falls to the last that has one."""
    last = 0
    for arm in range(len(probabilities)):
        if probabilities[arm] > 0.0:
            last = arm
            if left < probabilities[arm]:
                break
            left -= probabilities[arm]
    return last


@compiled
def shares_of_best(scores: Array) -> Array:
    """1 for the arm of the highest score, shared evenly by those that have it."""
    highest, many = -np.inf, 0
    for score in scores:
        if score > highest:
            highest, many = score, 0
        if score == highest:
            many += 1
    found = np.zeros(len(scores))
    for arm in range(len(scores)):
        if scores[arm] == highest:
            found[arm] = 1.0 / many
    return found


@compiled
def upper_bounds(tries: Array, rewards: Array, alpha: float) -> Array:
    """The mean plus ``alpha * sqrt(2 ln(all tries) / tries)`` of each arm, infinite for what was never seen."""
    log = math.log(max(tries.sum(), 1.0))
    found = np.empty(len(tries))
    for arm in range(len(tries)):
        if tries[arm] > 0.0:
            found[arm] = rewards[arm] / tries[arm] + alpha * math.sqrt(2.0 * log / tries[arm])
        else:
            found[arm] = np.inf
    return found


@compiled
def fast_exp(x: float) -> float:
    """``exp(x)`` for x below 60, within 1e-7 of it: a third of the time of the exact one."""
    if x < -600.0:
        return 0.0
    k = math.floor(x * 1.4426950408889634 + 0.5)
    r = x - k * 0.6931471805599453
    series = 1.0 + r * (1.0 + r * (0.5 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r / 720)))))
    return float(series * _POWERS[int(k) + 1000])


@compiled
def best_of_beta(a: Array, b: Array) -> Array:
    """The probability of each of independent ``Beta(a, b)``, all of them at least 1, to be the largest.

    ``P(i) = integral of f_i(x) * product of F_j(x) over j != i``, by the trapezoid rule between the highest of the
    lower ends and the highest of the upper ends, at points that lie closest at both: the best known arm is at the
    lower one, and below it the product is as good as 0.
    """
    arms = len(a)
    upper = np.empty(arms)
    low, high = 0.0, 0.0
    for arm in range(arms):
        total = a[arm] + b[arm]
        mean = a[arm] / total
        spread = math.sqrt(mean * (1.0 - mean) / (total + 1.0))
        upper[arm] = min(1.0, mean + ABOVE * spread)
        low, high = max(low, mean - BELOW * spread), max(high, upper[arm])
    low = min(low, high - 1e-12)
    xs, logs, others = np.empty(NODES), np.empty(NODES), np.empty(NODES)
    for node in range(NODES):
        xs[node] = min(max(low + (high - low) * _T[node], 1e-12), 1.0 - 1e-12)
        logs[node], others[node] = math.log(xs[node]), math.log1p(-xs[node])
    below = np.ones((arms, NODES))
    density = np.empty(NODES)
    for arm in range(arms):
        if upper[arm] <= low:
            continue  # it cannot be the best, and stands in nobody's way
        good, bad = a[arm] - 1.0, b[arm] - 1.0
        scale = math.lgamma(a[arm] + b[arm]) - math.lgamma(a[arm]) - math.lgamma(b[arm])
        for node in range(NODES):
            density[node] = fast_exp(scale + good * logs[node] + bad * others[node])
        above = 0.0
        for node in range(NODES - 2, -1, -1):
            above += 0.5 * (density[node] + density[node + 1]) * (xs[node + 1] - xs[node])
            below[arm, node] = min(1.0, max(0.0, 1.0 - above))
    return _first(below)


@compiled
def _first(below: Array) -> Array:
    """How probably each is the largest, by the distribution functions at the nodes: shape ``(arms, nodes)``."""
    arms, nodes = below.shape
    after = np.ones((arms + 1, nodes))
    for arm in range(arms - 1, -1, -1):
        for node in range(nodes):
            after[arm, node] = after[arm + 1, node] * below[arm, node]
    before, rivals, found = np.ones(nodes), np.empty(nodes), np.zeros(arms)
    for arm in range(arms):
        for node in range(nodes):
            rivals[node] = before[node] * after[arm + 1, node]
            before[node] *= below[arm, node]
        for node in range(1, nodes):
            found[arm] += (rivals[node - 1] + rivals[node]) * (below[arm, node] - below[arm, node - 1])
    total = found.sum()
    return found / total if total > 0.0 else np.full(arms, 1.0 / arms)


@compiled
def linear_bounds(inverse: Array, moments: Array, x: Array, alpha: float) -> Array:
    """``theta . x + alpha * sqrt(x . inverse . x)`` of each arm, with ``theta = inverse . moments``.

    :param inverse: shape ``(arms, d, d)``
    :param moments: shape ``(arms, d)``
    """
    arms, d = moments.shape
    found = np.empty(arms)
    for arm in range(arms):
        mean, spread = 0.0, 0.0
        for row in range(d):
            turned = 0.0
            for column in range(d):
                turned += inverse[arm, row, column] * x[column]
            mean += moments[arm, row] * turned
            spread += x[row] * turned
        found[arm] = mean + alpha * math.sqrt(max(spread, 0.0))
    return found


@compiled
def sherman_morrison(inverse: Array, x: Array) -> None:
    """Change the inverse of ``A`` in place into that of ``A + x x'``."""
    d = len(x)
    turned = np.empty(d)
    scale = 1.0
    for row in range(d):
        turned[row] = 0.0
        for column in range(d):
            turned[row] += inverse[row, column] * x[column]
        scale += x[row] * turned[row]
    for row in range(d):
        for column in range(d):
            inverse[row, column] -= turned[row] * turned[column] / scale

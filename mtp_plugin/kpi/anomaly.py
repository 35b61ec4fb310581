"""Drops and spikes of a series against its own season, gaps in it, and many series judged together.

A value is expected to be the series' recent level times the shape of its season (hour of the week, day of the week),
both medians of what went before, so that one odd day moves neither. What it is off by is told in standard deviations:
counts after Anscombe's square root and shares after the arcsine have the variance 1 that their numbers alone bring;
where a series is noisier than that, the median absolute deviation of its own past says by how much. Amounts are taken
by their cube root, which makes sums of skewed orders nearly normal (Wilson and Hilferty, PNAS 1931).

Sources: Anscombe, The transformation of Poisson, binomial and negative-binomial data (Biometrika 1948);
Benjamini and Hochberg, Controlling the false discovery rate (JRSS B 1995).
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Kind = Literal["count", "ratio", "amount"]

MAD = 1.4826
"""Standard deviations of a normal distribution in one median absolute deviation."""
FEW = 4
"""Residuals of the own past that have to be there before anything is judged."""


@dataclass(frozen=True, slots=True)
class Band:
    """A series beside what was expected of it.

    ``expected``, ``low`` and ``high`` are in the series' own unit, NaN where nothing could be expected; ``score`` is
    how many standard deviations a value is off, negative for a drop, NaN where it is not judged.
    """

    expected: Floats
    low: Floats
    high: Floats
    score: Floats
    sigma: Floats
    """The standard deviation of a residual in the transformed unit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where residuals of a kind are measured: there and back for a value of so many trials."""

    to: Callable[[float, float], float]
    back: Callable[[float, float], float]
    floor: float
    """The least standard deviation: what numbers alone bring."""


def _share(value: float, trials: float) -> float:
    inside = min(max((value * trials + 0.375) / (trials + 0.75), 0.0), 1.0)
    return 2 * math.sqrt(trials + 0.5) * math.asin(math.sqrt(inside))


def _share_back(at: float, trials: float) -> float:
    angle = min(max(at / (2 * math.sqrt(trials + 0.5)), 0.0), math.pi / 2)
    return min(max((math.sin(angle) ** 2 * (trials + 0.75) - 0.375) / max(trials, 1e-9), 0.0), 1.0)


SCALES: dict[Kind, Scale] = {
    "count": Scale(
        lambda value, trials: 2 * math.sqrt(max(value, 0.0) + 0.375),
        lambda at, trials: max(0.0, (max(at, 0.0) / 2) ** 2 - 0.375),
        1.0,
    ),
    "ratio": Scale(_share, _share_back, 1.0),
    "amount": Scale(lambda value, trials: max(value, 0.0) ** (1 / 3), lambda at, trials: max(at, 0.0) ** 3, 1e-6),
}


def band(
    values: Sequence[float] | Floats,
    slots: Sequence[int],
    *,
    kind: Kind = "count",
    trials: Sequence[float] | Floats | None = None,
    seasons: int = 8,
    near: int = 10,
    width: float = 3.5,
    min_trials: float = 30,
) -> Band:
    """Judge each value of a series by those before it.

    :param values: (n,) in order of time; NaN where the shop was closed
    :param slots: (n,) the place in the season, such as the day of the week
    :param kind: ``count``, ``ratio`` (a share of *trials*; more than all counts as all) or ``amount``
    :param trials: (n,) denominators of a ratio
    :param seasons: how many of the same slot make the shape
    :param near: how many values before it make the level
    :param width: of the band, in standard deviations
    :param min_trials: a ratio of fewer is not judged
    :raises ValueError: lengths differ, or a ratio without denominators
    """
    series = np.asarray(values, dtype=np.float64)
    of = np.ones(len(series)) if trials is None else np.asarray(trials, dtype=np.float64)
    if len(series) != len(slots) or len(of) != len(series) or (kind == "ratio" and trials is None):
        raise ValueError("values, slots and, for a ratio, trials need the same length")
    scale, out = SCALES[kind], np.full((5, len(series)), np.nan)
    shape: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=seasons))
    flat: deque[float] = deque(maxlen=near)
    off: deque[float] = deque(maxlen=near * seasons)
    for place, (value, number, slot) in enumerate(zip(series.tolist(), of.tolist(), slots, strict=True)):
        if math.isnan(value) or (kind == "ratio" and number < min_trials):
            continue
        if kind == "ratio":  # one block may be clicked twice, and is no better than one that all clicked
            value = min(max(value, 0.0), 1.0)
        here, known = _log(value, number, kind), shape[slot]
        season = median(known) if known else 0.0
        if len(flat) >= FEW:
            expected = _unlog(median(flat) + season, kind)
            residual = scale.to(value, number) - scale.to(expected, number)
            if len(off) >= FEW and known:
                sigma = max(scale.floor, MAD * median(map(abs, off)))
                ends = (scale.back(scale.to(expected, number) + sign * width * sigma, number) for sign in (-1, 1))
                out[:, place] = (expected, *ends, residual / sigma, sigma)
            off.append(residual)
            known.append(here - median(flat))
        flat.append(here - season)
    return Band(*out)


def _log(value: float, number: float, kind: Kind) -> float:
    if kind == "ratio":
        share = (value * number + 0.5) / (number + 1)
        return math.log(share / (1 - share))
    return math.log(max(value, 0.0) + 0.5)


def _unlog(at: float, kind: Kind) -> float:
    return 1 / (1 + math.exp(-at)) if kind == "ratio" else max(0.0, math.exp(at) - 0.5)


def silent_since(
    values: Sequence[float] | Floats, expected: Sequence[float] | Floats, doubt: float = 1e-6
) -> int | None:
    """Where a silence at the end of a series of counts began that is no chance, else ``None``.

    :param expected: (n,) what was expected, see :class:`Band`
    :param doubt: how probable such a silence may be at most if nothing is broken (Poisson)
    """
    series, wanted = np.asarray(values, dtype=np.float64), np.nan_to_num(np.asarray(expected, dtype=np.float64))
    heard = np.flatnonzero(np.nan_to_num(series) > 0)
    start = int(heard[-1]) + 1 if len(heard) else 0
    return start if start < len(series) and wanted[start:].sum() > -math.log(doubt) else None


def p_value(score: float) -> float:
    """How probable a residual at least as far off is, to either side, if nothing happened."""
    return math.erfc(abs(score) / math.sqrt(2))


def controlled(scores: Sequence[float], *, threshold: float = 3.5, rate: float = 0.05) -> list[int]:
    """Which of many series, judged at the same time, stand out: by their own threshold, and together.

    :param threshold: standard deviations that each has to be off
    :param rate: share of false ones among those named at most (Benjamini-Hochberg)
    """
    judged = sorted((p_value(score), place) for place, score in enumerate(scores) if not math.isnan(score))
    last = max((rank for rank, (p, _) in enumerate(judged, 1) if p <= rate * rank / len(judged)), default=0)
    return sorted(place for _, place in judged[:last] if abs(scores[place]) >= threshold)

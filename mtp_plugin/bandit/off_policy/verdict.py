"""The verdict in words: better, worse, no clear difference, or can't tell, with why."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .support import Support

UNSUPPORTED = 0.02
"""Share of the target's probability on what was never tried, above which nothing is said."""
FEWEST_ROWS = 100.0
FEWEST_REWARDS = 10.0
"""Effective rows, and rewards, below which intervals do not hold."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``word`` is ``better``, ``worse``, ``no-clear-difference`` or ``cant-tell``; ``why`` says it in a sentence.

    ``more_data`` is how many times the log's size would decide it, 0 where more of the same would not help or is not
    needed.
    """

    word: str
    why: str
    more_data: float = 0.0


def judge(support: Support, value: float, low: float, high: float, matters: float = 0.1) -> Verdict:
    """What to make of a difference between the target and the policy that served.

    :param value: what the policy that served earned for each unit
    :param low: lower end of the difference's interval
    :param high: upper end
    :param matters: the smallest difference that matters, as part of *value*
    """
    doubt = _doubt(support)
    if doubt:
        return doubt
    if low > 0:
        return Verdict("better", f"it would have earned more, by {_share(low, value)} to {_share(high, value)}")
    if high < 0:
        return Verdict("worse", f"it would have earned less, by {_share(-high, value)} to {_share(-low, value)}")
    widest = max(-low, high)
    if widest <= matters * abs(value):
        return Verdict("no-clear-difference", f"differences above {matters:.0%} are ruled out")
    more = ((high - low) / 2 / (matters * abs(value))) ** 2 if value else math.inf
    return Verdict(
        "cant-tell",
        f"the interval reaches from {_signed(low, value)} to {_signed(high, value)}; about {max(more, 1.1):,.1f} times "
        f"as much data would show a difference of {matters:.0%}",
        max(more, 1.1),
    )


def _doubt(support: Support) -> Verdict | None:
    """What forbids any other verdict."""
    if support.unsupported > UNSUPPORTED:
        return Verdict(
            "cant-tell",
            f"{support.unsupported:.0%} of what it would have done was never tried: explore there first, more of the "
            "same data does not help",
        )
    if not support.weight_low <= 1 <= support.weight_high:
        return Verdict(
            "cant-tell",
            f"the weights are {support.mean_weight:.2f} on average where they should be 1: parts of what it would have "
            "done were hardly tried, or the logged propensities are not those that served",
        )
    for found, fewest, what in (
        (support.ess, FEWEST_ROWS, "decisions"),
        (support.reward_ess, FEWEST_REWARDS, "rewards"),
    ):
        if found < fewest:
            more = fewest / found if found else math.inf
            return Verdict(
                "cant-tell",
                f"it rests on {found:,.3g} effective {what} where {fewest:,.0f} are needed: about {more:,.3g} times as "
                "much data would do",
                more,
            )
    return None


def _share(difference: float, value: float) -> str:
    return f"{difference / value:.1%}" if value else f"{difference:.4g}"


def _signed(difference: float, value: float) -> str:
    return f"{difference / value:+.0%}" if value else f"{difference:+.4g}"

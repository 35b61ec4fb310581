"""What a slate, or a product of it, earned: clicks, carts, purchases, revenue or margin."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, get_args

from ..records import Outcome

Metric = Literal["click", "cart", "purchase", "revenue", "margin"]
METRICS: tuple[Metric, ...] = get_args(Metric)


def contribution(outcome: Outcome, metric: Metric) -> float:
    """What one outcome adds to the reward of its slate; corrections and what was taken back subtract.

    Sums of these are the reward whenever they are read, so one who reads on from a number (bandits) only adds.
    Clicks, carts and purchases count once a product however many pieces; a refund takes revenue and margin, not the
    purchase.

    >>> from mtp_plugin.records import Outcome
    >>> sold = Outcome(outcome_id=b"1", kind="purchase", recommendation_id="r", profile_id="a:1", at=0.0,
    ...                quantity=2.0, value=30.0, margin=12.0)
    >>> [contribution(sold, metric) for metric in METRICS]
    [0.0, 0.0, 1.0, 30.0, 12.0]
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, not {metric!r}")
    if metric in ("revenue", "margin"):
        if outcome.kind not in ("purchase", "refund"):
            return 0.0
        return outcome.value if metric == "revenue" else outcome.margin
    if outcome.kind != metric or outcome.quantity == 0:
        return 0.0
    return math.copysign(1.0, outcome.quantity)


def within(outcome: Outcome, served_at: float, window: float) -> bool:
    """Whether it happened within *window* seconds after the slate was served."""
    return outcome.at <= served_at + window


def reward(outcomes: Iterable[Outcome], metric: Metric, *, served_at: float = 0.0, window: float = math.inf) -> float:
    """The reward of a slate.

    :param outcomes: those of the slate
    :param served_at: when it was made, seconds since 1970
    :param window: seconds after it that count
    """
    return math.fsum(contribution(one, metric) for one in outcomes if within(one, served_at, window))


def rewards_by_product(
    outcomes: Iterable[Outcome], metric: Metric, *, served_at: float = 0.0, window: float = math.inf
) -> dict[str, float]:
    """The rewards of a slate's products; those that earned nothing are left out."""
    found: dict[str, float] = {}
    for one in outcomes:
        if one.product_id and within(one, served_at, window):
            found[one.product_id] = found.get(one.product_id, 0.0) + contribution(one, metric)
    return {name: value for name, value in found.items() if value}


def is_final(served_at: float, now: float, window: float, delay: float) -> bool:
    """Whether a reward can be learnt from: its window is over, and *delay* seconds for what arrives late."""
    return now >= served_at + window + delay

"""What an impression earned, from 0 to 1, by what came of its slate within the window."""

from __future__ import annotations

from collections.abc import Iterable

from ..records import Choice, Outcome
from .rows import Row


def reward_of(row: Row, choice: Choice, seen_at: float, outcomes: Iterable[Outcome]) -> float:
    """The reward of one choice of a slate that was seen.

    ``click``, ``cart`` and ``purchase`` are 1 if there was one. ``revenue`` and ``margin`` are what was bought less
    what was taken back, divided by the row's scale and held between 0 and 1: a bandit's guarantees hold for bounded
    rewards, and one huge order must not decide for weeks. A product's reward is what that product earned.

    :param seen_at: seconds since 1970; what happened later than the row's window counts nothing
    :param outcomes: of the slate

    >>> from .rows import Row
    >>> row = Row(placement="home-hero", about="strategy", reward="revenue", scale=200.0, window_hours=1)
    >>> choice = Choice(policy="hero", about="strategy", arm="best-sellers", propensity=0.5)
    >>> bought = Outcome(
    ...     outcome_id=b"1", kind="purchase", recommendation_id="r", profile_id="a:1", at=60.0, quantity=1.0, value=50.0
    ... )
    >>> reward_of(row, choice, 0.0, [bought])
    0.25
    """
    mine = [
        outcome
        for outcome in outcomes
        if outcome.at <= seen_at + row.window and (choice.about != "product" or outcome.product_id == choice.arm)
    ]
    if row.reward in ("click", "cart"):
        return float(any(outcome.kind == row.reward for outcome in mine))
    orders = [outcome for outcome in mine if outcome.kind in ("purchase", "refund")]
    if row.reward == "purchase":
        return float(sum(_pieces(outcome) for outcome in orders) > 0.0)
    money = sum(outcome.value if row.reward == "revenue" else outcome.margin for outcome in orders)
    return min(1.0, max(0.0, money / (row.scale or 1.0)))


def _pieces(outcome: Outcome) -> float:
    return abs(outcome.quantity) if outcome.kind == "purchase" else -abs(outcome.quantity)

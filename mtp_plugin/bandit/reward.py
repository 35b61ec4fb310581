"""What an impression earned as policies learn from it: from 0 to 1."""

from __future__ import annotations

from .rows import Row


def bounded(row: Row, earned: float) -> float:
    """The reward of an impression by what was earned: money by the row's scale, held between 0 and 1.

    A bandit's guarantees hold for bounded rewards, and one huge order must not decide for weeks.

    :param earned: clicks, carts or purchases as a number, revenue or margin in the shop's currency

    >>> row = Row(placement="home-hero", about="strategy", reward="revenue", scale=200.0)
    >>> [bounded(row, money) for money in (50.0, 900.0, -20.0)]
    [0.25, 1.0, 0.0]
    """
    money = row.reward in ("revenue", "margin")
    return min(1.0, max(0.0, earned / (row.scale or 1.0) if money else earned))

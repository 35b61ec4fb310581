"""A place of the slate whose product a policy chooses: after the rules, among what can be sold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .bandit.null import Slot
from .draft import Pick
from .records import Choice

Arrange = Callable[[list[Pick]], list[Pick]]


class Filled(NamedTuple):
    """The slate's products, the probability of each to stand where it does, and what was chosen, if anything was."""

    picks: list[Pick]
    propensities: list[float]
    choice: Choice | None = None


def filled(slot: Slot | None, ranked: list[Pick], named: Sequence[Pick], arrange: Arrange) -> Filled:
    """The slate with the product that *slot* chose at its position.

    Where a rule has put a product, where the slate ends before, or where there are fewer than two arms, there is
    nothing to choose. The others move up or down by one, so what a policy does at one place changes the propensity of
    several: of each it is the sum over the arms that would have put this product there.

    :param ranked: what can be sold, best first
    :param named: the arms where they are named, of what can be sold
    :param arrange: puts what rules have placed among a ranking, and cuts it to the slate's size
    """
    plain = arrange(ranked)
    place = _place(slot, plain, ranked)
    if slot is None or place is None:
        return Filled(plain, [1.0] * len(plain))
    arms = list(named) if slot.product_ids else ranked[place : place + slot.first]
    placed = {pick.product_id for pick in plain if pick.pinned}
    arms = [arm for arm in arms if arm.product_id not in placed]
    if len(arms) < 2:
        return Filled(plain, [1.0] * len(plain))
    drawn, probabilities, choice = slot.choose([arm.product_id for arm in arms])
    slates = {
        number: arrange(_moved(ranked, place, arm))
        for number, arm in enumerate(arms)
        if probabilities[number] > 0.0 or number == drawn
    }
    shown = slates[drawn]
    propensities = [0.0] * len(shown)
    for number, slate in slates.items():
        share = float(probabilities[number])
        for position, (mine, other) in enumerate(zip(shown, slate, strict=False)):
            if mine.product_id == other.product_id:
                propensities[position] += share
    return Filled(shown, [min(1.0, share) for share in propensities], choice)


def _place(slot: Slot | None, plain: list[Pick], ranked: list[Pick]) -> int | None:
    """Where in the ranking the product of the slot stands when nothing is chosen; ``None`` where nothing can be."""
    if slot is None or slot.position > len(plain) or plain[slot.position - 1].pinned:
        return None
    standing = plain[slot.position - 1].product_id
    return next(place for place, pick in enumerate(ranked) if pick.product_id == standing)


def _moved(ranked: list[Pick], place: int, arm: Pick) -> list[Pick]:
    others = [pick for pick in ranked if pick.product_id != arm.product_id]
    return [*others[:place], arm, *others[place:]]

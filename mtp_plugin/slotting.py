"""A place of the slate whose product a policy chooses: after the rules, among what can be sold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    if slot is None:
        return Filled(plain, [1.0] * len(plain))
    places = {pick.product_id: place for place, pick in enumerate(ranked)}
    place = _place(slot, plain, places)
    if place is None:
        return Filled(plain, [1.0] * len(plain))
    arms = _arms(slot, ranked, named, places, place, plain)
    if len(arms) < 2:
        return Filled(plain, [1.0] * len(plain))
    drawn, probabilities, choice = slot.choose([arm.product_id for arm in arms])
    shares = probabilities.tolist()
    slates = {
        number: arrange(_moved(ranked, place, arm, places.get(arm.product_id)))
        for number, arm in enumerate(arms)
        if shares[number] > 0.0 or number == drawn
    }
    shown = slates[drawn]
    propensities = [0.0] * len(shown)
    for number, slate in slates.items():
        share = shares[number]
        for position, (mine, other) in enumerate(zip(shown, slate, strict=False)):
            if mine is other:
                propensities[position] += share
    return Filled(shown, [min(1.0, share) for share in propensities], choice)


def _place(slot: Slot, plain: list[Pick], places: Mapping[str, int]) -> int | None:
    """Where in the ranking the product of the slot stands when nothing is chosen; ``None`` where nothing can be."""
    if slot.position > len(plain) or plain[slot.position - 1].pinned:
        return None
    return places[plain[slot.position - 1].product_id]


def _arms(
    slot: Slot, ranked: list[Pick], named: Sequence[Pick], places: Mapping[str, int], place: int, plain: list[Pick]
) -> list[Pick]:
    """The arms, each the very pick of the ranking where it is in it, without what rules have placed."""
    if slot.product_ids:
        arms = [ranked[places[arm.product_id]] if arm.product_id in places else arm for arm in named]
    else:
        arms = ranked[place : place + slot.first]
    placed = {pick.product_id for pick in plain if pick.pinned}
    return [arm for arm in arms if arm.product_id not in placed] if placed else arms


def _moved(ranked: list[Pick], place: int, arm: Pick, at: int | None) -> list[Pick]:
    """The ranking with an arm at a place, out of the one *at* which it was, if it was in it."""
    if at is None:
        return [*ranked[:place], arm, *ranked[place:]]
    others = ranked[:at] + ranked[at + 1 :]
    return [*others[:place], arm, *others[place:]]

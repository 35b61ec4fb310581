"""A slot that a policy fills: what each propensity says is how probable it is, with pins and without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.bandit.null import Slotted
from mtp_plugin.draft import Pick, Placed
from mtp_plugin.records import Choice
from mtp_plugin.slotting import Filled, filled
from mtp_plugin.steer import arranged


@dataclass
class Drawn:
    """A slot whose draw a test decides."""

    position: int
    first: int
    product_ids: tuple[str, ...]
    shares: list[float]
    arm: int

    def choose(self, product_ids: Sequence[str]) -> Slotted:
        shares = np.array(self.shares[: len(product_ids)]) + 1e-3
        arm = self.arm % len(product_ids)
        choice = Choice(policy="p", about="product", arm=product_ids[arm], propensity=0.5, position=self.position)
        return Slotted(arm, shares / shares.sum(), choice)


def pick(name: str, pinned: bool = False) -> Pick:
    return Pick(name, 1.0, (), "", 0, "best-sellers", pinned=pinned)


def slate(slot: Drawn, ranked: list[Pick], named: list[Pick], placed: tuple[Placed, ...], size: int) -> Filled:
    everything = dict.fromkeys([one.product_id for one in ranked] + ["pin0", "pin1"], True)
    return filled(slot, ranked, named, lambda picks: arranged(picks, placed, everything, size))


@given(
    count=st.integers(1, 12),
    size=st.integers(1, 10),
    position=st.integers(1, 10),
    first=st.integers(2, 6),
    names=st.lists(st.integers(0, 14), unique=True, min_size=2, max_size=5),
    use_names=st.booleans(),
    pins=st.lists(st.integers(1, 10), unique=True, max_size=2),
    shares=st.lists(st.floats(0, 1), min_size=6, max_size=6),
)
def test_each_propensity_is_the_probability_of_what_stands_there(
    count: int,
    size: int,
    position: int,
    first: int,
    names: list[int],
    use_names: bool,
    pins: list[int],
    shares: list[float],
) -> None:
    ranked = [pick(f"p{number}") for number in range(count)]
    named = [pick(f"p{number}") for number in names]
    placed = tuple(Placed(place, (pick(f"pin{number}", True),)) for number, place in enumerate(pins))
    ids = tuple(one.product_id for one in named) if use_names else ()

    def of(arm: int) -> Filled:
        slot = Drawn(position, 0 if use_names else first, ids, shares, arm)
        return slate(slot, ranked, named if use_names else [], placed, size)

    one = of(0)
    assert len(one.picks) == len(one.propensities) == len({item.product_id for item in one.picks}) <= size
    if one.choice is None:
        assert set(one.propensities) <= {1.0}
        return
    arms = len(named) if use_names else min(first, count)
    drawn = {(found := of(arm)).choice.arm: found for arm in range(arms)}  # type: ignore[union-attr]
    weights = [share + 1e-3 for share in shares[: len(drawn)]]
    probability: dict[tuple[int, str], float] = defaultdict(float)
    for found, weight in zip(drawn.values(), weights, strict=True):
        assert found.choice is not None
        assert found.picks[position - 1].product_id == found.choice.arm
        for place, item in enumerate(found.picks):
            probability[place, item.product_id] += weight / sum(weights)
    for found in drawn.values():
        for place, (item, share) in enumerate(zip(found.picks, found.propensities, strict=True)):
            assert share == pytest.approx(probability[place, item.product_id])
        for place, item in enumerate(found.picks):
            if item.pinned:
                assert (place, found.propensities[place]) == (place, pytest.approx(1.0))

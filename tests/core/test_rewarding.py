"""From outcomes to what is learnt: once each, when the window has closed, whoever crashes."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from mtp_plugin.bandit.learnt import day_of, learn
from mtp_plugin.bandit.rows import Row, load_bandits
from mtp_plugin.block.placements import load_placements
from mtp_plugin.ports import Advance, BanditSum
from mtp_plugin.records import Choice, ConsentLevel, Context, Outcome, SegmentRef, Slate, SlateEntry, SlateRequest
from mtp_plugin.rewarding import PATIENCE, Rewarder, cursor_of
from mtp_plugin.store.memory import MemoryBandits, MemoryOutcomes, MemorySlates

NOW = 1_750_000_000.0
WINDOW = 3600.0


class Positions:
    """Cursors in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str) -> str:
        return self.kept.get(name, "")

    def put(self, name: str, position: str, now: float) -> None:
        self.kept[name] = position


class World:
    """Slates of one policy, what came of them, and who learns from it."""

    def __init__(self, about: str = "strategy", **row: Any) -> None:
        given = {"placement": "home-hero", "about": about, "window_hours": 1, **row}
        self.row: Row = load_bandits({"hero": given}, load_placements({}))["hero"]
        self.outcomes, self.slates, self.cursors = MemoryOutcomes(), MemorySlates(), Positions()
        self.state = MemoryBandits(self.cursors)
        self.learner = Rewarder({"hero": self.row}, self.outcomes, self.slates, self.state, self.cursors)

    def slate(self, name: str, arm: str = "best-sellers", segment: str = "", **request: Any) -> None:
        choice = Choice(policy="hero", about=self.row.about, arm=arm, propensity=0.5, position=1)
        slate = Slate(
            recommendation_id=name,
            placement="home-hero",
            strategy="",
            items=(),
            consent_level=ConsentLevel.FULL,
            segment=SegmentRef(segment, segment, 1.0) if segment else None,
            choices=(choice,),
        )
        asked = SlateRequest(placement="home-hero", now=NOW, profile_ids=("a:1",), **request)
        self.slates.append(SlateEntry(slate=slate, request=asked))

    def came(self, name: str, kind: str, at: float, **more: Any) -> None:
        number = f"{name}{kind}{at}{more}".encode()
        given = {"quantity": 1.0, **more}
        one = Outcome(outcome_id=number, kind=kind, recommendation_id=name, profile_id="a:1", at=at, **given)
        assert self.outcomes.record([one]) == 1

    def counts(self, segment_id: str = "") -> dict[str, tuple[float, float]]:
        learnt = learn(self.row, self.state.sums("hero"), version=1, today=day_of(NOW))
        known = learnt.of(self.row.named, segment_id).counts
        rows = zip(self.row.named, known.tries.tolist(), known.rewards.tolist(), strict=True)
        return {arm: (tries, earned) for arm, tries, earned in rows if tries}


def test_an_impression_counts_when_its_window_has_closed() -> None:
    world = World()
    world.slate("r1")
    world.slate("r2")
    world.came("r1", "seen", NOW)
    world.came("r2", "seen", NOW + 1)
    world.came("r1", "click", NOW + 60, product_id="p1")
    assert world.learner.run(NOW + WINDOW) == {"hero": 0}
    assert world.counts() == {}
    assert world.learner.run(NOW + WINDOW + PATIENCE) == {"hero": 1}
    assert world.counts() == {"best-sellers": (1.0, 1.0)}
    assert world.learner.run(NOW + WINDOW + PATIENCE + 1) == {"hero": 1}
    assert world.counts() == {"best-sellers": (2.0, 1.0)}, "what earned nothing by then counts as nothing"
    assert world.learner.run(NOW + 9 * WINDOW) == {"hero": 0}


def test_what_was_served_and_not_seen_counts_nothing() -> None:
    world = World()
    world.slate("r1")
    world.came("r1", "click", NOW, product_id="p1")
    assert world.learner.run(NOW + 9 * WINDOW) == {"hero": 0}


def test_what_comes_after_the_window_counts_nothing() -> None:
    world = World()
    world.slate("r1")
    world.came("r1", "seen", NOW)
    world.came("r1", "click", NOW + WINDOW + 1, product_id="p1")
    world.learner.run(NOW + 3 * WINDOW)
    assert world.counts() == {"best-sellers": (1.0, 0.0)}


@pytest.mark.parametrize(
    ("reward", "earned"), [("click", 1.0), ("cart", 0.0), ("purchase", 1.0), ("revenue", 0.3), ("margin", 0.1)]
)
def test_each_kind_of_reward(reward: str, earned: float) -> None:
    world = World(reward=reward, scale=200.0)
    world.slate("r1")
    world.came("r1", "seen", NOW)
    world.came("r1", "click", NOW + 1, product_id="p1")
    world.came("r1", "purchase", NOW + 2, product_id="p1", quantity=2.0, value=80.0, margin=30.0)
    world.came("r1", "refund", NOW + 3, product_id="p1", quantity=-1.0, value=-20.0, margin=-10.0)
    world.learner.run(NOW + 3 * WINDOW)
    assert world.counts() == {"best-sellers": (1.0, pytest.approx(earned))}


@pytest.mark.parametrize("reward", ["cart", "purchase", "revenue"])
def test_what_another_slate_turned_out_to_be_owed_is_earned_by_none(reward: str) -> None:
    world = World(reward=reward, scale=100.0)
    world.slate("r1")
    world.came("r1", "seen", NOW)
    kind = "cart" if reward == "cart" else "purchase"
    world.came("r1", kind, NOW + 2, product_id="p1", quantity=2.0, value=80.0)
    world.came("r1", kind, NOW + 2, product_id="p1", quantity=-2.0, value=-80.0)
    world.learner.run(NOW + 3 * WINDOW)
    assert world.counts() == {"best-sellers": (1.0, 0.0)}


def test_money_is_held_between_nothing_and_the_scale() -> None:
    world = World(reward="revenue", scale=100.0)
    for name, value in (("r1", 900.0), ("r2", -50.0)):
        world.slate(name)
        world.came(name, "seen", NOW)
        world.came(name, "purchase", NOW + 2, product_id="p1", quantity=1.0, value=value)
    world.learner.run(NOW + 3 * WINDOW)
    assert world.counts() == {"best-sellers": (2.0, 1.0)}


def test_a_product_earns_its_own_reward() -> None:
    world = World("product", arms=["p1", "p2"])
    world.slate("r1", arm="p1")
    world.came("r1", "seen", NOW)
    world.came("r1", "click", NOW + 1, product_id="p9")
    world.slate("r2", arm="p2")
    world.came("r2", "seen", NOW)
    world.came("r2", "click", NOW + 1, product_id="p2")
    world.learner.run(NOW + 3 * WINDOW)
    assert world.counts() == {"p1": (1.0, 0.0), "p2": (1.0, 1.0)}


def test_segments_are_counted_apart() -> None:
    world = World(shared=0)
    for name, segment in (("r1", "seg-1"), ("r2", "")):
        world.slate(name, segment=segment)
        world.came(name, "seen", NOW)
    world.learner.run(NOW + 3 * WINDOW)
    assert world.counts() == {"best-sellers": (2.0, 0.0)}
    assert world.counts("seg-1") == {"best-sellers": (1.0, 0.0)}


def test_linucb_learns_from_the_context() -> None:
    world = World(policy="linucb")
    for number in range(40):
        mobile = number % 2 == 0
        arm = "best-sellers" if number % 4 < 2 else "trending-items"
        world.slate(f"r{number}", arm=arm, context=Context(device="mobile" if mobile else "desktop"))
        world.came(f"r{number}", "seen", NOW)
        if mobile == (arm == "best-sellers"):
            world.came(f"r{number}", "click", NOW + 1, product_id="p1")
    world.learner.run(NOW + 3 * WINDOW)
    learnt = learn(world.row, world.state.sums("hero"), version=1, today=day_of(NOW))
    linear = learnt.linear
    assert linear is not None
    places = [learnt.index[arm] for arm in ("best-sellers", "trending-items")]
    theta = [linear.inverse[place] @ linear.moments[place] for place in places]
    assert theta[0][1] > 0.5, "mobile is good for the one"
    assert theta[1][1] < -0.2, "and bad for the other"


def test_erased_slates_and_those_of_others_count_nothing() -> None:
    world = World()
    world.came("gone", "seen", NOW)
    assert world.learner.run(NOW + 3 * WINDOW) == {"hero": 0}


def test_a_clock_that_is_ahead_holds_nobody_up() -> None:
    world = World()
    world.slate("r1")
    world.slate("r2")
    world.came("r1", "seen", NOW + 90 * 86400)
    world.came("r2", "seen", NOW)
    assert world.learner.run(NOW + 3 * WINDOW) == {"hero": 1}


def test_the_cursor_moves_on_by_many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtp_plugin.rewarding.BATCH", 7)
    world = World()
    for number in range(40):
        world.slate(f"r{number}")
        world.came(f"r{number}", "seen", NOW + number)
    assert world.learner.run(NOW + WINDOW + PATIENCE + 29) == {"hero": 30}
    assert world.learner.run(NOW + 3 * WINDOW) == {"hero": 10}
    assert world.counts() == {"best-sellers": (40.0, 0.0)}


def test_who_fails_to_store_learns_the_same_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.slate("r1")
    world.came("r1", "seen", NOW)
    with monkeypatch.context() as patched:
        patched.setattr(world.state, "_added", lambda sums: 1 / 0)
        patched.setattr(world.state, "_moved", lambda advance, now: True)
        with pytest.raises(ZeroDivisionError):
            world.learner.run(NOW + 3 * WINDOW)
    assert world.learner.run(NOW + 3 * WINDOW) == {"hero": 1}


def test_many_learners_count_each_once() -> None:
    world = World()
    for number in range(300):
        world.slate(f"r{number}")
        world.came(f"r{number}", "seen", NOW)
    workers = [threading.Thread(target=world.learner.run, args=(NOW + 3 * WINDOW,)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert world.counts() == {"best-sellers": (300.0, 0.0)}


@pytest.mark.parametrize(("days", "left"), [(0, 2.0), (30, 1.0)])
def test_old_days_are_put_together_or_forgotten(days: int, left: float) -> None:
    world = World(discount=1.0, days=days)
    today = day_of(NOW)
    world.state.add([BanditSum("hero", "", "best-sellers", day, 0, 1.0) for day in (today - 90, today)])
    world.learner.run(NOW)
    assert world.counts() == {"best-sellers": (left, 0.0)}
    assert min(row.day for row in world.state.sums("hero")) > today - 90


def test_a_day_counts_less_the_day_after() -> None:
    world = World(discount=0.5)
    today = day_of(NOW)
    world.state.add([BanditSum("hero", "", "best-sellers", today - age, 0, 8.0) for age in (0, 1, 3)])
    assert world.counts() == {"best-sellers": (8.0 + 4.0 + 1.0, 0.0)}


def test_a_cursor_is_a_policys_own() -> None:
    world = World()
    assert world.state.add([], advance=Advance(cursor_of("hero"), "", "5"))
    assert world.cursors.get(cursor_of("hero")) == "5"
    assert msgspec.structs.asdict(Advance("a", "b", "c")) == {"name": "a", "before": "b", "after": "c"}

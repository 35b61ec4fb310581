"""What a policy of the shop would have earned had it chosen otherwise, out of slates and outcomes as they are kept."""

from __future__ import annotations

import numpy as np
import pytest

from mtp_plugin.bandit.rows import Row
from mtp_plugin.errors import InputError
from mtp_plugin.evaluate.choices import evaluate_choices, judge_arms
from mtp_plugin.records import Choice, ConsentLevel, Outcome, Slate, SlateEntry, SlateRequest
from mtp_plugin.store.memory.outcomes import MemoryOutcomes
from mtp_plugin.store.memory.slates import MemorySlates

NOW = 1_800_000_000.0
ROW = Row(placement="home-hero", about="creative", arms=("plain", "warm"), name="words")
RATES = {"plain": 0.05, "warm": 0.2}


def shop(slates: int = 4000, seen: float = 0.8) -> tuple[MemorySlates, MemoryOutcomes]:
    """Slates of one policy that took ``warm`` three times in ten; clicks count only where a slate was seen."""
    dice, log, outcomes = np.random.default_rng(1), MemorySlates(), MemoryOutcomes()
    found = []
    for number in range(slates):
        at, arm = NOW - 80_000 + number, "warm" if dice.random() < 0.3 else "plain"
        choice = Choice(policy="words", about="creative", arm=arm, propensity=0.3 if arm == "warm" else 0.7)
        slate = Slate(
            recommendation_id=f"r{number}", placement="home-hero", strategy="", items=(), created_at=at,
            consent_level=ConsentLevel.FULL, choices=(choice,),
        )  # fmt: skip
        log.append(SlateEntry(slate=slate, request=SlateRequest(placement="home-hero", now=at)))
        if dice.random() < seen:
            kinds = ("seen", "click") if dice.random() < RATES[arm] else ("seen",)
            found += [
                Outcome(
                    outcome_id=f"{kind}{number}".encode(), kind=kind, recommendation_id=f"r{number}",
                    profile_id=f"a:{number // 2}", at=at + 1, quantity=1.0,
                )
                for kind in kinds
            ]  # fmt: skip
    outcomes.record(found)
    return log, outcomes


def test_the_better_arm_is_found_from_what_was_seen() -> None:
    """The intervals are of level 0.95, and the seed is fixed."""
    log, outcomes = shop()
    found = evaluate_choices(ROW, log, outcomes, since=NOW - 90_000, now=NOW, always="warm")
    told = found["estimates"]["doubly-robust"]
    assert told["low"] < RATES["warm"] < told["high"]
    assert found["verdict"]["word"] == "better"
    assert found["support"]["clusters"] < found["units"] < 4000
    other = evaluate_choices(ROW, log, outcomes, since=NOW - 90_000, now=NOW, always="plain")
    assert other["verdict"]["word"] == "worse"
    even = evaluate_choices(ROW, log, outcomes, since=NOW - 90_000, now=NOW)
    assert even["estimates"]["ips"]["low"] < 0.125 < even["estimates"]["ips"]["high"]


def test_what_cannot_be_told_is_refused() -> None:
    log, outcomes = shop(10, seen=0.0)
    with pytest.raises(InputError, match="no slate of home-hero"):
        evaluate_choices(ROW, log, outcomes, since=NOW - 90_000, now=NOW)
    with pytest.raises(InputError, match="no arm 'loud'"):
        evaluate_choices(ROW, log, outcomes, since=0, now=NOW, always="loud")


RATES_OF_RANK = (0.15, 0.05, 0.02)


def ranked(slates: int = 4000) -> tuple[MemorySlates, MemoryOutcomes]:
    """Slates whose second place a policy filled with any of the best that could be had, three or two of them."""
    dice, log, outcomes = np.random.default_rng(2), MemorySlates(), MemoryOutcomes()
    found = []
    for number in range(slates):
        at = NOW - 80_000 + number
        among = tuple(f"p{number % 7 + rank}" for rank in range(3 if number % 4 else 2))
        rank = int(dice.integers(len(among)))
        choice = Choice(
            policy="second", about="product", arm=among[rank], propensity=1 / len(among), position=2, among=among
        )
        slate = Slate(
            recommendation_id=f"r{number}", placement="home-hero", strategy="", items=(), created_at=at,
            consent_level=ConsentLevel.FULL, choices=(choice,),
        )  # fmt: skip
        log.append(SlateEntry(slate=slate, request=SlateRequest(placement="home-hero", now=at)))
        clicked = [among[rank]] if dice.random() < RATES_OF_RANK[rank] else []
        clicked += ["another"] if dice.random() < 0.5 else []
        found += [
            Outcome(
                outcome_id=f"{kind}{number}{product}".encode(), kind=kind, recommendation_id=f"r{number}",
                profile_id=f"a:{number}", at=at + 1, quantity=1.0, product_id=product,
            )
            for kind, product in (("seen", ""), *(("click", product) for product in clicked))
        ]  # fmt: skip
    outcomes.record(found)
    return log, outcomes


SECOND = Row(placement="home-hero", about="product", arms=3, position=2, name="second")


def test_a_policy_of_products_is_judged_by_the_place_in_the_ranking() -> None:
    log, outcomes = ranked()
    for rank, rate in enumerate(RATES_OF_RANK, 1):
        found = evaluate_choices(SECOND, log, outcomes, since=NOW - 90_000, now=NOW, always=str(rank))
        told = found["estimates"]["doubly-robust"]
        assert told["low"] < rate < told["high"]
        assert found["units"] == (3000 if rank == 3 else 4000), "only slates that could show it tell"
        assert found["verdict"]["word"] == ("better" if rank == 1 else "worse")
    even = evaluate_choices(SECOND, log, outcomes, since=NOW - 90_000, now=NOW)
    assert even["verdict"]["word"] == "no-clear-difference", "it is what served"
    assert list(judge_arms(SECOND, log, outcomes, since=NOW - 90_000, now=NOW)) == ["1", "2", "3", ""]


def test_named_products_are_judged_where_they_could_be_had() -> None:
    log, outcomes = ranked(700)
    row = Row(placement="home-hero", about="product", arms=("p0", "p8", "gone"), position=2, name="second")
    assert list(judge_arms(row, log, outcomes, since=NOW - 90_000, now=NOW)) == ["p0", "p8", ""]
    with pytest.raises(InputError, match="could choose 'gone' for none"):
        evaluate_choices(row, log, outcomes, since=NOW - 90_000, now=NOW, always="gone")
    older = Row(placement="home-hero", about="product", arms=2, position=1, name="third")
    with pytest.raises(InputError, match="no slate of home-hero"):
        evaluate_choices(older, log, outcomes, since=NOW - 90_000, now=NOW)


def test_fewer_arms_than_there_were_leave_propensities_as_they_are() -> None:
    """What was drawn must not decide which slates tell."""
    log, outcomes = ranked()
    row = Row(placement="home-hero", about="product", arms=2, position=2, name="second")
    found = evaluate_choices(row, log, outcomes, since=NOW - 90_000, now=NOW, always="1")
    assert found["units"] == 4000
    assert found["estimates"]["ips"]["low"] < RATES_OF_RANK[0] < found["estimates"]["ips"]["high"]
    assert found["verdict"]["word"] == "better"
    with pytest.raises(InputError, match="no arm '3'"):
        evaluate_choices(row, log, outcomes, since=NOW - 90_000, now=NOW, always="3")

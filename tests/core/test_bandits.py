"""Policies on the path: what they choose shows, is logged and replays; rules override; the unasked are not tried."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mtp_plugin.bandit.learnt import day_of
from mtp_plugin.bandit.null import Chosen
from mtp_plugin.bandit.stage import repeated
from mtp_plugin.bandits import LiveBandits
from mtp_plugin.config import Settings
from mtp_plugin.errors import SettingError, UnavailableError
from mtp_plugin.ports import BanditSum
from mtp_plugin.records import ConsentLevel, Pin, Placement, Retitle, Rule, RuleSet, Slate, SlateRequest, UseStrategies
from mtp_plugin.state import State

from .shops import mounted, watches

NOW = 1_780_000_000.0
"""When requests are made: the draws of policies depend on it, so they are the same in every run."""
STRATEGY = {"hero": {"placement": "home-hero", "about": "strategy", "arms": ["trending-items", "best-sellers"]}}
CREATIVE = {
    "words": {
        "placement": "home-hero",
        "about": "creative",
        "arms": {
            "plain": "For you",
            "warm": {"title": "Picked with care", "message": "New today", "message_url": "/new"},
        },
    }
}
PRODUCT = {"slot": {"placement": "home-hero", "about": "product", "arms": 4, "position": 2}}
NAMED = {"slot": {"placement": "home-hero", "about": "product", "arms": ["p03", "p07", "p11"], "position": 2}}


def shop(folder: Path, bandits: dict[str, Any], **config: Any) -> State:
    return mounted(folder, watches(), MTP_BANDITS=bandits, **config)[1]


def asked(number: int = 0, **more: Any) -> SlateRequest:
    at = {"now": NOW + number / 1000, "consent_level": ConsentLevel.FULL, "profile_ids": ("a:ada",)}
    return SlateRequest(placement="home-hero", **{**at, **more})


def slates(state: State, count: int, **more: Any) -> list[Slate]:
    return [state.pipeline.recommend(asked(number, **more)) for number in range(count)]


def taught(state: State, policy: str, **arms: tuple[float, float]) -> None:
    """Add impressions and rewards of arms, as the job would."""
    today = day_of(time.time())
    state.bandit_state.add(
        [
            BanditSum(policy, "", arm.replace("_", "-"), today, cell, both[cell])
            for arm, both in arms.items()
            for cell in (0, 1)
        ]
    )
    state.bandits.refresh()


def by_rules(state: State, *effects: Any) -> None:
    rule = Rule(rule_id="ours", then=effects)
    state.rules.save(RuleSet(rules=(rule,)), by="test", at=time.time())
    state.pipeline.live.refresh()


def test_without_any_nothing_is_chosen_and_all_is_certain(tmp_path: Path) -> None:
    slate = shop(tmp_path, {}).pipeline.recommend(asked())
    assert slate.choices == ()
    assert {item.propensity for item in slate.items} == {1.0}


def test_a_strategy_leads_the_ladder_and_is_logged(tmp_path: Path) -> None:
    state = shop(tmp_path, STRATEGY)
    found = slates(state, 60)
    assert {slate.choices[0].arm for slate in found} == {"trending-items", "best-sellers"}
    for slate in found:
        (choice,) = slate.choices
        assert (choice.policy, choice.about, choice.position) == ("hero", "strategy", 0)
        assert slate.strategy == choice.arm
        assert {item.propensity for item in slate.items} == {choice.propensity}
        assert choice.propensity == pytest.approx(0.5, abs=0.01)
    state.slates.flush()
    assert state.slates.get(found[0].recommendation_id).slate.choices == found[0].choices


def test_what_is_learnt_is_shown_more(tmp_path: Path) -> None:
    state = shop(tmp_path, STRATEGY)
    taught(state, "hero", trending_items=(500.0, 100.0), best_sellers=(500.0, 20.0))
    arms = Counter(slate.choices[0].arm for slate in slates(state, 100))
    # The floor is 0.01: more than 7 of 100 come by chance once in a million.
    assert arms["best-sellers"] <= 7
    assert slates(state, 1)[0].choices[0].state_version == state.bandit_state.version()


def test_words_are_chosen(tmp_path: Path) -> None:
    state = shop(tmp_path, CREATIVE)
    found = {slate.choices[0].arm: slate for slate in slates(state, 40)}
    assert found["plain"].title == "For you"
    warm = found["warm"]
    assert (warm.title, warm.message, warm.message_url) == ("Picked with care", "New today", "/new")
    assert {item.propensity for item in warm.items} == {1.0}, "words move no product"


@pytest.mark.parametrize("bandits", [PRODUCT, NAMED], ids=["candidates", "named"])
def test_a_products_propensity_is_how_often_it_stands_there(tmp_path: Path, bandits: dict[str, Any]) -> None:
    state = shop(tmp_path, bandits)
    found, count = slates(state, 600), 600
    shown = Counter((item.position, item.product_id) for slate in found for item in slate.items)
    told = {(item.position, item.product_id): item.propensity for slate in found for item in slate.items}
    assert {item.propensity for slate in found for item in slate.items if item.position == 1} == {1.0}
    assert len({slate.items[1].product_id for slate in found}) == (4 if bandits is PRODUCT else 3)
    for place, share in told.items():
        # Four standard errors of a share of 600.
        assert abs(shown[place] / count - share) < 4 * (max(share * (1 - share), 0.01) / count) ** 0.5
    for slate in found[:20]:
        assert slate.choices[0].arm == slate.items[1].product_id
        assert slate.choices[0].position == 2
        assert len({item.product_id for item in slate.items}) == len(slate.items) == 6


def test_what_cannot_be_sold_is_no_arm(tmp_path: Path) -> None:
    state = shop(tmp_path, NAMED)
    state.pipeline.availability = lambda ids: {name: name != "p07" for name in ids}
    assert {slate.choices[0].arm for slate in slates(state, 40)} == {"p03", "p11"}
    state.pipeline.availability = lambda ids: {name: name not in ("p07", "p11") for name in ids}
    assert slates(state, 1)[0].choices == (), "one arm is no choice"


def test_rules_override(tmp_path: Path) -> None:
    state = shop(tmp_path, {**STRATEGY, **CREATIVE, **PRODUCT})
    by_rules(
        state, UseStrategies(strategies=("best-sellers",)), Retitle(title="By hand"), Pin(position=2, product_id="p05")
    )
    for slate in slates(state, 20):
        assert slate.choices == ()
        assert (slate.title, slate.message) == ("By hand", "")
        assert slate.items[1].product_id == "p05"
        assert {item.propensity for item in slate.items} == {1.0}


@pytest.mark.parametrize("level", [ConsentLevel.CONTEXTUAL, ConsentLevel.NON_PERSONAL])
def test_who_cannot_be_learnt_from_gets_the_best_so_far(tmp_path: Path, level: ConsentLevel) -> None:
    state = shop(tmp_path, {**STRATEGY, **CREATIVE})
    taught(state, "hero", trending_items=(50.0, 1.0), best_sellers=(50.0, 9.0))
    taught(state, "words", plain=(50.0, 1.0), warm=(50.0, 9.0))
    found = slates(state, 30, consent_level=level, profile_ids=())
    assert {choice.arm for slate in found for choice in slate.choices} == {"best-sellers", "warm"}
    assert {choice.propensity for slate in found for choice in slate.choices} == {1.0}
    assert len({slate.recommendation_id for slate in found}) == 1, "one shared draft"
    assert state.pipeline.by_page_alone(level)


def test_shared_drafts_are_one_for_each_thing_chosen(tmp_path: Path) -> None:
    state = shop(tmp_path, {**STRATEGY, **CREATIVE})
    anonymous = {"consent_level": ConsentLevel.NON_PERSONAL, "profile_ids": ()}
    first = slates(state, 1, **anonymous)[0]
    taught(state, "words", plain=(50.0, 1.0), warm=(50.0, 9.0))
    second = slates(state, 1, **anonymous)[0]
    assert first.choices != second.choices
    assert first.recommendation_id != second.recommendation_id


def test_a_slate_is_chosen_again_from_its_log(tmp_path: Path) -> None:
    state = shop(tmp_path, {**STRATEGY, **CREATIVE, **PRODUCT})
    found = slates(state, 25)
    taught(state, "hero", trending_items=(5000.0, 10.0), best_sellers=(5000.0, 4000.0))
    taught(state, "slot", p01=(500.0, 400.0))
    placement = state.pipeline.placements["home-hero"]
    again = state.pipeline.stages

    class Logged:
        def __init__(self, slate: Slate) -> None:
            self.slate = slate

        def choose(self, placement: Placement, request: SlateRequest, segment: object) -> Chosen:
            return repeated(placement, self.slate.choices, state.bandits.rows)

    for number, slate in enumerate(found):
        request = msgspec.structs.replace(asked(number), now=slate.created_at)
        object.__setattr__(again, "bandit", Logged(slate))
        other = state.pipeline.preview(request)[0]
        assert [item.product_id for item in other.items] == [item.product_id for item in slate.items]
        assert [item.score for item in other.items] == [item.score for item in slate.items]
        assert (other.choices, other.title) == (slate.choices, slate.title)
    assert placement.name == "home-hero"


def test_the_same_request_chooses_the_same(tmp_path: Path) -> None:
    state = shop(tmp_path, {**STRATEGY, **CREATIVE, **PRODUCT})
    for number in range(20):
        request = asked(number)
        one, other = state.pipeline.preview(request)[0], state.pipeline.preview(request)[0]
        assert (one.choices, one.items) == (other.choices, other.items)


def test_segments_lean_on_everybody_until_they_know_better(tmp_path: Path) -> None:
    state = shop(tmp_path, STRATEGY)
    today = day_of(time.time())
    rows = [
        ("", "trending-items", 9000.0, 900.0),
        ("", "best-sellers", 9000.0, 90.0),
        ("young", "best-sellers", 3.0, 1.0),
    ]
    rows += [("old", "trending-items", 400.0, 4.0), ("old", "best-sellers", 400.0, 80.0)]
    state.bandit_state.add(
        [BanditSum("hero", who, arm, today, cell, (n, s)[cell]) for who, arm, n, s in rows for cell in (0, 1)]
    )
    learnt = state.bandits.refresh()["hero"]
    best = {
        who: learnt.of(("trending-items", "best-sellers"), who).counts.means.argmax() for who in ("", "young", "old")
    }
    assert best == {"": 0, "young": 0, "old": 1}


def test_another_workers_learning_is_seen_within_seconds(tmp_path: Path) -> None:
    state = shop(tmp_path, STRATEGY)
    other = LiveBandits(state.bandits.rows, state.bandit_state, every=0.02)
    assert other.learnt()["hero"].all.tries.sum() == 0
    taught(state, "hero", trending_items=(5.0, 1.0))
    until = time.monotonic() + 10
    while other.learnt()["hero"].all.tries.sum() != 5.0:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_while_the_state_is_away_the_last_known_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = shop(tmp_path, STRATEGY)
    taught(state, "hero", trending_items=(500.0, 100.0), best_sellers=(500.0, 1.0))

    def away(*args: object) -> int:
        raise UnavailableError("away")

    monkeypatch.setattr(state.bandit_state, "version", away)
    with pytest.raises(UnavailableError):
        state.bandits.refresh()
    arms = Counter(slate.choices[0].arm for slate in slates(state, 40))
    assert arms["trending-items"] > 30
    fresh = LiveBandits(state.bandits.rows, state.bandit_state)
    assert fresh.learnt()["hero"].version == 0, "without anything known it begins anew"


def test_policies_that_fail_leave_the_placement_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = shop(tmp_path, STRATEGY)
    monkeypatch.setattr(state.bandits.stage, "choose", lambda *args: 1 / 0)
    slate = slates(state, 1)[0]
    assert (slate.choices, len(slate.items)) == ((), 6)
    assert "home-hero goes on without" in caplog.text


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"about": "strategy"}, "placement"),
        ({"placement": "home-hero"}, "about"),
        ({"placement": "home-hro", "about": "strategy"}, "did you mean home-hero"),
        ({"placement": "home-hero", "about": "strategy", "arms": ["trendin-items", "best-sellers"]}, "trending-items"),
        ({"placement": "home-hero", "about": "strategy", "arms": ["best-sellers"]}, "two or more"),
        ({"placement": "home-hero", "about": "strategy", "policy": "exp3"}, "exp3"),
        ({"placement": "home-hero", "about": "strategy", "reward": "revenue"}, "scale"),
        ({"placement": "home-hero", "about": "strategy", "floor": 0.4}, "from 0 to 0.333333"),
        ({"placement": "home-hero", "about": "strategy", "discount": 0.0}, "from 0.5 to 1"),
        ({"placement": "home-hero", "about": "strategy", "window_hours": 0}, "from 0.01"),
        ({"placement": "home-hero", "about": "strategy", "flor": 0.1}, "flor"),
        ({"placement": "home-hero", "about": "product", "arms": 1}, "2 to 50"),
        ({"placement": "home-hero", "about": "product", "arms": 3, "position": 9}, "from 1 to 6"),
        ({"placement": "home-hero", "about": "creative"}, "two or more"),
        ({"placement": "home-hero", "about": "creative", "arms": {"a": {"titel": "A"}, "b": "B"}}, "titel"),
    ],
)
def test_a_row_that_cannot_work_stops_the_start(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match="MTP_BANDITS") as caught:
        shop(tmp_path, {"mine": row})
    assert said in str(caught.value)


def test_two_policies_cannot_choose_the_same(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="already"):
        shop(tmp_path, {"one": STRATEGY["hero"], "two": STRATEGY["hero"]})


def test_the_setting_is_a_mapping_of_mappings() -> None:
    with pytest.raises(SettingError, match="MTP_BANDITS"):
        Settings.read({"MTP_BANDITS": ["home-hero"]})

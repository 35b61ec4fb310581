"""Rules on the path: what they do to slates, and that nothing else does."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mtp_plugin import Product
from mtp_plugin.errors import InputError
from mtp_plugin.records import ConsentLevel, Context, Slate, SlateRequest
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.state import State

from ..servers import wait_until
from .shops import mounted, watches


@pytest.fixture
def state(tmp_path: Path) -> State:
    return mounted(tmp_path, watches())[1]


def written(state: State, *rules: dict[str, Any]) -> None:
    """Save these rules, and let them serve."""
    named = [{"rule_id": f"r{number}", **rule} for number, rule in enumerate(rules)]
    state.rules.save(read_ruleset({"rules": named}), by="ada", at=time.time())
    state.pipeline.live.refresh()


def slate(state: State, placement: str = "home-hero", **more: Any) -> Slate:
    defaults: dict[str, Any] = {"now": time.time(), "consent_level": ConsentLevel.CONTEXTUAL}
    return state.pipeline.recommend(SlateRequest(placement=placement, **{**defaults, **more}))


def ids(state: State, placement: str = "home-hero", **more: Any) -> list[str]:
    return [item.product_id for item in slate(state, placement, **more).items]


def brands(state: State, **more: Any) -> list[str]:
    return ["Alba" if int(name[1:]) % 2 == 0 else "Brenn" for name in ids(state, **more)]


def test_without_rules_nothing_is_said_of_them(state: State) -> None:
    found = slate(state)
    assert (found.rules, found.rules_version, found.title, found.message) == ((), 0, "", "")


def test_a_filter_lets_only_some_through(state: State) -> None:
    written(state, {"then": [{"effect": "filter", "where": {"brand": "Brenn"}}]})
    assert set(brands(state)) == {"Brenn"}
    written(state, {"then": [{"effect": "filter", "where": {"brand": "Brenn"}, "exclude": True}]})
    assert set(brands(state)) == {"Alba"}


def test_boost_and_bury_change_the_order(state: State) -> None:
    before = brands(state, limit=12)
    written(state, {"then": [{"effect": "boost", "where": {"brand": "Brenn"}, "by": 20}]})
    assert brands(state, limit=12).count("Brenn") > before.count("Brenn")
    written(state, {"then": [{"effect": "bury", "where": {"brand": "Brenn"}, "by": 50}]})
    found = slate(state, limit=12)
    assert brands(state, limit=12).count("Brenn") < before.count("Brenn")
    assert found.rules == ("r0",)


def test_a_pin_stands_where_it_was_put_and_says_why(state: State) -> None:
    written(state, {"then": [{"effect": "pin", "product_id": "p07", "position": 3}]})
    item = slate(state).items[2]
    assert (item.product_id, item.reason_codes) == ("p07", ("pinned", "rule:r0"))
    assert len(set(ids(state))) == 6


def test_a_pin_finds_the_best_that_meets_its_condition(state: State) -> None:
    written(state, {"then": [{"effect": "pin", "where": {"price": {"$gt": 160}}, "position": 1}]})
    assert int(ids(state)[0][1:]) >= 29


def test_what_is_pinned_must_be_for_sale(state: State) -> None:
    written(state, {"then": [{"effect": "pin", "product_id": "p07", "position": 1}]})
    state.pipeline.availability = lambda product_ids: {name: name != "p07" for name in product_ids}
    assert "p07" not in ids(state)
    assert len(ids(state)) == 6
    assert "p07" not in ids(state, cart_ids=("p07",))


def test_a_locked_slot_takes_the_first_that_can_be_bought_and_heeds_no_filter(state: State) -> None:
    lock = {"effect": "lock", "position": 2, "product_ids": ["gone", "p00", "p02"]}
    written(state, {"then": [lock, {"effect": "filter", "where": {"brand": "Brenn"}}]})
    found = ids(state)
    assert found[1] == "p00"
    state.pipeline.availability = lambda product_ids: {name: name != "p00" for name in product_ids}
    assert ids(state)[1] == "p02"


def test_a_locked_slot_ends(state: State) -> None:
    lock = {"effect": "lock", "position": 1, "product_ids": ["p05"], "until": "2026-12-24T18:00"}
    written(state, {"then": [lock]})
    before, after = 1_798_135_199.0, 1_798_135_200.0
    assert ids(state, now=before)[0] == "p05"
    assert ids(state, now=after)[0] != "p05"


def test_limits_hold_with_pins_counted(state: State) -> None:
    written(
        state,
        {
            "then": [
                {"effect": "limit", "per": "brand", "most": 2},
                {"effect": "pin", "product_id": "p00", "position": 1},
            ]
        },
    )
    found = brands(state)
    assert found[0] == "Alba"
    assert found.count("Alba") == 2
    assert found.count("Brenn") == 2


def test_tags_strategy_title_and_message(tmp_path: Path) -> None:
    tagged = Product(product_id="t1", title="Tent", tags=("portable",), price=9.0, category_path=("Shop", "Tent"))
    state = mounted(tmp_path, [*watches(), tagged])[1]
    written(state, {"then": [{"effect": "require", "tags": ["portable", "quick"]}]})
    assert ids(state) == ["t1"]
    written(
        state,
        {
            "then": [
                {"effect": "prefer", "tags": ["portable"], "by": 1000},
                {"effect": "strategy", "strategies": ["trending-items"]},
                {"effect": "title", "title": "Quick things"},
                {"effect": "message", "text": "Free delivery today", "url": "/delivery"},
            ]
        },
    )
    found = slate(state)
    assert found.items[0].product_id == "t1"
    assert (found.strategy, found.title) == ("trending-items", "Quick things")
    assert (found.message, found.message_url) == ("Free delivery today", "/delivery")


def test_rules_look_at_facts(state: State) -> None:
    written(
        state,
        {"when": {"context.device": "mobile"}, "then": [{"effect": "filter", "where": {"brand": "Brenn"}}]},
    )
    assert set(brands(state, context=Context(device="mobile"))) == {"Brenn"}
    assert set(brands(state, context=Context(device="desktop"))) == {"Alba", "Brenn"}
    assert set(brands(state, context=Context(device="mobile"))) == {"Brenn"}


def test_a_shared_draft_is_not_given_to_those_whom_rules_treat_otherwise(tmp_path: Path) -> None:
    state = mounted(tmp_path, watches(), MTP_CACHE_SECONDS=60)[1]
    written(
        state,
        {"when": {"context.device": "mobile"}, "then": [{"effect": "pin", "product_id": "p07", "position": 1}]},
    )
    for _ in range(2):
        assert ids(state, context=Context(device="mobile"))[0] == "p07"
        assert ids(state, context=Context(device="desktop"))[0] != "p07"
    assert not state.pipeline.by_page_alone(ConsentLevel.CONTEXTUAL)
    assert state.pipeline.by_page_alone(ConsentLevel.NON_PERSONAL)
    written(state, {"when": {"context.page_type": "home"}, "then": [{"effect": "title", "title": "Hello"}]})
    assert state.pipeline.by_page_alone(ConsentLevel.CONTEXTUAL)


# ------------------------------------------------------------------------------------------- experiments


def visitors(state: State, count: int = 40) -> dict[str, Slate]:
    return {
        name: slate(state, consent_level=ConsentLevel.FULL, profile_ids=(name,))
        for name in (f"a:{number}" for number in range(count))
    }


def exposures(state: State, slates: dict[str, Slate]) -> dict[str, tuple[tuple[str, int], ...]]:
    state.slates.flush(60)
    entries = {name: state.slates.get(found.recommendation_id) for name, found in slates.items()}
    return {name: entry.exposures for name, entry in entries.items() if entry is not None}


def test_a_rule_is_the_variation_of_an_experiment(state: State) -> None:
    pin = {"effect": "pin", "product_id": "p07", "position": 1}
    written(state, {"then": [pin], "experiment": {"experiment_id": "pinned-watch"}})
    found = visitors(state)
    with_it = {name for name, one in found.items() if one.items[0].product_id == "p07"}
    assert 8 < len(with_it) < 32, "about half; 40 coins fall outside of this once in 10,000 times"
    assert exposures(state, found) == {name: (("pinned-watch", int(name in with_it)),) for name in found}
    assert not slate(state).rules, "without full consent nobody takes part"


def test_where_no_slate_is_another_one_nobody_was_exposed(state: State) -> None:
    nothing = {"effect": "bury", "where": {"brand": "Nobody"}, "by": 2}
    written(state, {"then": [nothing], "experiment": {"experiment_id": "quiet"}})
    assert set(exposures(state, visitors(state, 8)).values()) == {()}


# ------------------------------------------------------------------------------------- versions and faults


def test_other_workers_notice_within_seconds(state: State) -> None:
    ruleset = read_ruleset({"rules": [{"rule_id": "r", "then": [{"effect": "title", "title": "New"}]}]})
    assert slate(state).title == ""
    state.rules.save(ruleset, by="another worker", at=time.time())
    wait_until(lambda: slate(state).title == "New", "the new version")


def test_a_faulty_rule_is_switched_off_and_the_others_serve(
    state: State, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = {"rule_id": "good", "then": [{"effect": "title", "title": "Good"}]}
    broken = {"rule_id": "broken", "when": {"context.hour": {"$lit": 3}}, "then": [{"effect": "title", "title": "X"}]}
    body = msgspec.json.encode({"rules": [broken, good]})
    whole = state.rules.load
    monkeypatch.setattr(state.rules, "load", lambda version: body if version == 1 else whole(version))
    state.rules.save(read_ruleset({"rules": [good]}), by="ada", at=1.0)
    state.pipeline.live.refresh()
    assert slate(state).title == "Good"
    wait_until(lambda: state.rules.current() == 2, "the version without the faulty rules")
    assert state.rules.history()[0].created_by == "system"
    assert "broken switched off" in state.rules.history()[0].note
    assert "'broken' is switched off" in caplog.text


def test_a_rule_of_a_newer_release_is_left_out_and_not_lost(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    good = {"rule_id": "good", "then": [{"effect": "title", "title": "Good"}]}
    newer = {"rule_id": "newer", "then": [{"effect": "explode"}]}
    written(state, good)
    monkeypatch.setattr(state.rules, "load", lambda version: msgspec.json.encode({"rules": [newer, good]}))
    state.rules.save(read_ruleset({"rules": [good]}), by="ada", at=1.0)
    state.pipeline.live.refresh()
    assert slate(state).title == "Good"
    with pytest.raises(InputError, match="newer"):
        state.rulebook.switch("good", False, by="ada")
    assert state.rules.current() == 2


def test_a_rule_that_fails_while_it_serves_is_switched_off(
    state: State, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written(
        state,
        {"then": [{"effect": "boost", "where": {"brand": "Alba"}, "by": 5}]},
        {"then": [{"effect": "title", "title": "Good"}]},
    )
    monkeypatch.setattr(state.pipeline.steering._masks, "mask", lambda *args, **more: 1 / 0)
    assert len(slate(state).items) == 6
    wait_until(lambda: state.rules.current() == 2, "the version without it")
    assert "rule 'r0' failed and is switched off" in caplog.text
    monkeypatch.undo()
    state.pipeline.live.refresh()
    found = slate(state)
    assert (found.rules, found.title) == (("r1",), "Good")

"""Rules as variations of an experiment of the shop: several things at once, who was exposed, and drafts."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mtp_plugin.errors import FindingsError, InputError
from mtp_plugin.experiment_book import begin, draft
from mtp_plugin.records import AnyEffect, ConsentLevel, Decision, Exposure, Fired, Retitle
from mtp_plugin.rules.plan import alternatives
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.state import State

from .shops import mounted, watches
from .test_rules import exposures, slate, visitors, written

BOTH = {"factors": {"pin": ["none", "p07"], "words": ["plain", "warm"]}, "goal": "ctr"}
PIN = {"effect": "pin", "product_id": "p07", "position": 1}
WARM = {"effect": "title", "title": "Warm words"}


@pytest.fixture
def state(tmp_path: Path) -> State:
    return mounted(tmp_path, watches(), MTP_EXPERIMENTS={"both": BOTH})[1]


def of(*variations: int) -> dict[str, Any]:
    return {"experiment_id": "both", "variation": list(variations)}


def test_rules_cross_what_an_experiment_crosses(state: State) -> None:
    """Variations are: nothing, warm, pinned, pinned and warm; each rule holds for two of them."""
    row = state.experiments.rows["both"]
    assert row.names == ("pin none, words plain", "pin none, words warm", "pin p07, words plain", "pin p07, words warm")
    written(state, {"then": [PIN], "experiment": of(2, 3)}, {"then": [WARM], "experiment": of(1, 3)})
    found = visitors(state, 60)
    for name, one in found.items():
        pinned, warm = one.items[0].product_id == "p07", one.title == "Warm words"
        assert (pinned, warm) == divmod(row.of(name), 2), row.names[row.of(name)]
    assert {row.of(name) for name in found} == {0, 1, 2, 3}
    assert exposures(state, found) == {name: (("both", row.of(name)),) for name in found}


def test_all_variations_are_exposed_or_none(state: State) -> None:
    """A pin of what stands first anyway differs from nothing; then nobody counts, whatever variation they are in."""
    first = slate(state).items[0].product_id
    same = {"effect": "pin", "product_id": first, "position": 1}
    written(state, {"then": [same], "experiment": of(1)}, {"then": [same], "experiment": of(2, 3)})
    assert set(exposures(state, visitors(state, 20)).values()) == {()}
    written(state, {"then": [same], "experiment": of(1)}, {"then": [PIN], "experiment": of(3)})
    assert all(exposures(state, visitors(state, 20)).values()), "those of variation 1, too, though theirs is as ever"


def test_who_is_in_none_of_the_variations_of_a_rule_is_not_changed_by_it(state: State) -> None:
    written(state, {"then": [PIN], "experiment": of(3)})
    row = state.experiments.rows["both"]
    for name, one in visitors(state, 40).items():
        assert (one.items[0].product_id == "p07") is (row.of(name) == 3)


def test_rules_of_a_draft_hold_for_nobody_until_it_begins(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, watches())
    entry = {"variations": [{"name": "as ever"}, {"name": "pinned"}]}
    draft(state, "pinned", entry, who="ada", now=time.time())
    written(state, {"then": [PIN], "experiment": {"experiment_id": "pinned", "coverage": 1.0}})
    assert all(not one.rules for one in visitors(state).values())
    begin(state, "pinned", who="ada", now=time.time())
    with_it = sum(bool(one.rules) for one in visitors(state).values())
    assert 8 < with_it < 32, "about half; 40 coins fall outside of this once in 10,000 times"


def test_variations_that_there_are_not_are_told(state: State) -> None:
    def save(gate: dict[str, Any]) -> None:
        rule = {"rule_id": "r", "then": [WARM], "experiment": gate}
        state.rulebook.save(read_ruleset({"rules": [rule]}), by="ada")

    save(of(3))
    for gate in (of(4), {"experiment_id": "another", "variation": 2}):
        with pytest.raises(FindingsError) as caught:
            save(gate)
        assert [finding.code for finding in caught.value.findings] == ["never-matches"]
    with pytest.raises(InputError, match="there are 2 variations"):
        save({"experiment_id": "another", "variation": [0, 2], "weights": [0.5, 0.5]})


def then(title: str) -> tuple[AnyEffect, ...]:
    return (Retitle(title=title),)


def exposed(rule_id: str, *variations: int, own: int, place: int) -> Exposure:
    return Exposure(
        experiment_id="x", variation=own, variations=variations, rule_id=rule_id, shown=own in variations, place=place,
        then=then(rule_id),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("own", "others"),
    [
        (0, [["first", "b", "last"], ["first", "last", "c"], ["first", "b", "last", "c"]]),
        (3, [["first", "last"], ["first", "b", "last"], ["first", "last", "c"]]),
    ],
)
def test_the_other_decisions_have_their_rules_at_their_places(own: int, others: list[list[str]]) -> None:
    """Rule b stands between two that always hold and c behind them; b is of variations 1 and 3, c of 2 and 3."""
    fired = [name for name, held in (("first", (0, 3)), ("b", (1, 3)), ("last", (0, 3)), ("c", (2, 3))) if own in held]
    told = (
        exposed("b", 1, 3, own=own, place=1),
        exposed("c", 2, 3, own=own, place=fired.index("c") if "c" in fired else 2),
    )
    decision = Decision(fired=tuple(Fired(rule_id=name, then=then(name)) for name in fired), exposures=told)
    found = [[one.rule_id for one in other.fired] for other in alternatives(decision, "x")]
    assert sorted(found) == sorted(others)


def test_what_there_was_no_time_for_is_no_other_variation(tmp_path: Path) -> None:
    first, second, *rest = watches()
    few = [msgspec.structs.replace(one, sale_price=1.0) for one in (first, second)]
    _, state = mounted(tmp_path, [*few, *rest], MTP_LATENCY_BUDGET_MS=10_000, MTP_CACHE_SECONDS=0)
    pipeline, ladder = state.pipeline, ("on-sale", "best-sellers")
    trending = msgspec.structs.replace(pipeline.placements["home-trending"], strategies=ladder, size=8)
    pipeline.placements = {**pipeline.placements, "home-trending": trending}
    whole = slate(state, "home-trending").items[0].product_id
    same = {"effect": "pin", "product_id": whole, "position": 1}
    written(state, {"then": [same], "experiment": {"experiment_id": "nothing"}})
    pipeline.settings = dataclasses.replace(pipeline.settings, latency_budget_ms=0.0)
    names = [f"a:{number}" for number in range(20)]
    full = ConsentLevel.FULL
    found = {name: slate(state, "home-trending", consent_level=full, profile_ids=(name,)) for name in names}
    assert all(one.late for one in found.values())
    assert set(exposures(state, found).values()) == {()}

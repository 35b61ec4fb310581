"""Rules that could do harm are told before they are saved, in words that say where."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.errors import ConditionError, ConflictError, FindingsError, InputError, NotFoundError
from mtp_plugin.facts import vocabulary
from mtp_plugin.records import ConsentLevel, Context, SlateRequest
from mtp_plugin.rules.checks import Finding
from mtp_plugin.rules.read import read_rule, read_ruleset, schema
from mtp_plugin.rules.summary import summary
from mtp_plugin.state import State
from mtp_plugin.trial import touched, try_rules

from ..core.shops import mounted, watches

NOTHING = [{"effect": "title", "title": "Hello"}]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    return mounted(tmp_path_factory.mktemp("shop"), watches())[1]


def found(state: State, *rules: dict[str, Any]) -> list[Finding]:
    named = [{"rule_id": f"r{number}", "then": NOTHING, **rule} for number, rule in enumerate(rules)]
    return state.rulebook.check(read_ruleset({"rules": named}))


def codes(state: State, *rules: dict[str, Any]) -> list[str]:
    return [finding.code for finding in found(state, *rules)]


@pytest.mark.parametrize(
    "when",
    [
        {"context.device": {"$in": ["mobile"], "$nin": ["mobile"]}},
        {"context.device": "mobil"},
        {"context.hour": {"$gt": 8, "$lt": 8}},
        {"segment.confidence": {"$gt": 1}},
        {"$and": [{"context.commuting": True}, {"context.commuting": {"$ne": True}}]},
        {"$or": [{"context.country": {"$in": []}}, {"context.weekday": "caturday"}]},
        {"context.city": {"$exists": True}, "$nor": [{"context.city": {"$ne": None}}]},
    ],
)
def test_what_can_never_match(state: State, when: dict[str, Any]) -> None:
    assert codes(state, {"when": when}) == ["never-matches"]


@pytest.mark.parametrize(
    "when",
    [
        {},
        {"context.device": {"$ne": "mobile"}},
        {"context.hour": {"$gte": 8, "$lt": 9}},
        {"context.hour": {"$lt": 0.5}},
        {"context.cart.categories": {"$all": ["Lamp"]}},
        {"context.city": {"$regex": "^New"}, "context.country": "US"},
        {"segment.name": {"$in": ["budget-conscious"]}, "segment.confidence": {"$gte": 0.6}},
        {"segment.attributes.discount_seeker": True, "profile.brand.Alba": {"$gt": 0.2}},
    ],
)
def test_what_can_match(state: State, when: dict[str, Any]) -> None:
    assert codes(state, {"when": when}) == []


def test_times_that_never_come(state: State) -> None:
    assert codes(state, {"schedule": {"from": "2100-02-01", "until": "2100-01-01"}}) == ["never-matches"]
    assert codes(state, {"schedule": {"until": "2020-01-01T10:00"}}) == ["over"]
    assert codes(state, {"experiment": {"experiment_id": "x", "coverage": 0}}) == ["never-matches"]


def test_what_would_empty_a_placement(state: State) -> None:
    finding = found(state, {"then": [{"effect": "filter", "where": {"brand": "Nobody"}}]})[0]
    assert (finding.code, finding.level, finding.rule_id) == ("empties-placement", "warning", "r0")
    assert "0 of 30 products" in finding.message
    assert codes(state, {"then": [{"effect": "require", "tags": ["none"]}]}) == ["empties-placement"]
    assert codes(state, {"then": [{"effect": "filter", "where": {"brand": "Alba"}}]}) == []


def test_effects_on_nothing(state: State) -> None:
    assert codes(state, {"then": [{"effect": "pin", "product_id": "gone", "position": 1}]}) == ["unknown-product"]
    assert codes(state, {"then": [{"effect": "prefer", "tags": ["none"]}]}) == ["matches-nothing"]


def test_contradictions(state: State) -> None:
    alba = {"effect": "filter", "where": {"brand": "Alba"}}
    not_alba = {"effect": "filter", "where": {"brand": "Alba"}, "exclude": True}
    pin = {"effect": "pin", "product_id": "p00", "position": 1}
    boost, bury = ({"effect": name, "where": {"brand": "Alba"}, "by": 2} for name in ("boost", "bury"))
    title = {"effect": "title", "title": "Other"}
    assert codes(state, {"then": [alba]}, {"then": [not_alba]}) == ["contradicts"]
    assert codes(state, {"then": [pin]}, {"then": [not_alba]}) == ["contradicts"]
    assert codes(state, {"then": [boost]}, {"then": [bury]}) == ["contradicts"]
    assert codes(state, {}, {"then": [title]}) == ["contradicts"]
    assert codes(state, {}, {"then": [title], "priority": 1}) == []
    assert codes(state, {"placements": ["home-hero"]}, {"then": [title], "placements": ["cart-complete"]}) == []
    mobile, desktop = ({"when": {"context.device": name}} for name in ("mobile", "desktop"))
    assert codes(state, mobile, {**desktop, "then": [title]}) == []
    before, after = {"schedule": {"until": "2100-01-01"}}, {"schedule": {"from": "2100-01-01"}}
    assert codes(state, before, {**after, "then": [title]}) == []


def test_names_that_do_not_exist_are_errors(state: State) -> None:
    finding = found(state, {"when": {"context.devcie": "mobile"}})[0]
    assert (finding.level, finding.code, finding.field) == ("error", "unknown-fact", "when.context.devcie")
    assert "did you mean context.device?" in finding.message
    assert codes(state, {"then": [{"effect": "boost", "where": {"colour": "red"}}]}) == ["unknown-fact"]
    assert codes(state, {"placements": ["home-hera"]}) == ["unknown-placement"]


# --------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"rule_id": "R 1"}, "rules.0.rule_id"),
        ({"priority": "high"}, "rules.0.priority"),
        ({"then": []}, "rules.0.then"),
        ({"then": [{"effect": "boost"}]}, "rules.0.then.0.where"),
        ({"then": [{"effect": "explode"}]}, "rules.0.then.0.effect"),
        ({"then": [{"effect": "boost", "where": {}, "by": 0.5}]}, "rules.0.then.0.by"),
        ({"then": [{"effect": "boost", "where": {"price": {"$lit": 3}}}]}, "rules.0.then.0.where.price.$lit"),
        ({"then": [{"effect": "pin", "position": 1}]}, "rules.0.then.0.product_id"),
        (
            {"then": [{"effect": "lock", "position": 1, "product_ids": ["a"], "until": "2026-02-30"}]},
            "rules.0.then.0.until",
        ),
        ({"then": [{"effect": "message", "text": "x", "url": "javascript:alert(1)"}]}, "rules.0.then.0.url"),
        ({"when": {"$or": 3}}, "rules.0.when.$or"),
        ({"schedule": {"from": "tomorrow"}}, "rules.0.schedule.from"),
        ({"schedule": {"hours": [{"from": "25:00", "until": "26:00"}]}}, "rules.0.schedule.hours.0.from"),
        ({"experiment": {"experiment_id": "x", "weights": [0.5, 0.1]}}, "rules.0.experiment.weights"),
        ({"colour": "red"}, "rules.0.colour"),
    ],
)
def test_errors_say_where(rule: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        read_ruleset({"rules": [{"rule_id": "r", "then": NOTHING, **rule}]})
    assert caught.value.field == field


def test_two_rules_of_one_id() -> None:
    with pytest.raises(InputError, match="already") as caught:
        read_ruleset({"rules": [{"rule_id": "r", "then": NOTHING}] * 2})
    assert caught.value.field == "rules.1.rule_id"


def test_the_schema_is_one() -> None:
    made = schema()
    assert set(made["$defs"]) >= {"Rule", "Boost", "Pin", "Lock", "Schedule", "Gate"}


# --------------------------------------------------------------------------------------------- in words


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            {
                "when": {"segment.name": "budget-conscious", "context.commuting": True},
                "then": [{"effect": "prefer", "tags": ["portable"], "by": 1.5}],
            },
            "When the segment is *budget-conscious* and it is commuting hours, boost products tagged *portable* "
            "by 1.5.",
        ),
        (
            {
                "then": [{"effect": "filter", "where": {"on_sale": True, "price": {"$lt": 50}}}],
                "placements": ["home-hero"],
            },
            "Show only products on sale now and whose price is below 50 in *home-hero*.",
        ),
        (
            {
                "when": {"$nor": [{"context.device": "desktop"}, {"profile.returning": True}]},
                "then": [{"effect": "limit", "per": "brand", "most": 2}, {"effect": "title", "title": "Hi"}],
                "schedule": {
                    "until": "2026-12-24T18:00",
                    "hours": [{"days": ["monday"], "from": "07:00", "until": "09:30"}],
                },
                "experiment": {"experiment_id": "calm", "coverage": 0.5},
            },
            "When the device is not *desktop* and not: the visitor returns, show at most 2 of one brand; title the "
            "block “Hi”. In force until 2026-12-24 18:00, Monday 07:00–09:30. Only for variation 1 of the experiment "
            "*calm*, 50% of visitors take part.",
        ),
    ],
)
def test_a_rule_in_words(rule: dict[str, Any], said: str) -> None:
    assert summary(read_rule({"rule_id": "r", **rule}), vocabulary()) == said


# --------------------------------------------------------------------------------------- changes and trials


def test_changes_are_checked_versioned_and_audited(tmp_path: Path) -> None:
    state = mounted(tmp_path, watches())[1]
    book = state.rulebook
    rule = read_rule({"rule_id": "calm", "then": NOTHING})
    assert book.put(rule, by="cli", expected=0).version == 1
    with pytest.raises(ConflictError):
        book.put(rule, by="cli", expected=0)
    empty = read_rule({"rule_id": "empty", "then": [{"effect": "filter", "where": {"brand": "Nobody"}}]})
    with pytest.raises(FindingsError) as caught:
        book.put(empty, by="cli")
    assert [finding.code for finding in caught.value.findings] == ["empties-placement"]
    assert book.put(empty, by="admin:anna", force=True).version == 2
    assert book.switch("empty", False, by="admin:anna").version == 3
    assert [rule.enabled for rule in book.read()[1].rules] == [True, False]
    assert book.delete("calm", by="cli").version == 4
    with pytest.raises(NotFoundError):
        book.delete("calm", by="cli")
    assert book.roll_back(1, by="cli").version == 5
    assert book.read()[1].rules == (rule,)
    wrong = read_ruleset({"rules": [{"rule_id": "x", "when": {"contxt": 1}, "then": NOTHING}]})
    with pytest.raises(FindingsError):
        book.save(wrong, by="cli", force=True)
    noted = [(entry.actor, entry.action, entry.subject) for entry in state.audit.latest(10, action="rule")]
    assert noted == [
        ("cli", "rules.rolled-back", "rules"),
        ("cli", "rule.deleted", "rule:calm"),
        ("admin:anna", "rule.disabled", "rule:empty"),
        ("admin:anna", "rule.added", "rule:empty"),
        ("cli", "rule.added", "rule:calm"),
    ]


def test_a_trial_says_what_would_be(state: State) -> None:
    draft = read_ruleset(
        {
            "rules": [
                {
                    "rule_id": "pin",
                    "when": {"context.device": "mobile"},
                    "then": [{"effect": "pin", "product_id": "p07", "position": 2}],
                },
                {"rule_id": "off", "enabled": False, "then": NOTHING},
                {"rule_id": "cart", "placements": ["cart-complete"], "then": NOTHING},
                {"rule_id": "night", "when": {"context.daypart": "night"}, "then": NOTHING},
                {"rule_id": "past", "schedule": {"until": "2020-01-01"}, "then": NOTHING},
                {"rule_id": "gate", "experiment": {"experiment_id": "e"}, "then": NOTHING},
            ]
        }
    )
    request = SlateRequest(
        placement="home-hero",
        now=time.time(),
        consent_level=ConsentLevel.CONTEXTUAL,
        context=Context(device="mobile", daypart="evening"),
    )
    tried = try_rules(state.pipeline, state.rule_source, draft, request)
    assert {rule.rule_id: rule.why_not for rule in tried.rules} == {
        "pin": "",
        "off": "disabled",
        "cart": "placement",
        "night": "condition",
        "past": "schedule",
        "gate": "experiment",
    }
    assert [item.product_id for item in tried.after.items][1] == "p07"
    assert "p07" not in [item.product_id for item in tried.before.items][:1]
    assert tried.moved["p07"][1] == 2
    assert tried.facts["context"]["device"] == "mobile"
    assert tried.after.items[1].reason_codes == ("pinned", "rule:pin")
    assert state.rules.current() == 0, "nothing was saved"


def test_how_many_slates_a_rule_would_have_touched(tmp_path: Path) -> None:
    state = mounted(tmp_path, watches(), MTP_CACHE_SECONDS=0)[1]
    now = time.time()
    for number in range(10):
        page = "home" if number < 3 else "product"
        state.pipeline.recommend(
            SlateRequest(placement="home-hero", now=now - 60 * number, context=Context(page_type=page))
        )
    state.slates.flush()
    draft = read_ruleset({"rules": [{"rule_id": "r", "when": {"context.page_type": "home"}, "then": NOTHING}]})
    found = touched(state.pipeline, state.slates, state.rule_source, draft, until=now + 1)
    assert (found.looked, found.touched, found.by_rule) == (10, 3, {"r": 3})


def test_a_condition_error_keeps_its_kind() -> None:
    with pytest.raises(ConditionError):
        read_rule({"rule_id": "r", "when": {"a": {"$b": 1}}, "then": NOTHING})

"""Rules in the console: every path of the editor, JSON, versions; whatever is sent is answered beside its field."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtp_plugin.records import Rule, RuleSet
from mtp_plugin.rules.read import read_rule
from mtp_plugin.web.admin.forms import Form
from mtp_plugin.web.admin.rule_form import KINDS, RuleForm, form_of, rule_of, sent_form

from .conftest import Desk

PLACEMENTS = ("home-hero", "home-trending")
FELT: dict[str, Any] = {
    "rule_id": "felt-first",
    "name": "Felt first",
    "priority": 5,
    "placements": ["home-hero"],
    "when": {"context.device": "mobile", "profile.orders": {"$gte": 1, "$lt": 9}},
    "then": [
        {"effect": "boost", "where": {"title": {"$regex": "^Felt"}}, "by": 3.0},
        {"effect": "bury", "where": {"$or": [{"brand": "Acme"}, {"price": {"$gt": 100}}]}, "by": 2.0},
        {"effect": "filter", "where": {"brand": "Bolt"}, "exclude": True},
        {"effect": "prefer", "tags": ["a", "b"], "by": 2.5},
        {"effect": "require", "tags": ["c"]},
        {"effect": "pin", "position": 2, "product_id": "p001"},
        {"effect": "lock", "position": 1, "product_ids": ["p002", "p003"], "until": "2030-01-01"},
        {"effect": "limit", "per": "category", "most": 3},
        {"effect": "strategy", "strategies": ["on-sale", "best-sellers"]},
        {"effect": "title", "title": "Soft things"},
        {"effect": "message", "text": "Warm and light", "url": "/felt"},
        {"effect": "model", "version": "20260101T000000-ab"},
    ],
    "schedule": {
        "from": "2026-01-01",
        "until": "2030-12-24T18:00",
        "hours": [{"from": "07:00", "until": "09:30", "days": ["monday", "friday"]}],
    },
    "experiment": {"experiment_id": "felt", "variation": 1, "coverage": 0.5, "weights": [0.2, 0.8], "seed": "x"},
    "note": "For the cold weeks",
}
"""A rule with one of every effect."""


def as_sent(form: RuleForm) -> dict[str, str]:
    """The fields that a browser would send of this form."""
    sent = dict(form.values)
    sent |= {f"placement.{name}": "on" for name in form.placements}
    sent |= _condition(form.when, "when")
    for place, effect in enumerate(form.effects):
        sent[f"effect.{place}.kind"] = effect.kind
        sent |= {f"effect.{place}.{name}": value for name, value in effect.values.items()}
        sent |= _condition(effect.where, f"effect.{place}.where")
    for place, hours in enumerate(form.hours):
        sent |= {f"schedule.hours.{place}.{name}": value for name, value in hours.items()}
    return sent


def _condition(condition: Any, prefix: str) -> dict[str, str]:
    if condition.rows is None:
        return {f"{prefix}.json": condition.text}
    sent = {f"{prefix}.any": "any" if condition.rows.any else "all"}
    for place, row in enumerate(condition.rows.rows):
        sent |= {f"{prefix}.{place}.{name}": getattr(row, name) for name in ("fact", "comparison", "value")}
    return sent


def again(rule: Rule) -> Rule | None:
    """A rule that went through the form unchanged."""
    return rule_of(sent_form(Form(as_sent(form_of(rule)))), PLACEMENTS)


def put(desk: Desk, **changes: Any) -> Rule:
    """Save a simple rule beside the form."""
    plain = {"rule_id": "felt-first", "then": [{"effect": "boost", "where": {"brand": "Bolt"}, "by": 3.0}], **changes}
    rule = read_rule(plain)
    desk.shop.state.rulebook.put(rule, by="test", force=True)
    desk.shop.state.pipeline.live.refresh()
    return rule


# ------------------------------------------------------------------------------------------------ form and back


def test_every_effect_goes_through_the_form_unchanged() -> None:
    rule = read_rule(FELT)
    assert {effect["effect"] for effect in FELT["then"]} == set(KINDS)
    assert again(rule) == rule


@pytest.mark.parametrize("when", [{}, {"$or": [{"context.device": "mobile"}, {"context.urban": True}]},
                                  {"$nor": [{"context.device": "tv"}]}, {"a": {"$not": {"$gt": 3}}}])  # fmt: skip
def test_so_does_every_condition(when: dict[str, Any]) -> None:
    rule = msgspec.structs.replace(read_rule(FELT), when=when)
    assert again(rule) == rule


# ------------------------------------------------------------------------------------------------- the editor


def test_there_are_none_and_then_there_is_one(desk: Desk) -> None:
    assert "No rules yet" in desk.get("/rules/").text
    page = desk.get("/rules/new").text
    assert "Then" in page
    new = {
        "rule_id": "bolt", "name": "Bolt first", "priority": "0", "enabled": "on", "version": "0", "intent": "save",
        "effect.0.kind": "boost", "effect.0.by": "4", "effect.0.where.0.fact": "brand",
        "effect.0.where.0.comparison": "$eq", "effect.0.where.0.value": "Bolt",
    }  # fmt: skip
    assert desk.be(("merchandiser", "Ada")).post("/rules/new", **new).status_code == 303
    page = desk.get("/rules/").text
    assert "Bolt first" in page
    assert "boost products of the brand <em>Bolt</em> by 4" in page.replace("Boost", "boost")
    assert "bolt is saved" in page
    (info, *_) = desk.shop.state.rulebook.history()
    assert info.created_by == "admin:Ada"
    assert desk.shop.state.audit.latest(1)[0].actor == "admin:Ada"
    assert desk.post("/rules/new", **new).status_code == 422, "the id is taken"


def test_rows_and_effects_are_added_and_removed_without_saving(desk: Desk) -> None:
    put(desk)
    sent = as_sent(form_of(read_rule(FELT)))
    page = desk.post("/rules/rule/felt-first", **{**sent, "intent": "add.effect", "kind": "title"}).text
    assert page.count("Another heading</legend>") == 2
    page = desk.post("/rules/rule/felt-first", **{**sent, "intent": "remove.0"}).text
    assert "Boost products</legend>" not in page
    page = desk.post("/rules/rule/felt-first", **{**sent, "intent": "add.when"}).text
    assert 'name="when.2.fact"' in page or 'name="when.3.fact"' in page
    assert desk.shop.state.rulebook.read()[0] == 1


def test_a_trial_shows_both_slates_and_what_it_would_have_touched(desk: Desk) -> None:
    put(desk, enabled=False)
    desk.shop.browser().get("/")
    desk.shop.state.slates.flush()
    sent = as_sent(form_of(desk.shop.state.rulebook.read()[1].rules[0]))
    page = desk.post("/rules/rule/felt-first", **{**sent, "intent": "test", "placement": "home-hero"})
    assert page.status_code == 200
    assert "It holds for this request" in page.text
    assert "Without it" in page.text
    assert re.search(r"<strong>100 %</strong> of last week", page.text)
    assert desk.shop.state.rulebook.read()[0] == 1, "a trial saves nothing"
    sent |= {"when.0.fact": "context.device", "when.0.comparison": "$eq", "when.0.value": "mobile"}
    page = desk.post("/rules/rule/felt-first", **{**sent, "intent": "test", "placement": "home-hero"}).text
    assert "It does not hold" in page
    sent |= {"intent": "test", "placement": "home-hero", "context.device": "mobile"}
    assert "It holds for this request" in desk.post("/rules/rule/felt-first", **sent).text
    assert "No visitor is known" in desk.post("/rules/rule/felt-first", **{**sent, "visitor": "nobody"}).text


def test_on_off_delete_and_back(desk: Desk) -> None:
    put(desk)
    assert (
        desk.post("/rules/rule/felt-first/switch", on="no", **{"from": "list"}).headers["Location"]
        == "/mtp/admin/rules/"
    )
    assert not desk.shop.state.rulebook.read()[1].rules[0].enabled
    assert desk.post("/rules/rule/felt-first/delete").status_code == 303
    page = desk.get("/rules/").text
    assert "felt-first is deleted" in page
    assert 'action="/mtp/admin/rules/versions/restore"' in page
    assert desk.post("/rules/versions/restore", number="1").status_code == 303
    assert desk.shop.state.rulebook.read()[1].rules[0].enabled
    assert "Roll back" in desk.get("/rules/versions/").text
    assert len(desk.get("/rules/versions/1.json").get_json()["rules"]) == 1
    for number in ("99", "x", "", "-1"):
        assert desk.post("/rules/versions/restore", number=number).status_code == 404
    assert desk.get("/rules/versions/99.json").status_code == 404


def test_whoever_was_slower_is_told(desk: Desk) -> None:
    rule = put(desk)
    sent = {**as_sent(form_of(rule)), "intent": "save", "version": "1"}
    put(desk, name="Another's")
    answer = desk.post("/rules/rule/felt-first", **{**sent, "name": "Mine"})
    assert answer.status_code == 409
    assert "Somebody else changed the rules" in answer.text
    assert 'value="Mine"' in answer.text
    assert 'name="version" value="2"' in answer.text


def test_warnings_are_shown_before_and_can_be_meant(desk: Desk) -> None:
    rule = put(desk)
    never = {"$and": [{"context.device": "mobile"}, {"context.device": "desktop"}]}
    sent = as_sent(form_of(msgspec.structs.replace(rule, when=never))) | {"version": "1"}
    answer = desk.post("/rules/rule/felt-first", **{**sent, "intent": "save"})
    assert answer.status_code == 422
    assert "Before this is saved" in answer.text or "This cannot be saved" in answer.text
    if "spite of the warnings" in answer.text:
        assert desk.post("/rules/rule/felt-first", **{**sent, "intent": "force"}).status_code == 303


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rule_id": "No Spaces"}, "rule_id"),
        ({"effect.0.kind": "title", "effect.0.title": ""}, "effect.0.title"),
        ({"effect.0.kind": "strategy", "effect.0.strategies": "magic"}, "effect.0.strategies"),
        ({"priority": "high"}, "priority"),
        ({"effect.0.by": "0"}, "effect.0.by"),
        ({"effect.0.by": "many"}, "effect.0.by"),
        ({"schedule.from": "tomorrow"}, "schedule.from"),
        ({"schedule.hours.0.from": "25:00", "schedule.hours.0.until": "26:00"}, "schedule.hours.0.from"),
        ({"experiment.experiment_id": "x", "experiment.variation": "b"}, "experiment.variation"),
        ({"when.0.fact": "context.device", "when.0.comparison": "$regex", "when.0.value": "("}, "when.0.value"),
        ({"effect.0.where.json": "{"}, "effect.0.where.json"),
        ({"effect.0.kind": ""}, "add"),
    ],
)
def test_an_error_stands_beside_its_field(steady: Desk, changes: dict[str, str], field: str) -> None:
    steady.be(("administrator", "Ada"))
    new = {"rule_id": "x", "priority": "0", "intent": "save", "effect.0.kind": "boost", "effect.0.by": "2"}
    answer = steady.post("/rules/new", **{**new, "experiment.coverage": "100", **changes})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text, re.findall(r'href="(#[^"]+)"', answer.text)
    assert f'id="{field}"' in answer.text
    assert "regex" not in answer.text.replace("$regex", ""), "people are told what to do, in words"
    assert "Expected" not in answer.text


def test_each_word_of_the_sentence_leads_to_its_field(desk: Desk) -> None:
    put(desk, **{name: value for name, value in FELT.items() if name != "rule_id"})
    page = desk.get("/rules/rule/felt-first").text
    (said,) = re.findall(r'<p class="sentence">(.*?)</p>', page)
    words = dict(re.findall(r'<a href="#([^"]+)">([^<]+)</a>', said))
    assert words["when.0.value"] == "mobile"
    assert words["effect.0.by"] == "3"
    assert words["effect.3.tags"] == "b"
    assert words["effect.9.title"] == "“Soft things”"
    assert words["experiment.coverage"] == "50%"
    assert {"when.1.value", "when.2.value", "placements", "schedule.until", "schedule.hours.0.from"} <= set(words)
    missing = [name for name in words if f'id="{name}"' not in page]
    assert missing == []


def test_a_rule_is_tried_where_it_counts(desk: Desk) -> None:
    name = [*desk.shop.state.placements][-1]
    put(desk, placements=[name], when={"segment.attributes.discount_seeker": True})
    page = desk.get("/rules/rule/felt-first").text
    assert f'<option value="{name}" selected>' in page
    assert 'When <a href="#when.0.value">the segment&#39;s discount seeker is yes</a>' in page


# ---------------------------------------------------------------------------------------------- JSON, and anything


def test_a_file_of_rules_is_imported_and_undone(desk: Desk) -> None:
    put(desk)
    assert "Import" in desk.get("/rules/").text
    assert desk.get("/rules/import").status_code == 200
    made = {"rules": [{"rule_id": "a", "then": [{"effect": "title", "title": "Ω"}]}]}
    file = (io.BytesIO(b"\xef\xbb\xbf" + json.dumps(made).encode()), "rules.json")
    assert desk.post("/rules/import", file=file, note="From the repository").status_code == 303
    assert [rule.rule_id for rule in desk.shop.state.rulebook.read()[1].rules] == ["a"]
    assert desk.shop.state.rulebook.history()[0].note == "From the repository"
    page = desk.get("/rules/").text
    assert "1 rule is imported" in page
    assert '<input type="hidden" name="number" value="1">' in page
    wrong = {"rules": [{"rule_id": "a", "then": [{"effect": "title"}]}]}
    answer = desk.post("/rules/import", json=json.dumps(wrong))
    assert (answer.status_code, "rules.0.then.0.title" in answer.text) == (422, True)
    for text in ("", "{", "[]", "null", '{"rules": 1}'):
        assert desk.post("/rules/import", json=text).status_code == 422
    assert desk.post("/rules/import", file=(io.BytesIO(b"\xff"), "x.json")).status_code == 422
    assert desk.post("/rules/import", json=json.dumps(made), version="1").status_code == 409
    unknown = {"rules": [{**made["rules"][0], "placements": ["nowhere"]}]}
    assert "This cannot be saved" in desk.post("/rules/import", json=json.dumps(unknown)).text
    assert desk.be(("viewer", "Vi")).post("/rules/import", json=json.dumps(made)).status_code == 403


def test_json_and_back(desk: Desk) -> None:
    put(desk)
    page = desk.get("/rules/rule/felt-first/json").text
    assert "&#34;rule_id&#34;: &#34;felt-first&#34;" in page
    made = {"rule_id": "felt-first", "then": [{"effect": "title", "title": "Ω"}]}
    assert desk.post("/rules/rule/felt-first/json", json=json.dumps(made)).status_code == 303
    assert desk.shop.state.rulebook.read()[1].rules[0] == read_rule(made)
    wrong = desk.post("/rules/rule/felt-first/json", json=json.dumps({**made, "then": [{"effect": "title"}]}))
    assert wrong.status_code == 422
    assert "then.0.title" in wrong.text
    assert desk.post("/rules/rule/felt-first/json", json=json.dumps({**made, "rule_id": "other"})).status_code == 422


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["rule_id", "then", "when", "effect", "where", "by", "$or", "$in", "a.b", "schedule"])
        | st.text(max_size=6), inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=ANYTHING, text=st.text(max_size=40), whole=st.booleans())
def test_whatever_json_is_sent_is_answered(steady: Desk, made: Any, text: str, whole: bool) -> None:
    steady.be(("administrator", "Ada"))
    if not steady.shop.state.rulebook.read()[1].rules:
        put(steady)
    body = json.dumps(made) if whole else text
    assert steady.post("/rules/rule/felt-first/json", json=body).status_code in (303, 422)


NAMES = (
    "rule_id", "priority", "intent", "kind", "when.0.fact", "when.0.comparison", "when.0.value", "when.json",
    "effect.0.kind", "effect.0.where.0.fact", "effect.0.where.0.value", "effect.0.by", "effect.1.kind",
    "effect.1.position", "schedule.from", "schedule.hours.0.from", "experiment.experiment_id", "experiment.rest",
    "version", "visitor", "placement", "context.hour", "segment",
)  # fmt: skip
TYPED = st.text(max_size=12) | st.sampled_from(
    [*KINDS, "$eq", "$in", "save", "test", "add.effect", "remove.0", "1", "x-1"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.dictionaries(st.sampled_from(NAMES), TYPED))
def test_whatever_form_is_sent_is_answered(steady: Desk, form: dict[str, str]) -> None:
    steady.be(("administrator", "Ada"))
    assert steady.post("/rules/new", **form).status_code in (200, 303, 409, 422)


def test_an_empty_set_has_pages_too(desk: Desk) -> None:
    desk.shop.state.rulebook.save(RuleSet(), by="test")
    assert "No rules yet" in desk.get("/rules/").text
    assert desk.get("/rules/versions/").status_code == 200

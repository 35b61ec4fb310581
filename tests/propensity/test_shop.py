"""Propensity in a shop: trained by the command, on slates and by the API for those who agreed, forgotten with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from flask import Flask

from mtp_plugin.likely import Likely
from mtp_plugin.propensity.features import DAY
from mtp_plugin.propensity_training import chosen, forget_propensity, train_propensity
from mtp_plugin.records import ConsentLevel, Context, SlateRequest
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.scheduled import propensity_source
from mtp_plugin.state import State
from mtp_plugin.trial import try_rules

from ..core.shops import mounted
from . import world

SECRET = {"Authorization": "Bearer server-secret"}
QUICK = {"max_iter": 15}


def shop(folder: Path, people: world.People, **config: Any) -> tuple[Flask, State]:
    app, state = mounted(
        folder, world.products(), MTP_SECRET_KEYS="server-secret", MTP_PROPENSITY_PARAMS=QUICK,
        MTP_SEGMENT_MIN_AGE=0, **config,
    )  # fmt: skip
    state.pipeline.ingest([event for events in people.values() for event in events])
    return app, state


def train(state: State) -> str:
    table = state.pipeline.live.refresh().table
    return train_propensity(propensity_source(state), table, now=world.NOW, seed=0, progress=lambda text: None)


@pytest.fixture(scope="module")
def people() -> world.People:
    return world.people(36)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, people: world.People) -> Iterator[tuple[Flask, State]]:
    app, state = shop(tmp_path_factory.mktemp("shop"), people)
    train(state)
    state.pipeline.live.refresh()
    yield app, state
    state.close()


def asked(level: ConsentLevel = ConsentLevel.FULL) -> SlateRequest:
    ids = ("u:v0",) if level is ConsentLevel.FULL else ()
    return SlateRequest(placement="home-hero", now=world.NOW + DAY, consent_level=level, profile_ids=ids)


def test_slates_tell_purchases_with_full_consent_alone(trained: tuple[Flask, State]) -> None:
    pipeline = trained[1].pipeline
    told = {item.product_id: item.purchase_probability for item in pipeline.recommend(asked()).items}
    assert told
    assert all((value is None) == name.startswith("lamps") for name, value in told.items()), "nobody buys lamps"
    assert all(0 < value < 1 for value in told.values() if value is not None)
    assert max(told, key=lambda name: told[name] or 0).startswith("coffee"), "what the visitor buys each week"
    for level in (ConsentLevel.CONTEXTUAL, ConsentLevel.NON_PERSONAL):
        items = pipeline.recommend(asked(level)).items
        assert items
        assert all(item.purchase_probability is None for item in items)


def test_a_server_reads_it_and_nobody_else_may_name_a_visitor(trained: tuple[Flask, State]) -> None:
    client = trained[0].test_client()
    asking = "/mtp/v1/propensity?user_id=v1&product_ids=tea-0,none&limit=2"
    body = client.get(asking, headers=SECRET).get_json()
    assert [one["category"] for one in body["categories"]][:1] == ["Shop > Tea"]
    assert len(body["categories"]) == 2
    assert body["products"][0]["purchase_probability"] > 0
    assert body["products"][1] == {"product_id": "none", "purchase_probability": None}
    assert (body["horizon_days"], body["consent_level"]) == (7, "full")
    assert body["model_version"] == trained[1].registry.current("propensity")
    assert client.get(asking).status_code == 403
    assert client.get("/mtp/v1/propensity?limit=0", headers=SECRET).status_code == 400
    nobody = client.get("/mtp/v1/propensity")
    assert nobody.get_json()["categories"] == []
    assert "no-store" in nobody.headers["Cache-Control"]


def test_the_api_says_what_the_slate_says(trained: tuple[Flask, State]) -> None:
    state = trained[1]
    profile = state.pipeline.profile_of(("u:v0",), ConsentLevel.FULL, world.NOW)
    assert profile is not None
    serving, item = state.pipeline.live.get(), state.pipeline.recommend(asked()).items[0]
    row = np.array([serving.table.index[item.product_id]])
    assert serving.propensity.of_products(profile, row, world.NOW + DAY)[0] == item.purchase_probability


def test_who_is_too_young_is_not_told_of(trained: tuple[Flask, State]) -> None:
    pipeline = trained[1].pipeline
    profile = pipeline.profile_of(("u:v0",), ConsentLevel.FULL, world.NOW)
    assert profile is not None
    serving = pipeline.live.get()
    for age, told in ((20, True), (21, False)):
        likely = Likely(serving.propensity, age)
        assert any(likely.by_id(serving.table, profile, ["coffee-0"], world.NOW)) is told, "the visitor is 20"
        assert bool(likely.by_category(profile, world.NOW)) is told
        assert bool(likely.facts(profile, world.NOW)) is told
    source = propensity_source(trained[1])
    assert len(chosen(source)) == 36
    older = chosen(replace(source, settings=replace(pipeline.settings, segment_min_age=40)))
    assert sorted(older) == sorted(f"u:v{number}" for number in range(20, 36)), "visitor i is 20 + i years old"


def test_a_strategy_goes_by_it_alone(trained: tuple[Flask, State]) -> None:
    pipeline = trained[1].pipeline
    placement = msgspec.structs.replace(pipeline.placements["home-hero"], strategies=("likely-to-buy",), size=6)
    slate = pipeline.explain(asked(), placement).slate
    assert slate.fallback_level == 0
    assert {item.reason_codes for item in slate.items} == {("likely-to-buy",)}
    told = [item.purchase_probability for item in slate.items]
    assert [item.score for item in slate.items] == pytest.approx(told), "the score is the probability"
    assert slate.items[0].product_id.startswith("coffee")
    assert not any(item.product_id.startswith("lamps") for item in slate.items), "nothing is told of lamps"
    shared = pipeline.explain(asked(ConsentLevel.CONTEXTUAL), placement).slate
    assert (shared.strategy, shared.fallback_level) == ("best-sellers", 1)


def test_conditions_of_segments_and_rules_ask_for_it(trained: tuple[Flask, State]) -> None:
    app, state = trained
    condition = {"profile.purchase_probability.Shop > Tea": {"$gte": 0.3}}
    run = app.test_cli_runner()
    made = run.invoke(args=["mtp", "segments", "create", "Tea soon", "--condition", json.dumps(condition), "--json"])
    assert made.exit_code == 0, made.output
    segments = state.pipeline.live.refresh().segments
    found = {}
    for number in range(12):
        profile = state.pipeline.profile_of((f"u:v{number}",), ConsentLevel.FULL, world.NOW)
        ref = segments.assign(profile, Context(), world.NOW)
        found[number] = bool(ref and ref.name == "Tea soon")
    assert found == {number: number % 3 == 1 for number in range(12)}, "who buys tea each week"
    counted = json.loads(
        run.invoke(args=["mtp", "segments", "count", "--condition", json.dumps(condition), "--json"]).stdout
    )
    assert counted["looked"] == 36
    rule = {
        "rule_id": "tea",
        "when": {"profile.purchase_probability.Shop": {"$gte": 0.5}},
        "then": [{"effect": "boost", "where": {"category": "Tea"}, "by": 2}],
    }
    rules = read_ruleset({"rules": [rule]})
    tried = try_rules(state.pipeline, state.rule_source, rules, asked())
    assert tried.rules[0].holds, "of a category above others it is that any is bought from"
    assert not try_rules(state.pipeline, state.rule_source, rules, asked(ConsentLevel.CONTEXTUAL)).rules[0].holds
    run.invoke(args=["mtp", "segments", "delete", "tea-soon", "--json"])


def test_commands_report_and_draw(tmp_path: Path, trained: tuple[Flask, State]) -> None:
    run = trained[0].test_cli_runner()
    said = json.loads(run.invoke(args=["mtp", "propensity", "report", "--json"]).stdout)["report"]
    assert 0.5 < said["category"]["roc_auc"] <= 1
    assert said["product"]["of_base_rate"]["roc_auc"] == 0.5
    assert "log loss shuffled" in run.invoke(args=["mtp", "propensity", "report"]).output
    for kind in ("png", "svg"):
        found = run.invoke(args=["mtp", "propensity", "plot", str(tmp_path / "new"), "--format", kind, "--json"])
        for path in json.loads(found.stdout)["written"]:
            assert Path(path).stat().st_size > 2_000
    refused = run.invoke(args=["mtp", "propensity", "train", "--estimator", "sklearn.svm.LinearSVC", "--json"])
    assert json.loads(refused.stdout)["error"]["code"] == "setup"
    listed = json.loads(run.invoke(args=["mtp", "models", "list", "--kind", "propensity", "--json"]).stdout)["models"]
    assert listed[0]["lineage"]["visitors"] == 36
    assert listed[0]["figures"]["category"]["roc_auc"] == said["category"]["roc_auc"]


def test_without_a_model_nothing_is_told_and_a_damaged_one_degrades(tmp_path: Path, people: world.People) -> None:
    app, state = shop(tmp_path, dict(list(people.items())[:3]))
    assert state.pipeline.recommend(asked()).items[0].purchase_probability is None
    assert app.test_client().get("/mtp/v1/propensity?user_id=v1", headers=SECRET).get_json()["categories"] == []
    missing = app.test_cli_runner().invoke(args=["mtp", "propensity", "report"])
    assert missing.exit_code == 1
    assert "flask mtp propensity train" in missing.output
    state.registry.publish("propensity", {"owners": np.zeros(0, dtype=np.int64)}, {}, {"format": 99})
    assert state.pipeline.live.refresh().versions[4] == ""
    assert state.pipeline.recommend(asked()).items
    state.close()


def test_an_erased_visitor_is_in_no_model_and_the_rest_is_learnt_as_without(
    tmp_path: Path, people: world.People
) -> None:
    first = shop(tmp_path / "all", people)[1]
    train(first)
    train(first)
    gone = list(people)[4]
    first.journal.erase(gone)
    source, table = propensity_source(first), first.pipeline.live.refresh().table
    erase: dict[str, Any] = {"now": world.NOW, "seed": 0, "progress": lambda text: None}
    assert forget_propensity(source, table, ["u:nobody"], **erase) == 0
    assert forget_propensity(source, table, [gone], **erase) == 2
    assert len(first.registry.list("propensity")) == 1
    other = shop(tmp_path / "without", {who: events for who, events in people.items() if who != gone})[1]
    train(other)
    bundles = [
        state.registry.load("propensity", state.registry.current("propensity") or "") for state in (first, other)
    ]
    assert bundles[0].strings == bundles[1].strings
    assert bundles[0].arrays.keys() == bundles[1].arrays.keys()
    for name, array in bundles[0].arrays.items():
        assert np.array_equal(array, bundles[1].arrays[name], equal_nan=array.dtype.kind == "f"), name
    first.close()
    other.close()


def test_when_all_are_erased_nothing_is_told(tmp_path: Path, people: world.People) -> None:
    state = shop(tmp_path, dict(list(people.items())[:20]))[1]
    train(state)
    everybody = [who for who in people if state.journal.erase(who)]
    source, table = propensity_source(state), state.pipeline.live.refresh().table
    forget_propensity(source, table, everybody, now=world.NOW, seed=0, progress=lambda text: None)
    assert not state.pipeline.live.refresh().propensity.known
    state.close()

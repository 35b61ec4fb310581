"""A rule may let another behaviour model answer: an experiment on models, on the path, in the log and in replay."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.commands.replay import replay_of
from mtp_plugin.errors import FindingsError, UnavailableError
from mtp_plugin.extension import standard_jobs_of
from mtp_plugin.records import Context, SlateRequest
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.state import State
from mtp_plugin.training import train_behaviour

from .shops import mounted, watches
from .test_contest import HOUR, visits
from .test_rules import exposures, ids, slate, visitors, written

SEEN = {"product_ids": ("p03",), "context": Context(page_type="product")}


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Two models: with the first product 3 leads to 4, with the second, which serves, to 10, too."""
    _, state = mounted(tmp_path, watches(), MTP_CACHE_SECONDS=0)
    now = time.time()
    for step, ago in ((1, 200), (7, 100)):
        state.pipeline.ingest(visits(now - ago * HOUR, step, 240 if step == 7 else 60, step))
        table = state.pipeline.live.refresh().table
        train_behaviour(state.journal, state.registry, table, now=now - (ago - 50) * HOUR, seed=0, progress=print)
    state.pipeline.live.refresh()
    return state


def versions(state: State) -> tuple[str, str]:
    newer, older = state.registry.list("behaviour")
    assert newer.current
    return older.version, newer.version


def use(version: str, **more: Any) -> dict[str, Any]:
    return {"then": [{"effect": "model", "version": version}], **more}


def test_the_model_that_a_rule_says_answers(state: State) -> None:
    older, newer = versions(state)
    assert slate(state, "product-similar", **SEEN).model_version == newer
    before = ids(state, "product-similar", **SEEN)
    written(state, use(older))
    found = slate(state, "product-similar", **SEEN)
    assert found.model_version == older
    assert [item.product_id for item in found.items] != before
    written(state, use(newer))
    assert ids(state, "product-similar", **SEEN) == before


def test_two_models_are_variations_and_whoever_sees_another_slate_is_exposed(state: State) -> None:
    older, newer = versions(state)
    written(state, use(older, experiment={"experiment_id": "models"}))
    found = visitors(state)
    with_it = {name for name, one in found.items() if one.model_version == older}
    assert 8 < len(with_it) < 32, "about half; 40 coins fall outside of this once in 10,000 times"
    assert {one.model_version for one in found.values()} == {older, newer}
    told = exposures(state, found)
    assert {told[name] for name in with_it} <= {(("models", 1),), ()}
    assert any(told.values()), "the two models differ"
    # Both sides are judged alike: without a past all ask the same, so all were exposed or nobody.
    assert all(told.values())


def test_a_slate_of_another_model_says_so_and_replays(state: State) -> None:
    older, _ = versions(state)
    written(state, use(older))
    request = SlateRequest(placement="product-similar", now=time.time(), profile_ids=("a:x",), **SEEN)
    made = state.pipeline.recommend(request)
    state.slates.flush(60)
    entry = state.slates.get(made.recommendation_id)
    assert entry is not None
    assert entry.versions["behaviour"] == older
    assert replay_of(state)(made.recommendation_id, time.time()).verdict == "same"


def test_a_model_that_is_not_there_changes_nothing_and_is_warned_of(state: State) -> None:
    _, newer = versions(state)
    before = ids(state, "product-similar", **SEEN)
    written(state, use("20200101T000000-gone"))
    assert slate(state, "product-similar", **SEEN).model_version == newer
    assert ids(state, "product-similar", **SEEN) == before
    ruleset = read_ruleset({"rules": [{"rule_id": "r", **use("20200101T000000-gone")}]})
    with pytest.raises(FindingsError) as caught:
        state.rulebook.save(ruleset, by="ada")
    assert [finding.code for finding in caught.value.findings] == ["unknown-model"]


def test_a_model_under_test_does_not_go_for_its_age(state: State) -> None:
    older, _ = versions(state)
    written(state, use(older, enabled=False))
    for _ in range(12):
        bundle = state.registry.load("behaviour", older)
        state.registry.publish("behaviour", bundle.arrays, bundle.strings, bundle.meta)
    assert older in {info.version for info in state.registry.list("behaviour")}
    written(state)
    state.registry.publish("behaviour", bundle.arrays, bundle.strings, bundle.meta)
    assert older not in {info.version for info in state.registry.list("behaviour")}


def test_it_answers_on_when_the_catalogue_or_the_serving_model_changes(state: State) -> None:
    older, newer = versions(state)
    written(state, use(older))
    run = standard_jobs_of(state).run("refresh")
    assert run is not None
    assert run.ok
    state.registry.activate("behaviour", older)
    state.pipeline.live.refresh()
    assert slate(state, "product-similar", **SEEN).model_version == older
    state.registry.activate("behaviour", newer)
    serving = state.pipeline.live.refresh()
    assert serving.model_version == newer
    assert slate(state, "product-similar", **SEEN).model_version == older


def test_a_model_that_could_not_be_opened_is_tried_again(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    older, newer = versions(state)
    live, away = state.pipeline.live, [True]
    load = live._registry.load

    def flaky(kind: str, version: str) -> Any:
        if away[0] and version == older:
            raise UnavailableError("the folder of models is away")
        return load(kind, version)

    monkeypatch.setattr(live._registry, "load", flaky)
    written(state, use(older))
    assert slate(state, "product-similar", **SEEN).model_version == newer
    away[0] = False
    live.refresh()
    assert slate(state, "product-similar", **SEEN).model_version == newer, "not before its patience is over"
    monkeypatch.setattr(live, "_patience", 0.0)
    assert live._is_old(live.get())
    live.refresh()
    assert slate(state, "product-similar", **SEEN).model_version == older
    assert not live._is_old(live.get())

"""A new model serves if it wins over what neither it nor the serving one has seen; else it says why not."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask

from mtp_plugin.contest import Bounds, Figures, cases, held_out, judge
from mtp_plugin.extension import standard_jobs_of
from mtp_plugin.ports import BundleInfo
from mtp_plugin.records import Event
from mtp_plugin.state import State
from mtp_plugin.training import challenge_behaviour, train_behaviour

from .shops import mounted, watches
from .sorted_shop import viewed

HOUR = 3600.0


def visits(start: float, step: int, count: int, seed: int, tag: str = "v") -> list[Event]:
    """Sessions, an hour apart, that go from product n to product n + step, and on."""
    dice, events = random.Random(seed), []
    for number in range(count):
        product = dice.randrange(30)
        for place in range(4):
            at = start + number * 60.0 + place * 10.0
            events.append(viewed(f"{tag}{seed}-{number}", f"p{product:02d}", at))
            product = (product + step) % 30
    return events


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Flask, State]:
    app, state = mounted(tmp_path, watches())
    now = time.time()
    state.pipeline.ingest(visits(now - 200 * HOUR, 1, 120, 1))
    table = state.pipeline.live.refresh().table
    train_behaviour(state.journal, state.registry, table, now=now - 100 * HOUR, seed=0, progress=lambda text: None)
    state.pipeline.live.refresh()
    return app, state


def train(state: State) -> str:
    run = standard_jobs_of(state).run("train")
    assert run is not None
    assert run.ok, run.message
    return run.message


def models(state: State) -> list[BundleInfo]:
    return state.registry.list("behaviour")


def test_while_too_few_came_later_the_serving_model_stays(shop: tuple[Flask, State]) -> None:
    _, state = shop
    (champion,) = models(state)
    state.pipeline.ingest(visits(time.time() - 50 * HOUR, 1, 30, 2))
    assert "too few sessions since the serving model was trained" in train(state)
    assert [info.version for info in models(state)] == [champion.version]


def test_a_model_that_knows_what_is_new_wins_and_serves(shop: tuple[Flask, State]) -> None:
    _, state = shop
    (champion,) = models(state)
    state.pipeline.ingest(visits(time.time() - 50 * HOUR, 7, 400, 3))
    assert "serves" in train(state)
    newest = models(state)[0]
    assert newest.current
    contest = newest.lineage["contest"]
    assert (contest["won"], contest["against"], contest["metric"]) == (True, champion.version, "mrr")
    assert contest["challenger"]["mrr"] > contest["champion"]["mrr"] + 0.1
    assert contest["cases"] >= 50
    assert newest.lineage["data_until"] <= newest.lineage["trained_at"] < time.time() - 40 * HOUR
    (entry,) = state.audit.latest(5, action="model.")
    assert (entry.actor, entry.action) == ("job:train", "model.promoted")
    assert state.pipeline.live.get().model_version.find(newest.version) >= 0


def test_one_that_breaks_a_bound_stays_a_challenger_until_somebody_promotes_it(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, watches(), MTP_MODEL_BOUNDS={"coverage": 1000})
    now = time.time()
    state.pipeline.ingest(visits(now - 200 * HOUR, 1, 120, 1))
    train_behaviour(
        state.journal, state.registry, state.pipeline.live.refresh().table, now=now - 100 * HOUR, seed=0,
        progress=lambda text: None,
    )  # fmt: skip
    (champion,) = models(state)
    state.pipeline.ingest(visits(now - 50 * HOUR, 7, 400, 3))
    assert "does not serve: coverage" in train(state)
    challenger = next(info for info in models(state) if not info.current)
    assert state.registry.current("behaviour") == champion.version
    told = app.test_cli_runner().invoke(args=["mtp", "models", "list", "--kind", "behaviour"]).output
    assert f"challenger, does not serve against {champion.version}" in told
    assert "is below 1000 times" in told
    assert (
        app.test_cli_runner().invoke(args=["mtp", "models", "activate", "behaviour", challenger.version]).exit_code == 0
    )
    assert state.registry.current("behaviour") == challenger.version
    actions = [(one.action, one.subject) for one in state.audit.latest(5, action="model.")]
    assert actions == [
        ("model.activated", f"model:behaviour/{challenger.version}"),
        ("model.refused", f"model:behaviour/{challenger.version}"),
    ]
    state.close()


def test_nothing_of_the_held_out_sessions_is_learnt(tmp_path: Path) -> None:
    """Other sessions in their place: the same model, array by array."""
    start = time.time() - 50 * HOUR
    kept, held = visits(start, 7, 300, 3), visits(start + 20 * HOUR, 7, 150, 4)
    other = visits(start + 20 * HOUR, 11, 150, 4)

    def challenger(folder: Path, later: list[Event]) -> dict[str, Any]:
        _, twin = mounted(folder, watches())
        twin.pipeline.ingest([*visits(start - 150 * HOUR, 1, 120, 1), *kept, *later])
        table = twin.pipeline.live.refresh().table
        train_behaviour(twin.journal, twin.registry, table, now=start - HOUR, seed=0, progress=lambda text: None)
        version, verdict = challenge_behaviour(
            twin.journal, twin.registry, table, now=start + 40 * HOUR, seed=0, progress=lambda text: None
        )
        assert verdict.cases == 450
        arrays = {name: np.array(array) for name, array in twin.registry.load("behaviour", version).arrays.items()}
        twin.close()
        return arrays

    one, two = challenger(tmp_path / "one", held), challenger(tmp_path / "two", other)
    assert one.keys() == two.keys()
    # Whose visits they were is kept as a hash of each visitor of the whole log; what they did is not.
    changed = [
        name for name in one if name != "log_owners" and not np.array_equal(one[name], two[name], equal_nan=True)
    ]
    assert changed == []


def test_an_erasure_replaces_the_model_without_a_contest(shop: tuple[Flask, State]) -> None:
    _, state = shop
    (champion,) = models(state)
    state.pipeline.ingest(visits(time.time() - 50 * HOUR, 7, 60, 3))
    state.subjects.erase(["a:v1-5"], "test")
    (left,) = models(state)
    assert left.current
    assert left.version != champion.version


# ------------------------------------------------------------------------------------------------ parts

SAME = Figures(hr=0.4, mrr=0.2, coverage=0.5, popularity=0.3, diversity=0.5, p50_us=300.0)


def changed(**values: float) -> Figures:
    return Figures(**{name: getattr(SAME, name) for name in SAME.__struct_fields__} | values)


@pytest.mark.parametrize(
    ("values", "won"),
    [
        ({}, True),
        ({"mrr": 0.1985}, True),
        ({"mrr": 0.197}, False),
        ({"hr": 0.1}, True),
        ({"coverage": 0.41}, True),
        ({"coverage": 0.39}, False),
        ({"popularity": 0.35}, True),
        ({"popularity": 0.37}, False),
        ({"diversity": 0.39}, False),
        ({"p50_us": 590.0}, True),
        ({"p50_us": 610.0}, False),
        ({"mrr": 0.9, "coverage": 0.1}, False),
    ],
)
def test_each_bound_counts(values: dict[str, float], won: bool) -> None:
    verdict, reason = judge(changed(**values), SAME, Bounds())
    assert verdict is won
    assert won or any(name.replace("p50_us", "latency") in reason for name in values)


def test_what_is_quick_is_not_called_slow() -> None:
    assert judge(changed(p50_us=150.0), changed(p50_us=10.0), Bounds())[0]


def test_only_sessions_after_the_training_are_held_out() -> None:
    from mtp_plugin.candidates.log import TrainingLog

    log = TrainingLog.from_events([visits(1000.0, 1, 100, 1), visits(500_000.0, 1, 90, 2)])
    row = held_out(log, 400_000.0)
    assert row is not None
    assert log.time[row:].min() > 500_000.0
    assert len(np.unique(log.session[row:])) == 30
    assert len(list(cases(log.take(slice(row, None))))) == 90
    assert held_out(log, 600_000.0) is None


def test_a_bound_that_is_none_is_refused(tmp_path: Path) -> None:
    from mtp_plugin.errors import SettingError

    with pytest.raises(SettingError, match="coverage"):
        mounted(tmp_path, MTP_MODEL_BOUNDS={"beauty": 1})


def test_models_as_json(shop: tuple[Flask, State]) -> None:
    app, state = shop
    found = json.loads(app.test_cli_runner().invoke(args=["mtp", "models", "list", "--json"]).stdout)["models"]
    behaviour = next(one for one in found if one["kind"] == "behaviour")
    assert behaviour["lineage"]["code"]
    assert behaviour["lineage"]["data_from"] < behaviour["lineage"]["data_until"]
    assert state.registry.current("behaviour") == behaviour["version"]

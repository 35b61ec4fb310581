"""A model of purchases that was just learnt serves only if it tells a week better that neither model saw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mtp_plugin.contest import Bounds, Told
from mtp_plugin.propensity.features import DAY
from mtp_plugin.propensity_contest import _lacks
from mtp_plugin.propensity_training import challenge_propensity, train_propensity
from mtp_plugin.records import Event
from mtp_plugin.scheduled import propensity_source, standard_jobs
from mtp_plugin.state import State

from . import world
from .test_shop import shop

HABITS_FROM = world.START + 42 * DAY
"""Before it everybody buys from any category, from then on each from an own one."""


def restless(seed: int = 1) -> world.People:
    """The world's people, who had no habits in the first six weeks."""
    found = {}
    for place, (who, events) in enumerate(world.people(60, seed=seed).items()):
        random = np.random.default_rng((seed, 99, place))
        found[who] = [_anything(one, random) if one.timestamp < HABITS_FROM else one for one in events]
    return found


def _anything(one: Event, random: np.random.Generator) -> Event:
    if one.name != "Order Completed":
        return one
    kind = world.KINDS[int(random.integers(3))].lower()
    number = one.message_id.rsplit("-", 1)[-1]
    return world.event(one.name, one.user_id or "", number, one.timestamp, f"{kind}-{int(random.integers(2))}")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    _, made = shop(tmp_path, restless())
    learn(made, HABITS_FROM)
    yield made
    made.close()


def learn(state: State, now: float) -> str:
    return train_propensity(propensity_source(state), table(state), now=now, seed=0, progress=quiet)


def challenge(state: State, now: float = world.NOW, **bounds: Any) -> Any:
    source = propensity_source(state)
    return challenge_propensity(source, table(state), now=now, seed=0, progress=quiet, bounds=Bounds(**bounds))


def table(state: State) -> Any:
    return state.pipeline.live.refresh().table


def quiet(text: str) -> None:
    pass


def test_a_model_that_met_the_habits_wins_and_serves(state: State) -> None:
    champion = state.registry.current("propensity")
    version, verdict = challenge(state)
    assert verdict.won, verdict.reason
    assert (verdict.against, verdict.metric, verdict.cases) == (champion, "log loss", 60)
    assert verdict.lead.low > 0
    assert verdict.challenger.category_log_loss < verdict.champion.category_log_loss
    assert state.registry.current("propensity") == version
    info = next(one for one in state.registry.list("propensity") if one.current)
    assert info.lineage["contest"]["won"]
    assert info.lineage["until"] == world.NOW - 7 * DAY, "the week that judges taught it nothing"


def test_what_judges_teaches_nothing(tmp_path: Path) -> None:
    """Another week to judge by, the same model."""
    learnt = []
    for number, seed in enumerate((1, 2)):
        past, week = restless(), world.people(60, seed=seed)
        people = {
            who: [one for one in past[who] if one.timestamp < world.NOW - 7 * DAY]
            + [one for one in week[who] if one.timestamp >= world.NOW - 7 * DAY]
            for who in past
        }
        _, made = shop(tmp_path / str(number), people)
        learn(made, HABITS_FROM)
        version, verdict = challenge(made)
        learnt.append((made.registry.load("propensity", version).arrays, verdict.challenger))
        made.close()
    (first, one), (second, other) = learnt
    assert one != other, "what was told was judged by different weeks"
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name


def test_one_that_breaks_a_bound_stays_a_challenger(state: State) -> None:
    champion = state.registry.current("propensity")
    version, verdict = challenge(state, coverage=1000.0)
    assert not verdict.won
    assert "coverage" in verdict.reason
    assert state.registry.current("propensity") == champion
    assert version in {one.version for one in state.registry.list("propensity")}


def test_one_that_tells_of_a_changed_catalogue_wins(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of categories that have other names now the champion tells nothing: there is nothing to compare."""
    old = state.registry.load("propensity", state.registry.current("propensity") or "")
    moved = [msgspec.structs.replace(one, category_path=("Store", one.category)) for one in world.products()]
    monkeypatch.setattr(world, "products", lambda: moved)
    _, made = shop(tmp_path / "moved", restless())
    lineage = {"until": HABITS_FROM}
    made.registry.publish("propensity", old.arrays, old.strings, old.meta, figures={}, lineage=lineage)
    version, verdict = challenge(made)
    assert verdict.won, verdict.reason
    assert "the champion of" in verdict.reason
    assert verdict.champion.coverage < 0.5 < verdict.challenger.coverage
    assert made.registry.current("propensity") == version
    made.close()


def test_one_that_knows_no_more_stays_a_challenger(state: State) -> None:
    challenge(state)
    serving = state.registry.current("propensity")
    _, verdict = challenge(state, now=world.NOW + DAY)
    assert (verdict.lead.sure >= 0.9 and verdict.lead.mean > 0) is verdict.won
    assert not verdict.won
    assert "90% are asked for" in verdict.reason
    assert state.registry.current("propensity") == serving


def test_within_a_week_nothing_is_learnt(state: State) -> None:
    known = state.registry.list("propensity")
    for now, reason in ((HABITS_FROM + 6 * DAY, "less than 7 days"), (world.NOW + 30 * DAY, "too few orders")):
        version, verdict = challenge(state, now=now)
        assert (version, verdict.won) == ("", False)
        assert reason in verdict.reason
    assert state.registry.list("propensity") == known


def test_the_first_model_serves_and_the_job_says_how_it_went(tmp_path: Path) -> None:
    _, made = shop(tmp_path, restless())
    job = next(one for one in standard_jobs(made) if one.name == "train")
    first = job.run()
    assert "propensity" in first
    assert "there was no model that serves" in first
    assert "less than 7 days since the serving model was trained" in job.run()
    (entry,) = [one for one in made.audit.latest(9, action="model.") if one.subject.startswith("model:propensity/")]
    assert entry.action == "model.promoted"
    made.close()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"ece": 0.031}, "calibration error"),
        ({"ece": 0.019}, None),
        ({"coverage": 0.7}, "coverage"),
        ({"p50_us": 900.0}, "latency"),
        ({"p50_us": 190.0}, None),
    ],
)
def test_bounds(changed: dict[str, float], said: str | None) -> None:
    usual = {"category_log_loss": 1.0, "product_log_loss": 1.0, "ece": 0.02, "coverage": 0.9, "p50_us": 90.0}
    lacks = _lacks(Told(**usual | changed), Told(**usual), Bounds())
    assert [said in one for one in lacks] == ([True] if said else [])

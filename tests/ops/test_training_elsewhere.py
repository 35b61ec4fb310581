"""Trainings on several processes and on a real Dask cluster find what they find in their own process."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import SettingError
from mtp_plugin.parallel import each, spread_over
from mtp_plugin.propensity.learn.estimators import HIST
from mtp_plugin.propensity.learn.examples import Examples
from mtp_plugin.propensity.learn.search import search
from mtp_plugin.propensity_training import train_propensity
from mtp_plugin.scheduled import propensity_source
from mtp_plugin.segment.learn.choose import choose

from ..propensity import world
from ..propensity.test_shop import shop
from ..servers import Tethered, free_port, wait_until


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a scheduler with two workers, each a process of its own."""
    from distributed import Client

    address, folders = f"tcp://127.0.0.1:{free_port()}", [Path(tempfile.mkdtemp(prefix="mtp-dask-")) for _ in range(3)]
    program = [sys.executable, "-m", "distributed.cli"]
    scheduler = [f"{program[2]}.dask_scheduler", "--host", address, "--no-dashboard"]
    worker = [f"{program[2]}.dask_worker", address, "--no-nanny", "--no-dashboard", "--nthreads", "1"]
    commands = ([*program[:2], *words] for words in (scheduler, worker, worker))
    started = [Tethered(folder, "TERM", command) for folder, command in zip(folders, commands, strict=True)]

    def all_there() -> bool:
        try:
            with Client(address, timeout=2, set_as_default=False) as client:
                return len(client.scheduler_info()["workers"]) == 2
        except (OSError, TimeoutError):
            return False

    wait_until(all_there, "a Dask scheduler with two workers")
    yield address
    for process in started[::-1]:
        process.close()


@pytest.mark.parametrize("place", ["2", "cluster"])
def test_pieces_are_worked_out_elsewhere_and_come_back_in_order(place: str, request: pytest.FixtureRequest) -> None:
    process_of = lambda number: (number, os.getpid())  # noqa: E731  it goes along, the tests are not there
    where = request.getfixturevalue(place) if place == "cluster" else place
    here = each(process_of, range(4))
    assert here == [(number, os.getpid()) for number in range(4)]
    with spread_over(where):
        found = each(process_of, range(12))
    assert [number for number, _ in found] == list(range(12))
    assert os.getpid() not in {process for _, process in found}
    assert each(process_of, range(2)) == here[:2], "only within"


def test_a_scheduler_that_does_not_answer_is_done_without(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtp_plugin.parallel.PATIENCE", 0.2)
    with spread_over(f"tcp://127.0.0.1:{free_port()}"):
        assert each(lambda number: (number, os.getpid()), [7]) == [(7, os.getpid())]
    assert "does not answer, training here" in caplog.text


def test_settings_are_searched_for_with_the_same_outcome(cluster: str) -> None:
    dice = np.random.default_rng(4)
    count = 3000
    x = dice.normal(size=(count, 5)).astype(np.float32)
    y = dice.random(count) < 1 / (1 + np.exp(-2 * x[:, 0]))
    cut, visitor = np.sort(dice.integers(0, 4, count)).astype(np.int32), dice.integers(0, 300, count).astype(np.int32)
    examples = Examples(x, y, np.ones(count), cut, visitor, np.zeros(count, np.int32))
    here = search(HIST, examples, tries=4, seed=0, progress=lambda text: None)
    with spread_over(cluster):
        assert search(HIST, examples, tries=4, seed=0, progress=lambda text: None) == here
    assert len(here[1]) == 4


def test_segments_are_chosen_with_the_same_outcome(cluster: str) -> None:
    dice = np.random.default_rng(5)
    middles = dice.normal(size=(4, 3)) * 6
    places = np.concatenate([dice.normal(size=(60, 3)) + middle for middle in middles])[dice.permutation(240)]
    here = choose(places, "auto", 0, 10, seed=0)
    with spread_over(cluster):
        there = choose(places, "auto", 0, 10, seed=0)
    assert (there.method, there.count, there.why, there.compared) == (here.method, here.count, here.why, here.compared)
    assert here.count == 4


def test_a_shop_trains_on_the_cluster_what_it_would_train_alone(cluster: str, tmp_path: Path) -> None:
    people, learnt = world.people(36), []
    for name, address in (("alone", ""), ("together", cluster)):
        _, state = shop(tmp_path / name, people, MTP_TRAIN_ON=address)
        table = state.pipeline.live.refresh().table
        source = propensity_source(state)
        version = train_propensity(source, table, now=world.NOW, seed=0, progress=lambda text: None, tries=3)
        learnt.append(state.registry.load("propensity", version).arrays)
        state.close()
    alone, together = learnt
    assert alone.keys() == together.keys()
    for name, array in alone.items():
        assert np.array_equal(array, together[name]), name


@pytest.mark.parametrize("value", ["many", "0", "257", "http://10.0.0.5"])
def test_what_is_no_place_stops_the_start(value: object) -> None:
    with pytest.raises(SettingError, match="use a number of processes from 1 to 256, or a scheduler"):
        Settings.read({"MTP_TRAIN_ON": value})

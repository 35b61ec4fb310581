"""What every state of bandits promises: sums that add up, whoever adds them and whatever dies meanwhile."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtp_plugin.config import Settings
from mtp_plugin.ports import Advance, BanditState, BanditSum
from mtp_plugin.store.cached_bandits import CachedBandits
from mtp_plugin.store.memory import MemoryBandits
from mtp_plugin.store.open import Stores
from mtp_plugin.store.sql_bandits import SqlBandits
from tests.servers import kill

from .conftest import DATABASES, REAL, settings_of

KINDS = ("memory", *DATABASES, REAL[2])
ROOT = Path(__file__).parents[2]
Open = Callable[[], BanditState]


@pytest.fixture(params=KINDS)
def states(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Open:
    """Opens the same state again, as another worker would."""
    if request.param == "memory":
        only = MemoryBandits()
        return lambda: only
    settings = settings_of(request.param, request)
    return lambda: open_again(settings).bandits


def one(value: float = 1.0, arm: str = "a", day: int = 100, cell: int = 0, segment_id: str = "") -> BanditSum:
    return BanditSum("hero", segment_id, arm, day, cell, value)


def rows_of(state: BanditState) -> list[BanditSum]:
    return sorted(state.sums("hero"), key=msgspec.structs.astuple)


def test_what_is_added_adds_up_and_others_see_it(states: Open) -> None:
    here, there = states(), states()
    before = there.version()
    assert here.add([one(), one(0.5), one(2.0, "größe", segment_id="seg-1")])
    assert here.add([one()])
    assert there.version() > before
    assert rows_of(there) == [one(2.5), one(2.0, "größe", segment_id="seg-1")]
    assert there.sums("other") == []


def test_sums_and_cursor_move_together_or_not_at_all(states: Open) -> None:
    state = states()
    assert state.add([one()], advance=Advance("bandit:hero", "", "10"))
    version = state.version()
    assert not state.add([one()], advance=Advance("bandit:hero", "", "10")), "somebody has done this"
    assert not states().add([one()], advance=Advance("bandit:hero", "7", "20"))
    assert state.version() == version
    assert state.add([], advance=Advance("bandit:hero", "10", "15")), "what said nothing is read once"
    assert state.version() == version
    assert state.add([one()], advance=Advance("bandit:hero", "15", "20"))
    assert state.sums("hero") == [one(2.0)]


def test_what_a_database_cannot_hold_is_left_out(states: Open) -> None:
    state = states()
    assert state.add([one(arm="a")])
    if not isinstance(state, MemoryBandits):
        assert state.add([one(arm="a\0b"), one(arm="\ud800"), one()])
        assert state.sums("hero") == [one(2.0)]


def test_settling_keeps_what_is_learnt(states: Open) -> None:
    state = states()
    state.add([one(8.0, day=97), one(4.0, day=98), one(1.0, day=100), one(3.0, day=97, cell=1)])
    version = state.version()
    assert state.settle("hero", 99, 0.5) == 3
    assert rows_of(state) == [one(4.0, day=99), one(0.75, day=99, cell=1), one(1.0, day=100)]
    assert state.version() > version
    assert state.settle("hero", 99, 0.5) == 0


@pytest.mark.redis
def test_one_reads_for_all_and_without_the_copies_the_database_answers(
    request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of("sqlite+redis", request)
    here, there = open_again(settings), open_again(settings)
    here.bandits.add([one()])
    assert here.bandits.sums("hero") == [one()]
    with monkeypatch.context() as patched:
        patched.setattr(SqlBandits, "sums", lambda self, policy: pytest.fail("the copy was to be taken"))
        assert there.bandits.sums("hero") == [one()]
    here.bandits.add([one()])
    assert there.bandits.sums("hero") == [one(2.0)], "a new version is read anew"
    monkeypatch.setattr(here.cache, "get", lambda key: b"something else")
    assert CachedBandits(SqlBandits(here.bandits._state._database), here.cache).sums("hero") == [one(2.0)]


def test_a_reset_forgets_one_policy(states: Open) -> None:
    state = states()
    other = BanditSum("other", "", "a", 1, 0, 1.0)
    state.add([one(), one(day=101), other])
    version = state.version()
    assert state.reset("hero") == 2
    assert (state.sums("hero"), state.sums("other")) == ([], [other])
    assert state.version() > version


def test_eight_threads_lose_nothing(states: Open) -> None:
    threads, rounds = 8, 12

    def work(state: BanditState, number: int) -> None:
        for step in range(rounds):
            state.add([one(arm="shared"), one(0.25, arm="shared", cell=1), one(arm=f"own-{number}", day=step)])

    workers = [threading.Thread(target=work, args=(states(), number)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = {(row.arm, row.day, row.cell): row.value for row in states().sums("hero")}
    assert found["shared", 100, 0] == threads * rounds
    assert found["shared", 100, 1] == threads * rounds / 4
    assert len(found) == 2 + threads * rounds


def test_of_many_who_take_the_same_step_one_counts(states: Open) -> None:
    threads, steps, won = 8, 10, []

    def work(state: BanditState) -> None:
        for step in range(steps):
            before = str(step) if step else ""
            if state.add([one()], advance=Advance("bandit:hero", before, str(step + 1))):
                won.append(step)

    workers = [threading.Thread(target=work, args=(states(),)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(won) == sorted(set(won)), "no step counts twice"
    assert states().sums("hero") == [one(float(len(won)))]


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.floats(0, 1)), max_size=6))
def test_sums_are_those_of_a_dictionary(states: Open, values: list[tuple[str, int, float]]) -> None:
    state = states()
    state.reset("hero")
    expected: dict[tuple[str, int], float] = {}
    for arm, day, value in values:
        state.add([one(value, arm, day)])
        expected[arm, day] = expected.get((arm, day), 0.0) + value
    found = {(row.arm, row.day): row.value for row in state.sums("hero")}
    assert found.keys() == expected.keys()
    assert all(math.isclose(found[key], expected[key], abs_tol=1e-9) for key in found)


@pytest.mark.parametrize("kind", DATABASES)
def test_processes_lose_nothing_and_take_no_step_twice(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, open_again: Callable[[Settings], Stores]
) -> None:
    chosen, processes, each = settings_of(kind, request), 3, 15
    open_again(chosen).bandits.version()
    children = [learner(tmp_path / "instance", chosen, each) for _ in range(processes)]
    lines = [line for child in children for line in child.communicate(timeout=120)[0].split()]
    assert sorted(map(int, lines)) == list(range(1, processes * each + 1))
    stores = open_again(chosen)
    assert stores.bandits.sums("hero") == [one(processes * each, day=1)]
    assert stores.cursors.get("bandit:hero") == str(processes * each)


def learner(folder: Path, chosen: Settings, count: int) -> subprocess.Popen[str]:
    """A process of its own that adds *count* times 1, each with a step of the cursor."""
    config = msgspec.json.encode({"database_url": chosen.database_url, "redis_url": chosen.redis_url}).decode()
    command = [sys.executable, "-m", "tests.contract.child", "learn", str(folder), str(count), "0", config]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", DATABASES)
def test_a_killed_worker_leaves_whole_steps(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, open_again: Callable[[Settings], Stores]
) -> None:
    """Workers add 1 in a transaction with a step of the cursor, and are killed: both say the same, nothing is lost."""
    chosen = settings_of(kind, request)
    acknowledged = 0
    for _ in range(2):
        child = learner(tmp_path / "instance", chosen, 30_000)
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        time.sleep(0.2)
        kill(child)
        lines += child.stdout.readlines()
        child.stdout.close()
        acknowledged = max(int(line) for line in lines if line.endswith("\n"))
    stores = open_again(chosen)
    reached = int(stores.cursors.get("bandit:hero"))
    (row,) = stores.bandits.sums("hero")
    assert row.value == reached >= acknowledged > 3

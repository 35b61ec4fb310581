"""What every implementation of leases promises: one holder at a time, for a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mtp_plugin.config import Settings
from mtp_plugin.ports import JobRun, Leases
from mtp_plugin.store.database import Database
from mtp_plugin.store.memory import MemoryLeases
from mtp_plugin.store.open import Stores
from mtp_plugin.store.sql_leases import KEPT, SqlLeases
from tests.servers import wait_until

from .conftest import DATABASES, PATIENT_MS, settings_of


class Clock:
    """Time that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=("memory", *DATABASES))
def leases(request: pytest.FixtureRequest, clock: Clock, tmp_path: object) -> Iterator[Leases]:
    if request.param == "memory":
        yield MemoryLeases(clock)
        return
    url = settings_of(request.param, request).database_url or f"sqlite:///{tmp_path}/mtp.sqlite"
    database = Database(url, PATIENT_MS)
    yield SqlLeases(database, clock)
    database.close()


def test_one_holds_it_until_it_runs_out(leases: Leases, clock: Clock) -> None:
    assert leases.acquire("train", "one", 60)
    assert not leases.acquire("train", "two", 60)
    clock.now += 59
    assert not leases.acquire("train", "two", 60)
    clock.now += 1
    assert leases.acquire("train", "two", 60)
    assert not leases.acquire("train", "one", 60)


def test_its_holder_renews_it(leases: Leases, clock: Clock) -> None:
    assert leases.acquire("train", "one", 60)
    clock.now += 59
    assert leases.acquire("train", "one", 60)
    clock.now += 59
    assert not leases.acquire("train", "two", 60)


def test_leases_of_other_names_are_others(leases: Leases) -> None:
    assert leases.acquire("train", "one", 60)
    assert leases.acquire("import", "two", 60)


def test_only_the_holder_gives_it_back(leases: Leases) -> None:
    leases.acquire("train", "one", 60)
    leases.release("train", "two")
    assert not leases.acquire("train", "two", 60)
    leases.release("train", "one")
    leases.release("train", "one")
    assert leases.acquire("train", "two", 60)


def test_of_many_at_once_one_gets_it(leases: Leases, clock: Clock) -> None:
    for _ in range(5):
        ready = threading.Barrier(8)

        def ask(worker: int, ready: threading.Barrier = ready) -> bool:
            ready.wait()
            return leases.acquire("train", f"worker {worker}", 60)

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(ask, range(8))) == 1
        clock.now += 61


def test_the_last_run_of_each_job(leases: Leases) -> None:
    runs = [
        JobRun(name="train", started_at=1.0, seconds=2.5, ok=True, message="first"),
        JobRun(name="retention", started_at=2.0, seconds=0.0, ok=False, message="Größe: disk full"),
        JobRun(name="train", started_at=3.0, seconds=2.5, ok=True, message="second"),
    ]
    assert leases.last_runs() == {}
    for run in runs:
        leases.record_run(run)
    assert leases.last_runs() == {"train": runs[2], "retention": runs[1]}


def test_only_so_many_runs_are_kept(tmp_path: object) -> None:
    database = Database(f"sqlite:///{tmp_path}/mtp.sqlite", PATIENT_MS)
    leases = SqlLeases(database)
    for number in range(KEPT + 20):
        leases.record_run(JobRun(name="train", started_at=number, seconds=0, ok=True, message=""))
    leases.record_run(JobRun(name="other", started_at=0, seconds=0, ok=True, message=""))
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM mtp_job_run").scalar() == KEPT + 1
    assert leases.last_runs()["train"].started_at == KEPT + 19
    database.close()


@pytest.mark.parametrize("kind", DATABASES)
def test_by_the_databases_own_clock_it_runs_out(
    kind: str, request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]
) -> None:
    settings = settings_of(kind, request)
    one, other = open_again(settings).leases, open_again(settings).leases
    assert one.acquire("train", "one", 3600)
    assert not other.acquire("train", "two", 3600)
    assert one.acquire("train", "one", 0.05)
    wait_until(lambda: other.acquire("train", "two", 3600), "the end of the lease")
    assert not one.acquire("train", "one", 3600)


def test_a_lease_of_a_time_before_the_clock_was_set_back_holds_up_nobody(leases: Leases, clock: Clock) -> None:
    assert leases.acquire("job", "dead", 60)
    assert not leases.acquire("job", "other", 60)
    clock.now -= 3600
    assert leases.acquire("job", "other", 60)
    assert not leases.acquire("job", "third", 60), "it holds as ever"

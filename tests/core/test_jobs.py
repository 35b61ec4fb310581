"""Jobs run when due, once among all workers, and a failing one does not stop the rest."""

from __future__ import annotations

import threading

import pytest

from mtp_plugin.errors import ModelError, UnavailableError
from mtp_plugin.jobs import Job, Jobs, Scheduler
from mtp_plugin.store.memory import MemoryLeases


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_job_runs_when_due_and_not_before() -> None:
    clock, ran = Clock(), []
    jobs = Jobs([Job("count", 60, "", lambda: ran.append(1) or "done")], MemoryLeases(), clock)
    assert [run.message for run in jobs.run_due()] == ["done"]
    clock.now += 59
    assert jobs.run_due() == []
    clock.now += 1
    assert len(jobs.run_due()) == 1
    assert len(ran) == 2


def test_many_workers_run_it_once() -> None:
    clock, leases, ran, gate = Clock(), MemoryLeases(), [], threading.Barrier(8)

    def work() -> None:
        worker = Jobs(
            [Job("once", 60, "", lambda: ran.append(1) or "")], leases, clock, holder=threading.current_thread().name
        )
        gate.wait()
        worker.run_due()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == [1]


def test_a_failure_is_recorded_and_the_others_run() -> None:
    def fails() -> str:
        raise ModelError("no events")

    def breaks() -> str:
        raise KeyError("secret@example.com")

    jobs = Jobs(
        [Job("a", 60, "", fails), Job("b", 60, "", breaks), Job("c", 60, "", lambda: "fine")], MemoryLeases(), Clock()
    )
    runs = {run.name: run for run in jobs.run_due()}
    assert (runs["a"].ok, runs["a"].message) == (False, "no events")
    assert (runs["b"].ok, runs["b"].message) == (False, "KeyError"), "values of errors may be personal: not kept"
    assert runs["c"].ok


def test_constructor_checks() -> None:
    with pytest.raises(ValueError, match="positive"):
        Job("x", 0, "", lambda: "")


def test_a_long_job_keeps_its_lease() -> None:
    clock, leases, renewed = Clock(), MemoryLeases(), threading.Event()

    class Watched:
        def acquire(self, name: str, holder: str, seconds: float) -> bool:
            taken = leases.acquire(name, holder, seconds)
            if threading.current_thread().name == "mtp-lease-long":
                assert taken
                renewed.set()
            return taken

        def __getattr__(self, name: str) -> object:
            return getattr(leases, name)

    def long() -> str:
        assert renewed.wait(10), "the lease was not renewed"
        assert not leases.acquire("long", "somebody else", 60)
        return "done"

    run = Jobs([Job("long", 60, "", long, lease=0.3)], Watched(), clock, holder="me").run("long")  # type: ignore[arg-type]
    assert run is not None
    assert (run.ok, run.message) == (True, "done")
    assert leases.acquire("long", "somebody else", 60), "it was given back"


def test_a_lease_that_cannot_be_renewed_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    leases, failed, renewed = MemoryLeases(), threading.Event(), threading.Event()

    class Stumbling:
        def acquire(self, name: str, holder: str, seconds: float) -> bool:
            if threading.current_thread().name == "mtp-lease-long":
                if not failed.is_set():
                    failed.set()
                    raise UnavailableError("the database is away")
                renewed.set()
            return leases.acquire(name, holder, seconds)

        def __getattr__(self, name: str) -> object:
            return getattr(leases, name)

    jobs = Jobs([Job("long", 60, "", lambda: str(renewed.wait(10)), lease=0.3)], Stumbling(), Clock())  # type: ignore[arg-type]
    run = jobs.run("long")
    assert run is not None
    assert run.message == "True"
    assert "trying again: the database is away" in caplog.text


def test_a_run_that_is_yet_to_come_keeps_no_job() -> None:
    """The clock was set back."""
    clock, leases = Clock(), MemoryLeases()
    jobs = Jobs([Job("tick", 3600, "", lambda: "done")], leases, clock)
    assert len(jobs.run_due()) == 1
    assert jobs.run_due() == []
    clock.now -= 600
    assert len(jobs.run_due()) == 1
    assert jobs.run_due() == []


def test_a_worker_whose_clock_is_a_little_behind_does_not_run_again_what_just_ran() -> None:
    clock, leases, ran = Clock(), MemoryLeases(), []
    job = Job("report", 3600, "", lambda: ran.append(1) or "")
    first, behind = (Jobs([job], leases, lambda late=late: clock.now - late, holder=str(late)) for late in (0.0, 0.2))
    assert len(first.run_due()) == 1
    assert behind.run_due() == []
    clock.now += 3601
    assert len(behind.run_due()) == 1
    assert first.run_due() == []
    assert ran == [1, 1]


def test_the_scheduler_outlives_any_error(caplog: pytest.LogCaptureFixture) -> None:
    rounds, again = [], threading.Event()

    def breaks() -> None:
        rounds.append(1)
        if len(rounds) > 2:
            again.set()
        raise KeyError("x") if len(rounds) == 1 else UnavailableError("away")

    scheduler = Scheduler(breaks, every=0.01)
    scheduler.start()
    assert again.wait(5)
    scheduler.stop()
    assert "due jobs could not be run" in caplog.text


def test_scheduler_runs_and_stops() -> None:
    ran = threading.Event()
    jobs = Jobs([Job("tick", 3600, "", lambda: ran.set() or "")], MemoryLeases(), Clock())
    scheduler = Scheduler(jobs.run_due, every=0.01)
    scheduler.start()
    assert ran.wait(5)
    scheduler.stop()
    assert not scheduler._thread.is_alive()

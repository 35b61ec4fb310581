"""Work that is done now and then: training, retention, catalogue refresh; once among all workers, under a lease."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import MTPError
from .ports import JobRun, Leases

log = logging.getLogger(__name__)

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
APART_S = MINUTE
"""By how much the clocks of workers may differ: a run that is less than this in the future has just been."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every *every* seconds; *run* does it and says in a line what it did.

    ``lease`` is how long (seconds) another worker waits before it takes a job for abandoned; a job that runs longer
    renews it.
    """

    name: str
    every: float
    help: str
    run: Callable[[], str]
    lease: float = HOUR

    def __post_init__(self) -> None:
        if self.every <= 0 or self.lease <= 0:
            raise ValueError(f"job {self.name}: every and lease must be positive seconds")


class Jobs:
    """Runs what is due.

    :param clock: seconds since 1970
    :param holder: who we are among the workers
    """

    def __init__(self, jobs: Iterable[Job], leases: Leases, clock: Callable[[], float], holder: str = "") -> None:
        self.all = {job.name: job for job in jobs}
        self._leases, self._clock = leases, clock
        self._holder = holder or f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"

    def due(self) -> list[Job]:
        """Jobs whose time has come, by their last run; where that is well in the future the clock was set back."""
        runs, now = self._leases.last_runs(), self._clock()
        since = {name: now - run.started_at for name, run in runs.items()}
        return [job for job in self.all.values() if not -APART_S <= since.get(job.name, job.every) < job.every]

    def run_due(self) -> list[JobRun]:
        """Run each job that is due and not held by another worker; gives what ran."""
        ran = (self.run(job.name, only_due=True) for job in self.due())
        return [run for run in ran if run]

    def run(self, name: str, *, only_due: bool = False) -> JobRun | None:
        """Run one job now; ``None`` when another worker has it, or has just done it."""
        job = self.all[name]
        if not self._leases.acquire(name, self._holder, job.lease):
            return None
        try:
            if only_due and job not in self.due():
                return None
            with self._renewed(job):
                run = self._timed(job)
            self._leases.record_run(run)
            return run
        finally:
            self._leases.release(name, self._holder)

    @contextmanager
    def _renewed(self, job: Job) -> Iterator[None]:
        """Renew the lease for as long as the job runs: a training may take longer than any lease."""
        done = threading.Event()
        thread = threading.Thread(target=self._renew, args=(job, done), name=f"mtp-lease-{job.name}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()  # a renewal after the release would keep the job from everybody

    def _renew(self, job: Job, done: threading.Event) -> None:
        while not done.wait(job.lease / 3):
            try:
                if not self._leases.acquire(job.name, self._holder, job.lease):
                    log.warning("job %s: another worker took the lease", job.name)
                    return
            except MTPError as error:
                log.warning("job %s: its lease could not be renewed, trying again: %s", job.name, error)

    def _timed(self, job: Job) -> JobRun:
        started = self._clock()
        try:
            ok, message = True, job.run()
        except MTPError as error:
            ok, message = False, str(error)
            log.error("job %s: %s", job.name, error)
        except Exception as error:  # a job must not take the scheduler with it
            ok, message = False, type(error).__name__
            log.exception("job %s failed", job.name)
        return JobRun(name=job.name, started_at=started, seconds=self._clock() - started, ok=ok, message=message)


class Scheduler:
    """A thread that calls *run_due* every *every* seconds until it is stopped."""

    def __init__(self, run_due: Callable[[], object], every: float = 30.0) -> None:
        if every <= 0:
            raise ValueError(f"every must be positive seconds, not {every}")
        self._run_due, self._every = run_due, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="mtp-jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Ask it to end after the job at hand and wait that long."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _loop(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self._run_due()
            except MTPError as error:
                log.warning("due jobs could not be read: %s", error)
            except Exception:  # the thread must outlive whatever one round meets
                log.exception("due jobs could not be run")

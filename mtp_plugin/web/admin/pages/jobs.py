"""Jobs: when each ran, how long it took, what it said; and run one now, under the lease that all workers share."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from flask import Response, current_app

from ....errors import NotFoundError
from ....jobs import Job, Jobs
from ....ports import JobRun
from ....scheduled import standard_jobs
from ....state import State
from ...parts import get_state
from ..changes import note_change
from ..console import get_console
from ..frame import address, back_to, page
from ..notices import Notice
from ..panel import Page, Panel
from ..roles import Role
from ..words import took


@dataclass(frozen=True, slots=True)
class Row:
    """A job and its last run; ``due`` is when the next one is, ``running`` since when this process is at it."""

    job: Job
    last: JobRun | None
    due: float
    running: float | None


def rows(state: State) -> list[Row]:
    """Every job of this shop."""
    runs, now = state.leases.last_runs(), time.time()
    running = get_console().running
    return [
        Row(job, runs.get(job.name), _due(job, runs.get(job.name), now), running.get(job.name))
        for job in standard_jobs(state)
    ]


def _due(job: Job, last: JobRun | None, now: float) -> float:
    return last.started_at + job.every if last else now


def show() -> Response:
    """The table of jobs."""
    state = get_state()
    return page("jobs.html", title="Jobs", rows=rows(state), took=took, scheduler=state.settings.scheduler)


def run(name: str) -> Response:
    """Begin a job in a thread of this process; another worker's lease is respected."""
    state = get_state()
    job = next((job for job in standard_jobs(state) if job.name == name), None)
    if job is None:
        raise NotFoundError(f"there is no job {name}", field="name")
    running = get_console().running
    if name in running:
        return back_to(address("jobs_show"), Notice(text=f"{name} is running already.", kind="note"))
    running[name] = time.time()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    note_change("job.run", f"job:{name}")

    def in_context() -> None:
        try:
            with app.app_context():
                Jobs(standard_jobs(state), state.leases, time.time).run(name)
        except Exception:
            app.logger.exception("the job %s could not be run", name)
        finally:
            running.pop(name, None)

    threading.Thread(target=in_context, name=f"mtp-console-{name}", daemon=True).start()
    return back_to(address("jobs_show"), Notice(text=f"{name} has begun. Reload to see what it says."))


PANEL = Panel(
    key="jobs",
    title="Jobs",
    group="Engine",
    pages=(Page("/", "show", show), Page("/<name>/run", "run", run, "POST", Role.ADMINISTRATOR)),
)

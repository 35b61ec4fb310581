"""``jobs``, ``doctor``, ``status``, ``settings``: for the one who runs the shop."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click
import msgspec
from flask import current_app
from flask.cli import with_appcontext

from .. import config
from ..errors import NotFoundError
from ..jobs import Jobs
from ..ports import JobRun
from ..state import State
from ..web.doctor import MARKS, examine
from .base import answer, command, mounted


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    jobs = click.Group("jobs", help="Scheduled work: what there is, and running what is due.")
    mtp.add_command(jobs)

    @command(jobs, "list")
    @with_appcontext
    def list_jobs(as_json: bool) -> None:
        """Each job, when it last ran, how long it took and what it said."""
        state = mounted()
        runs = state.leases.last_runs()
        rows = [
            {"name": job.name, "help": job.help, "every_seconds": job.every, "last": runs.get(job.name)}
            for job in _jobs_of(state).all.values()
        ]
        text = "\n".join(f"{row['name']:10} {_run_line(runs.get(str(row['name'])))}" for row in rows)
        answer({"jobs": rows}, as_json, text)

    @command(jobs, "run-due")
    @with_appcontext
    def run_due(as_json: bool) -> None:
        """Run what is due and not held by another worker; for cron or a container."""
        runs = _jobs_of(mounted()).run_due()
        answer({"ran": runs}, as_json, "\n".join(f"{r.name:10} {_run_line(r)}" for r in runs) or "Nothing is due.")
        if any(not run.ok for run in runs):
            sys.exit(1)

    @command(jobs, "run")
    @click.argument("name")
    @with_appcontext
    def run_one(name: str, as_json: bool) -> None:
        """Run the job NAME now."""
        found = _jobs_of(mounted())
        if name not in found.all:
            raise NotFoundError(f"there is no job {name!r}; there are {', '.join(found.all)}", field="name")
        run = found.run(name)
        answer({"ran": [run] if run else []}, as_json, _run_line(run) if run else "Another worker is at it.")
        if run and not run.ok:
            sys.exit(1)

    @command(mtp, "doctor")
    @with_appcontext
    def doctor(as_json: bool) -> None:
        """Say what is configured, what is missing and what to do; exit code 1 when something is broken."""
        findings = examine(current_app._get_current_object(), mounted())  # type: ignore[attr-defined]
        text = "\n".join(
            f"{MARKS[f.status]} {f.subject}: {f.says}" + (f"\n    -> {f.remedy}" if f.remedy else "") for f in findings
        )
        answer({"findings": findings}, as_json, text)
        if any(finding.status == "broken" for finding in findings):
            sys.exit(1)

    @command(mtp, "status")
    @with_appcontext
    def status(as_json: bool) -> None:
        """Counts and versions now."""
        found = _status(mounted())
        answer(found, as_json, "\n".join(f"{name.replace('_', ' '):18} {value}" for name, value in found.items()))

    @command(mtp, "settings")
    def settings(as_json: bool) -> None:
        """Every setting with its default."""
        rows = config.rows()
        answer({"settings": rows}, as_json, "\n".join(f"{r['name']:28} {r['default']!r:24} {r['help']}" for r in rows))


def _jobs_of(state: State) -> Jobs:
    from ..extension import standard_jobs_of

    return standard_jobs_of(state)


def _run_line(run: JobRun | None) -> str:
    if run is None:
        return "never ran"
    when = datetime.fromtimestamp(run.started_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{'ok' if run.ok else 'FAILED'} at {when} UTC in {run.seconds:.1f} s: {run.message}"


def _status(state: State) -> dict[str, object]:
    serving, lag = state.pipeline.live.refresh(), state.bus.lag()
    return {
        "enabled": state.settings.enabled,
        "events": state.journal.count(),
        **({} if lag is None else {f"stream_{name}": value for name, value in msgspec.structs.asdict(lag).items()}),
        "products": len(serving.table),
        "products_visible": int(serving.table.visible.sum()),
        "catalog_version": serving.versions[0],
        "behaviour_model": serving.versions[1] or None,
        "content_model": serving.versions[2] or None,
        "segments_model": serving.versions[3] or None,
        "propensity_model": serving.versions[4] or None,
        "feedback_model": serving.versions[5] or None,
        "models_not_served": state.pipeline.live.unserved(),
        "segments": len(serving.segments.all()),
        "placements": [name for name, p in state.pipeline.placements.items() if p.enabled],
        "jobs_failing": [run.name for run in state.leases.last_runs().values() if not run.ok],
        "alerts_open": len(state.alerts.kept(open_only=True)),
    }

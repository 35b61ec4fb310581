"""``kpi``: what blocks earn, by segment, placement and more."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date

import click
from flask.cli import with_appcontext

from ..errors import InputError
from ..figures import BY, Figures, Group, as_data, period_between
from ..jobs import Jobs
from ..kpis import day_of
from ..scheduled import standard_jobs
from .base import answer, command, mounted

COLUMNS = ("seen", "ctr", "orders", "conversion", "revenue", "aov", "fallback_share", "p95_ms")


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""

    @command(mtp, "kpi")
    @click.option("--by", type=click.Choice(BY), default="segment_id", show_default=True, help="What to divide by.")
    @click.option("--since", default="", help="First day, such as 2026-11-01; four weeks back if not said.")
    @click.option("--until", default="", help="Last day; today if not said.")
    @click.option("--placement", default="", help="This placement alone.")
    @with_appcontext
    def kpi(by: str, since: str, until: str, placement: str, as_json: bool) -> None:
        """Figures of a period beside the one before, brought up to date first.

        Of a segment of fewer visitors than MTP_SEGMENT_MIN_SIZE nothing is told.
        """
        state, now = mounted(), time.time()
        if placement and by == "experiment":
            raise InputError("experiments are not told by placement: leave one of them out", field="placement")
        if placement and placement not in state.placements:
            raise InputError(f"there is no placement {placement!r}: {', '.join(state.placements)}", field="placement")
        # Under the lease of the job: two who count the same hour would be in each other's way.
        jobs = Jobs(standard_jobs(state), state.leases, time.time)
        for name in ("feedback", "kpi"):
            if jobs.run(name) is None:
                click.echo(f"another worker runs the job {name}: figures are as of when it ran before", err=True)
        period = period_between(since, until, day_of(state, now))
        where = {"placement": placement} if placement else {}
        figures = Figures(state, period, by, where)
        whole, found = figures.summary(), figures.groups()
        days = [date.fromordinal(day).isoformat() for day in (period.first, period.last - 1)]
        body = {
            "since": days[0],
            "until": days[1],
            "by": by,
            "all": as_data(whole),
            "groups": list(map(as_data, found)),
        }
        lines = [f"{days[0]} to {days[1]}", _row("", dict(zip(COLUMNS, COLUMNS, strict=True)))]
        answer(body, as_json, "\n".join([*lines, *map(_line, [whole, *found])]))


def _line(group: Group) -> str:
    return f"{group.name[:28]:28}  not told: too few visitors" if group.hidden else _row(group.name, group.figures)


def _row(name: str, values: Mapping[str, object]) -> str:
    return f"{name[:28]:28}" + "".join(f"{_text(values.get(column)):>15}" for column in COLUMNS)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}" if 0 < abs(value) < 1 else f"{value:,.2f}"
    return "-" if value is None else str(value)

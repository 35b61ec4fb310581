"""``experiments``: what is tested, what it says by now, how long it takes, and stopping."""

from __future__ import annotations

import time

import click
import msgspec
from flask.cli import with_appcontext

from ..errors import InputError, NotFoundError
from ..experiment.rows import Row
from ..state import State
from .base import answer, command, mounted


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    experiments = click.Group("experiments", help="Tests of one thing against another.")
    mtp.add_command(experiments)

    @command(experiments, "list")
    @with_appcontext
    def list_all(as_json: bool) -> None:
        """The experiments of MTP_EXPERIMENTS and of the console."""
        found = list(mounted().experiments.about(time.time()))
        lines = [f"{one.key}: {one.state}, {' | '.join(one.variations)}, by {one.goal}" for one in found]
        answer({"experiments": found}, as_json, "\n".join(lines) or "There are none yet.")

    @command(experiments, "show")
    @click.argument("key")
    @click.option(
        "--part",
        default="segment",
        show_default=True,
        type=click.Choice(["segment", "device"]),
        help="Whom to tell apart.",
    )
    @with_appcontext
    def show(key: str, part: str, as_json: bool) -> None:
        """What KEY says by now: visitors, effects with intervals, and a verdict."""
        from ..experiment_report import lines, report

        state, row = _known(key)
        now = time.time()
        told, about = report(state, row, now, part=part), next(a for a in state.experiments.about(now) if a.key == key)
        answer({**msgspec.to_builtins(about), **told}, as_json, "\n".join(lines(told, row.goal)))

    @command(experiments, "plan")
    @click.argument("metric", type=click.Choice(["revenue", "conversion"]))
    @click.option("--effect", default=0.05, show_default=True, type=click.FloatRange(0.001, 10), help="To be found.")
    @click.option("--variations", default=2, show_default=True, type=click.IntRange(2, 10), help="The control too.")
    @click.option("--days", default=28, show_default=True, type=click.IntRange(1, 365), help="Look back so far.")
    @with_appcontext
    def plan(metric: str, effect: float, variations: int, days: int, as_json: bool) -> None:
        """How many visitors, and days, it takes to find an effect on METRIC, by the shop's own traffic."""
        from ..experiment_report import planned

        told = planned(mounted(), metric, effect, variations, days, time.time())
        told_days = "more days than can be told" if told["days"] is None else f"about {told['days']:,.0f} days"
        said = (
            f"{told['visitors_each']:,} visitors in each of {variations} variations, {told_days}, to look once; "
            f"{told['visitors_each_always']:,} to look whenever one likes. Of {told['visitors']:,} visitors in {days} "
            f"days {told['detectable']:.1%} could have been found."
        )
        answer(told, as_json, said)

    @command(experiments, "stop")
    @click.argument("key")
    @click.argument("variation")
    @with_appcontext
    def stop(key: str, variation: str, as_json: bool) -> None:
        """Show the control to all who would see VARIATION of KEY."""
        state, row = _known(key)
        if variation not in row.names[1:]:
            raise InputError(f"there are {', '.join(row.names[1:])}; the control cannot be stopped", field="variation")
        state.experiments.stop(key, row.names.index(variation), time.time())
        state.audit.append("cli", "experiment.stopped", f"experiment:{key}", {"variation": variation}, at=time.time())
        answer({"key": key, "stopped": variation}, as_json, f"{variation} of {key} is shown to nobody")

    @command(experiments, "resume")
    @click.argument("key")
    @with_appcontext
    def resume(key: str, as_json: bool) -> None:
        """Show all variations of KEY again."""
        state, _ = _known(key)
        state.experiments.resume(key, time.time())
        state.audit.append("cli", "experiment.resumed", f"experiment:{key}", {}, at=time.time())
        answer({"key": key, "stopped": ""}, as_json, f"all variations of {key} are shown")


def _known(key: str) -> tuple[State, Row]:
    state = mounted()
    row = state.experiments.rows.get(key)
    if row is None:
        known = ", ".join(state.experiments.rows) or "none"
        raise NotFoundError(f"there is no experiment {key!r}; there are {known}", field="key")
    state.experiments.refresh()
    return state, row

"""``forward``: how far events have come to each target, and what was refused."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from ..forwarding import forward as run_now
from ..forwarding import retry
from .base import answer, command, mounted


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    forward = click.Group("forward", help="Events on their way to Segment, GA4 and webhooks.")
    mtp.add_command(forward)

    @command(forward, "list")
    @click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
    @with_appcontext
    def list_targets(limit: int, as_json: bool) -> None:
        """Each target, how far it has come, and the events that it refused, newest first."""
        state = mounted()
        end = state.journal.last_number()
        rows = [{"name": name, "state": state.forwards.get(name)} for name in state.targets]
        letters = state.forwards.dead("", limit)
        lines = []
        for name in state.targets:
            at = state.forwards.get(name)
            told = f"{at.sent} sent, {at.withheld} withheld, {end - at.number} behind {at.error}" if at else "not begun"
            lines.append(f"{name}: {told}".rstrip())
        lines += [f"{one.dead_id:6} {one.target} event {one.number}: {one.error}" for one in letters]
        answer({"targets": rows, "dead": letters}, as_json, "\n".join(lines) or "MTP_FORWARD names nobody.")

    @command(forward, "run")
    @with_appcontext
    def run(as_json: bool) -> None:
        """Forward what is new now, as the job of the same name does every minute."""
        said = run_now(mounted())
        answer({"said": said}, as_json, said)

    @command(forward, "retry")
    @click.argument("target", required=False, default="")
    @with_appcontext
    def retry_dead(target: str, as_json: bool) -> None:
        """Send once more what TARGET refused, or what any did."""
        said = retry(mounted(), target)
        answer({"said": said}, as_json, said)

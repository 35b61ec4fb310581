"""``webhooks``: what came in, what was given up, and reading it again."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from ..ports import Webhook
from ..receiving import retry, run_due
from .base import answer, command, mounted

STATES = ("new", "done", "ignored", "waiting", "dead")


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    webhooks = click.Group("webhooks", help="Deliveries of other systems: what became of them, and trying again.")
    mtp.add_command(webhooks)

    @command(webhooks, "list")
    @click.option("--state", type=click.Choice([*STATES, "all"]), default="all", help="What became of them.")
    @click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
    @with_appcontext
    def list_webhooks(state: str, limit: int, as_json: bool) -> None:
        """Deliveries, newest first."""
        found = mounted().webhooks.kept("" if state == "all" else state, limit)
        answer({"webhooks": found}, as_json, "\n".join(map(_line, found)) or "There is none.")

    @command(webhooks, "retry")
    @click.argument("webhook_id", type=int, required=False)
    @click.option("--dead", is_flag=True, help="All that were given up.")
    @with_appcontext
    def retry_webhooks(webhook_id: int | None, dead: bool, as_json: bool) -> None:
        """Read the delivery WEBHOOK_ID again, all that were given up, or all whose time has come."""
        state = mounted()
        if webhook_id is None and not dead:
            said = run_due(state)
            answer({"said": said}, as_json, said)
            return
        numbers = (
            [webhook_id] if webhook_id is not None else [one.webhook_id for one in state.webhooks.kept("dead", 10_000)]
        )
        done = [retry(state, number) for number in numbers]
        answer({"webhooks": done}, as_json, "\n".join(map(_line, done)) or "There is none.")


def _line(one: Webhook) -> str:
    when = datetime.fromtimestamp(one.received_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{one.webhook_id:6} {when} {one.source} {one.topic} {one.state}: {one.message}"

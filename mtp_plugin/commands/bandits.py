"""``bandits``: policies that learn, how their arms stand, and forgetting."""

from __future__ import annotations

import time

import click
from flask.cli import with_appcontext

from ..bandit.rows import Row
from ..errors import NotFoundError
from ..standings import Standing, about, standings, verdict
from ..state import State
from .base import answer, command, mounted


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    bandits = click.Group("bandits", help="Policies that learn what to show.")
    mtp.add_command(bandits)

    @command(bandits, "list")
    @with_appcontext
    def list_policies(as_json: bool) -> None:
        """The policies of MTP_BANDITS."""
        found = [about(row) for row in mounted().bandits.rows.values()]
        lines = [
            f"{one['name']}: {one['policy']} chooses the {one['about']} of {one['placement']} by {one['reward']} "
            f"within {one['window_hours']:g} h, among {one['arms']}"
            for one in found
        ]
        answer({"bandits": found}, as_json, "\n".join(lines) or "MTP_BANDITS names none.")

    @command(bandits, "show")
    @click.argument("name")
    @click.option("--segment", default="", help="As this segment knows them.")
    @with_appcontext
    def show(name: str, segment: str, as_json: bool) -> None:
        """The arms of NAME: impressions, mean reward with its interval, and how probable each is now."""
        state, row = _row(name)
        learnt = state.bandits.refresh()[name]
        found = standings(row, learnt, segment)
        data = {**about(row), "segment": segment, "state_version": learnt.version, "arms": found}
        data["verdict"] = said = verdict(found)
        answer(data, as_json, "\n".join([said, *([row.note] if row.note else []), *map(_line, found)]))

    @command(bandits, "learn")
    @with_appcontext
    def learn_now(as_json: bool) -> None:
        """Learn from what came of slates by now, as the job ``bandits`` does every minute."""
        from ..scheduled import learn_from_outcomes

        said = learn_from_outcomes(mounted())
        answer({"said": said}, as_json, said)

    @command(bandits, "reset")
    @click.argument("name")
    @with_appcontext
    def reset(name: str, as_json: bool) -> None:
        """Forget all that NAME has learnt; it begins anew with the next impressions."""
        state, row = _row(name)
        gone = state.bandit_state.reset(row.name)
        state.audit.append("cli", "bandit.reset", f"bandit:{name}", {"sums": gone}, at=time.time())
        answer({"name": name, "sums": gone}, as_json, f"{name} has forgotten {gone} sums")

    @command(bandits, "judge")
    @click.argument("name")
    @click.option("--always", default="", help="An arm; each as likely as any other if not said.")
    @click.option("--days", default=28, show_default=True, type=click.IntRange(1, 3650), help="Look back so far.")
    @click.option(
        "--matters",
        default=0.1,
        show_default=True,
        type=click.FloatRange(0.001, 10),
        help="Smallest difference that matters, as part of what was earned.",
    )
    @with_appcontext
    def judge(name: str, always: str, days: int, matters: float, as_json: bool) -> None:
        """What NAME would have earned had it always taken one arm, from the slates that were seen."""
        from ..evaluate.choices import evaluate_choices
        from .evaluate import said

        (state, row), now = _row(name), time.time()
        result = evaluate_choices(
            row, state.slates, state.outcomes, since=now - days * 86400, now=now, always=always, matters=matters
        )
        answer(result, as_json, said(result))


def _row(name: str) -> tuple[State, Row]:
    state = mounted()
    row = state.bandits.rows.get(name)
    if row is None:
        known = ", ".join(state.bandits.rows) or "none"
        raise NotFoundError(f"there is no policy {name!r} in MTP_BANDITS; there are {known}", field="name")
    return state, row


def _line(one: Standing) -> str:
    share = "" if one.propensity is None else f", chosen with probability {one.propensity:.3f}"
    return f"{one.arm}: {one.mean:.4f} ({one.low:.4f} to {one.high:.4f}) of {one.impressions:,.1f} impressions{share}"

"""``replay``: a slate made again from its log."""

from __future__ import annotations

import time

import click
from flask.cli import with_appcontext

from ..replay import Replay, as_text
from ..state import State
from .base import answer, command, mounted


def register(mtp: click.Group) -> None:
    """Add the command to the group."""

    @command(mtp, "replay")
    @click.argument("recommendation_id")
    @with_appcontext
    def replay(recommendation_id: str, as_json: bool) -> None:
        """Make the slate RECOMMENDATION_ID again from its log, and say whether it is the same or what is gone."""
        state = mounted()
        state.slates.flush()
        found = replay_of(state)(recommendation_id, time.time())
        answer(found, as_json, as_text(found))


def replay_of(state: State) -> Replay:
    """What replays the slates of a mounted plugin."""
    from ..bandit.stage import repeated

    bundles = {(info.kind, info.version) for info in state.registry.list()}
    return Replay(
        state.pipeline,
        state.slates,
        rules=state.rule_source.load,
        chose=lambda placement, choices: repeated(placement, choices, state.bandits.rows),
        kept=lambda kind, version: (kind, version) in bundles,
        slate_days=state.settings.slate_days,
    )

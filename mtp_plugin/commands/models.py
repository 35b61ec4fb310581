"""``train`` and ``models``: what is learnt, and which version serves."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from ..errors import NotFoundError
from ..lineage import words_of
from ..live import KINDS
from ..ports import BundleInfo
from .base import answer, command, mounted, say


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""

    @command(mtp, "train")
    @click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
    @with_appcontext
    def train(seed: int, as_json: bool) -> None:
        """Learn from catalogue and events, publish the models; workers switch within seconds."""
        from ..feedback_training import train_feedback, words_of
        from ..memberships import Sorter
        from ..propensity_training import renew_propensity
        from ..scheduled import feedback_source, propensity_source
        from ..training import train_behaviour, train_content

        state = mounted()
        table, started = state.pipeline.live.refresh().table, time.time()
        only = state.subjects.suppressed.without
        versions = {"content": train_content(state.registry, table, seed=seed, progress=say)}
        versions["behaviour"] = train_behaviour(
            state.journal,
            state.registry,
            table,
            now=started,
            seed=seed,
            progress=say,
            sorter=Sorter.of(state.pipeline),
            only=only,
        )
        versions["propensity"] = renew_propensity(propensity_source(state), table, now=started, seed=seed, progress=say)
        versions["feedback"] = words_of(*train_feedback(feedback_source(state), now=started, seed=seed, progress=say))
        state.pipeline.live.refresh()
        seconds = round(time.time() - started, 1)
        answer({"versions": versions, "seconds": seconds}, as_json, f"Trained in {seconds} s.")

    models = click.Group("models", help="Versions of the models: list, switch, delete old ones.")
    mtp.add_command(models)

    @command(models, "list")
    @click.option("--kind", default=None, help="Only this kind: behaviour, content, segments, propensity or feedback.")
    @with_appcontext
    def list_models(kind: str | None, as_json: bool) -> None:
        """All versions, newest first, with data, code, figures, and why a challenger serves or not.

        The one that serves is starred.
        """
        found = mounted().registry.list(kind and _known(kind))
        answer({"models": found}, as_json, "\n".join(map(_line, found)) or "No model yet: run `flask mtp train`.")

    @command(models, "activate")
    @click.argument("kind")
    @click.argument("version")
    @with_appcontext
    def activate(kind: str, version: str, as_json: bool) -> None:
        """Let VERSION of KIND serve, to roll back or to promote a challenger; all workers switch within seconds."""
        state = mounted()
        state.registry.load(_known(kind), version)
        before = state.registry.current(kind) or ""
        state.registry.activate(kind, version)
        state.audit.append("cli", "model.activated", f"model:{kind}/{version}", {"before": before}, at=time.time())
        state.pipeline.live.refresh()
        answer({"kind": kind, "version": version}, as_json, f"{kind} {version} serves.")

    @command(models, "prune")
    @click.argument("kind")
    @click.option("--keep", default=5, show_default=True, type=click.IntRange(1), help="Newest versions to keep.")
    @with_appcontext
    def prune(kind: str, keep: int, as_json: bool) -> None:
        """Delete old versions of KIND; never the one that serves."""
        count = mounted().registry.prune(_known(kind), keep)
        answer({"deleted": count}, as_json, f"{count} versions deleted.")


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise NotFoundError(f"there is no kind {kind!r}; there are {', '.join(KINDS)}", field="kind")
    return kind


def _line(info: BundleInfo) -> str:
    made = datetime.fromtimestamp(info.created_at, UTC).strftime("%Y-%m-%d %H:%M")
    figures = ", ".join(f"{name} {value}" for name, value in info.figures.items())
    line = f"{'*' if info.current else ' '} {info.kind:10} {info.version}  {made} UTC  {figures}"
    return "\n".join([line, *(f"    {text}" for text in words_of(info))])

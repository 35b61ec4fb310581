"""``evaluate``: figures on files of past behaviour; needs no application, database or catalogue."""

from __future__ import annotations

from typing import Any

import click

from .base import answer, command, read_json, say

FILE = click.Path(exists=True, dir_okay=False)


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    evaluate = click.Group("evaluate", help="Measure the recommender that serves on files of past behaviour.")
    mtp.add_command(evaluate)

    @command(evaluate, "sessions")
    @click.option("--train", "train_file", type=FILE, required=True, help="session,item,seq or SessionId,ItemId,Time.")
    @click.option("--test", "test_file", type=FILE, required=True, help="prefix,target, or whole sessions.")
    @click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
    def sessions(train_file: str, test_file: str, seed: int, as_json: bool) -> None:
        """Predict the next product of a session."""
        from ..evaluate.sessions import evaluate_sessions

        result = evaluate_sessions(train_file, test_file, seed=seed, progress=say)
        answer(result, as_json, _table(result))

    @command(evaluate, "baskets")
    @click.option("--events", "events_file", type=FILE, required=True, help="Past orders.")
    @click.option(
        "--test-days", default=30, show_default=True, type=click.IntRange(1), help="Last days kept for the test."
    )
    @click.option("--format", "format_", default="", help="Told by the file if not said; online-retail is known.")
    @click.option("--mapping", "mapping_file", type=FILE, help="JSON: our field to the file's column.")
    @click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
    def baskets(
        events_file: str, test_days: int, format_: str, mapping_file: str | None, seed: int, as_json: bool
    ) -> None:
        """Predict what returning customers buy next, what of it is new to them, and what completes a basket."""
        from ..evaluate.baskets import evaluate_baskets

        result = evaluate_baskets(
            events_file,
            test_days=test_days,
            format=format_,
            mapping=read_json(mapping_file),
            seed=seed,
            progress=say,
        )
        answer(result, as_json, _table(result))


def _table(result: dict[str, Any]) -> str:
    lines = [str(result["protocol"]), f"{result['cases']} cases"]
    for name, figures in {"served": result["metrics"], **result["baselines"]}.items():
        lines += [f"{name:24} {key:28} {value}" for key, value in _flat(figures)]
    return "\n".join(lines)


def _flat(figures: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in figures.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, value))
    return rows

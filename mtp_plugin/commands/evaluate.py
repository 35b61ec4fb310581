"""``evaluate``: figures on files of past behaviour; needs no application, database or catalogue."""

from __future__ import annotations

from typing import Any

import click

from .base import answer, command, read_json, say

VERDICTS = {
    "better": "Better",
    "worse": "Worse",
    "no-clear-difference": "No clear difference",
    "cant-tell": "Can't tell",
}
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

    @command(evaluate, "policy")
    @click.option("--events", "events_file", type=FILE, required=True, help="Logged decisions of the one that served.")
    @click.option("--like", "like_file", type=FILE, help="Log of the policy to judge; uniform random if not said.")
    @click.option(
        "--format",
        "format_",
        type=click.Choice(["open-bandit"]),
        default="open-bandit",
        show_default=True,
        help="Layout of the files.",
    )
    @click.option(
        "--level", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.999), help="Of the intervals."
    )
    @click.option(
        "--matters",
        default=0.1,
        show_default=True,
        type=click.FloatRange(0.001, 10),
        help="Smallest difference that matters, as part of what was earned.",
    )
    def policy(
        events_file: str, like_file: str | None, format_: str, level: float, matters: float, as_json: bool
    ) -> None:
        """What another policy would have earned, from the log of the one that served."""
        from ..evaluate.policies import evaluate_policy

        result = evaluate_policy(events_file, like=like_file or "", format=format_, level=level, matters=matters)
        answer(result, as_json, said(result))


def said(result: dict[str, Any]) -> str:
    """The verdict first, then what it stands on."""
    support, verdict = result["support"], result["verdict"]
    lines = [
        f"{VERDICTS[verdict['word']]}: {verdict['why']}",
        f"target: {result['target']}; {support['rows']:,} decisions of {support['clusters']:,} visitors or slates",
        f"effective sample size {support['ess']:,.1f}, effective rewards {support['reward_ess']:,.1f}, "
        f"never tried {support['unsupported']:.1%}, mean weight {support['mean_weight']:.3f}, "
        f"largest weight {support['max_weight']:,.1f}, on the heaviest hundredth {support['tail']:.0%}",
    ]
    named = {"served": result["logged"], **result["estimates"]}
    if "on_policy" in result:
        named["on its own log"] = result["on_policy"]
    lines += [f"{name:16} {one['value']:.5f}  ({one['low']:.5f} to {one['high']:.5f})" for name, one in named.items()]
    return "\n".join(lines)


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

"""``propensity``: learn what tells purchases, read how well it does, draw it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from ..errors import InputError, NotFoundError
from ..propensity.model import KIND, TARGETS
from ..propensity.plots import plot_calibration, plot_lift
from ..state import State
from .base import answer, command, mounted, say


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    propensity = click.Group("propensity", help="How probable purchases are: learn, report, draw.")
    mtp.add_command(propensity)

    @command(propensity, "train")
    @click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
    @click.option("--tries", default=9, show_default=True, type=click.IntRange(0, 50), help="Settings to search among.")
    @click.option("--estimator", default="", help="Dotted name; MTP_PROPENSITY_ESTIMATOR if not said.")
    @with_appcontext
    def train(seed: int, tries: int, estimator: str, as_json: bool) -> None:
        """Search for good parameters, learn, publish; what is found serves every later training, too."""
        from ..propensity_training import train_propensity
        from ..scheduled import propensity_source

        state, started = mounted(), time.time()
        version = train_propensity(
            propensity_source(state), state.pipeline.live.refresh().table,
            now=started, seed=seed, progress=say, tries=tries, estimator=estimator,
        )  # fmt: skip
        state.pipeline.live.refresh()
        found, seconds = report_of(state), round(time.time() - started, 1)
        body = {"version": version, "seconds": seconds, "report": found}
        answer(body, as_json, "\n".join([f"propensity {version} serves.", *_lines(found)]))

    @command(propensity, "report")
    @with_appcontext
    def report(as_json: bool) -> None:
        """How well the model that serves told purchases of a week it had not seen, beside the base rate."""
        found = report_of(mounted())
        answer({"report": found}, as_json, "\n".join(_lines(found)))

    @command(propensity, "plot")
    @click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
    @click.option(
        "--format", "format_", default="png", type=click.Choice(("png", "svg")), show_default=True, help="Of files."
    )
    @with_appcontext
    def plot(folder: Path, format_: str, as_json: bool) -> None:
        """Draw calibration and lift into FOLDER."""
        found, written = report_of(mounted()), []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder} cannot be made: {error}", field="folder") from error
        for name, draw in (("calibration", plot_calibration), ("lift", plot_lift)):
            path = folder / f"propensity-{name}.{format_}"
            draw({target: found[target]["curve"] for target in TARGETS}, path)
            written.append(str(path))
        answer({"written": written}, as_json, "\n".join(written))


def report_of(state: State) -> dict[str, Any]:
    """The report of the model that serves.

    :raises NotFoundError: there is none
    """
    version = state.registry.current(KIND)
    found: dict[str, Any] = state.registry.load(KIND, version).meta.get("report", {}) if version else {}
    if not found:
        raise NotFoundError("there is no propensity model yet: run `flask mtp propensity train`", field="kind")
    return found


def _lines(report: dict[str, Any]) -> list[str]:
    lines = []
    for target in TARGETS:
        said = report[target]
        base = said["of_base_rate"]
        lines.append(f"buys {'from a category' if target == 'category' else 'a product'} within 7 days")
        lines.append(f"  {said['pairs']:,} pairs, {said['base_rate']:.4f} bought; calibrated by {said['calibration']}")
        for name in ("roc_auc", "pr_auc", "log_loss", "brier"):
            lines.append(f"  {name:9} {said[name]:<9} (base rate {base[name]})")
        lines.append(f"  ece       {said['ece']}")
        lines += [f"  {one['feature']:32} {one['log_loss']:+.5f} log loss shuffled" for one in said["importance"][:8]]
    return lines

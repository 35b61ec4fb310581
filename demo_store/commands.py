"""``flask demo build``: catalogue, simulated shoppers, models; once."""

from __future__ import annotations

import json
import time
import zlib
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from .catalogue import SEED
from .learning import learn
from .results import run_jobs, show_blocks
from .shop import current_shop

demo = AppGroup("demo", help="The demo shop.")
VISITORS = 3000
BATCH = 10_000
SOURCES = (
    "simulate.py",
    "personas.py",
    "whereabouts.py",
    "loyalty.py",
    "catalogue.py",
    "ranges.toml",
    "makers.py",
    "learning.py",
    "results.py",
)


@demo.command("build")
@click.option(
    "--visitors", default=VISITORS, show_default=True, type=click.IntRange(1, 100_000), help="How many to simulate."
)
@click.option("--seed", default=SEED, show_default=True, help="Another seed is another history.")
@click.option("--again", is_flag=True, help="Simulate and train even if it was done already.")
def build(visitors: int, seed: int, again: bool) -> None:
    """Import the catalogue, simulate shoppers, learn from them. Done once, it only refreshes the catalogue."""
    from mtp_plugin.scheduled import import_declared, import_traits
    from mtp_plugin.web.parts import get_state

    started, state = time.time(), get_state()
    click.echo(f"catalogue: {import_declared(state).line()}", err=True)
    _rules(state)
    wanted = {"seed": seed, "visitors": visitors, "version": _version()}
    if not again and _built().items() >= wanted.items():
        click.echo("shoppers: simulated and learnt from already (--again does it anew)", err=True)
        return
    _simulate(state, visitors, seed)
    for crm in state.crms.values():
        click.echo(import_traits(state, crm).line(), err=True)
    _train(state, seed)
    click.echo(f"bandits: {learn(state, time.time(), seed)} simulated slates learnt from", err=True)
    click.echo(f"blocks: {_show_blocks(state, visitors, seed)} simulated visits looked at them", err=True)
    run_jobs(state, started)
    _marker().write_text(json.dumps({**wanted, "built_at": started}))
    click.echo(f"built in {time.time() - started:.1f} s", err=True)


def _rules(state: Any) -> None:
    """The rules of the demo shop, where there are none yet: from a file, as a shop with a repository has them."""
    from mtp_plugin.rules.read import read_ruleset

    if state.rules.current() == 0:
        ruleset = read_ruleset(Path(__file__).with_name("rules.json").read_bytes())
        saved = state.rulebook.save(ruleset, by="demo", note="as the demo shop has them", force=True)
        click.echo(f"rules: {len(ruleset.rules)} in version {saved.version}", err=True)


def _simulate(state: Any, visitors: int, seed: int) -> None:
    from .simulate import batches, simulate

    def tell(done: int) -> None:
        click.echo(f"shoppers: {done:,} of {visitors:,} simulated", err=True)

    events = simulate(current_shop().catalogue, time.time(), visitors=visitors, seed=seed, progress=tell)
    stored = 0
    for batch in batches(events, BATCH):
        stored += sum(state.pipeline.ingest(batch))
        click.echo(f"events: {stored:,} of {len(events):,} recorded", err=True)


def _show_blocks(state: Any, visitors: int, seed: int) -> int:
    from .simulate import Market, people

    now = time.time()
    market = Market(current_shop().catalogue, now, seed)
    return show_blocks(state, market, [visitor for visitor, _ in people(visitors, seed)], now, seed)


def _train(state: Any, seed: int) -> None:
    from mtp_plugin.memberships import Sorter
    from mtp_plugin.propensity_training import renew_propensity
    from mtp_plugin.scheduled import propensity_source
    from mtp_plugin.segmenting import TooFewVisitorsError, refresh_segments
    from mtp_plugin.training import train_behaviour

    def tell(text: str) -> None:
        click.echo(f"training: {text}", err=True)

    now = time.time()
    try:
        refresh_segments(
            state.journal, state.registry, state.segments, state.settings, now=now, seed=seed, progress=tell
        )
    except TooFewVisitorsError as error:
        click.echo(f"segments: none, {error}", err=True)
    table, sorter = state.pipeline.live.refresh().table, Sorter.of(state.pipeline)
    train_behaviour(state.journal, state.registry, table, now=now, seed=seed, progress=tell, sorter=sorter)
    renew_propensity(propensity_source(state), table, now=now, seed=seed, progress=tell)
    state.pipeline.live.refresh()


def _marker() -> Path:
    return Path(current_app.instance_path) / "demo.json"


def _built() -> dict[str, Any]:
    """What was built before, nothing if that cannot be told."""
    try:
        return dict(json.loads(_marker().read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _version() -> str:
    """Changes with the code that makes the history."""
    total = 0
    for name in SOURCES:
        total = zlib.crc32((Path(__file__).parent / name).read_bytes(), total)
    return f"{total:08x}"

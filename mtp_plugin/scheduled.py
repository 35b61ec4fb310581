"""The jobs every shop has."""

from __future__ import annotations

import time
from collections.abc import Callable

from .jobs import DAY, HOUR, Job
from .state import State
from .training import train_behaviour, train_content

KEEP_BUNDLES = 5


def standard_jobs(state: State, import_catalog: Callable[[], str]) -> list[Job]:
    """Catalogue, models, retention; *import_catalog* refreshes the declared catalogue and says what it did."""
    jobs = [
        Job("train", DAY, "Learn from all events and publish the model.", lambda: _train(state)),
        Job(
            "retention",
            DAY,
            "Delete what is older than its setting: slates, known message ids.",
            lambda: _retention(state),
        ),
    ]
    if state.catalog is not None:
        jobs.insert(0, Job("catalog", HOUR, "Import the shop's catalogue.", import_catalog))
    return jobs


def _train(state: State) -> str:
    table, now = state.pipeline.live.refresh().table, time.time()
    content = train_content(state.registry, table, seed=0, progress=_silent)
    behaviour = train_behaviour(state.journal, state.registry, table, now=now, seed=0, progress=_silent)
    for kind in ("content", "behaviour"):
        state.registry.prune(kind, KEEP_BUNDLES)
    return f"content {content}, behaviour {behaviour}"


def _retention(state: State) -> str:
    now, settings = time.time(), state.settings
    slates = state.slates.purge(now - settings.slate_days * DAY)
    messages = state.journal.purge(now - settings.dedupe_hours * HOUR)
    return f"{slates} slates and {messages} message ids deleted"


def _silent(text: str) -> None:
    """Scheduled work reports its end only."""

"""``segments``: finding micro-segments among all visitors."""

from __future__ import annotations

import time

import click
from flask.cli import with_appcontext

from .base import answer, command, mounted, say


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    segments = click.Group("segments", help="Micro-segments: find them, read them.")
    mtp.add_command(segments)

    @command(segments, "refresh")
    @click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
    @with_appcontext
    def refresh(seed: int, as_json: bool) -> None:
        """Find segments among all visitors and publish them; workers switch within seconds."""
        from ..segmenting import refresh_segments

        state, started = mounted(), time.time()
        version = refresh_segments(
            state.journal, state.registry, state.segments, state.settings, now=started, seed=seed, progress=say
        )
        found = state.pipeline.live.refresh().segments.all()
        seconds = round(time.time() - started, 1)
        text = "\n".join(f"{one.segment_id:10} {one.size:8,} {one.share:6.1%}  {one.name}" for one in found)
        answer({"version": version, "segments": found, "seconds": seconds}, as_json, text or "No segments.")

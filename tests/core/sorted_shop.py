"""A shop whose visitors fall into three kinds, with segments found and models learnt."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask

from mtp_plugin.memberships import Sorter
from mtp_plugin.records import Event
from mtp_plugin.segmenting import refresh_segments
from mtp_plugin.state import State
from mtp_plugin.track.imported import imported_event
from mtp_plugin.track.products import products_of
from mtp_plugin.training import train_behaviour

from .shops import mounted, watches

DAY = 86_400.0
KINDS = ("watches", "lamps", "bags")
EACH = 40


def viewed(visitor: str, product_id: str, at: float, name: str = "Product Viewed") -> Event:
    properties: dict[str, Any] = {"product_id": product_id}
    if name == "Order Completed":
        properties = {"order_id": f"{visitor}-{at}", "products": [{"product_id": product_id}]}
    return imported_event(
        name,
        key=f"{visitor}-{product_id}-{at}-{name}",
        timestamp=at,
        anonymous_id=visitor,
        products=products_of(name, properties),
        properties=properties,
    )


def life(visitor: str, kind: int, now: float, dice: np.random.Generator, visits: int = 4) -> list[Event]:
    """Visits of the last days, mostly to products of one kind, the latest a few hours ago."""
    events = []
    for visit in range(visits):
        start = now - (visit * 2.5 + float(dice.random()) + 0.2) * DAY
        for step in range(4):
            of_kind = kind if dice.random() < 0.9 else int(dice.integers(3))
            product_id = f"p{of_kind + 3 * min(9, int(dice.exponential(2.5))):02d}"
            events.append(viewed(visitor, product_id, start + 60.0 * step))
        if dice.random() < 0.4:
            events.append(viewed(visitor, product_id, start + 400.0, "Order Completed"))
    return events


def sorted_shop(folder: Path, **config: Any) -> tuple[Flask, State]:
    """Three kinds of visitors of 40 each, ``watches-0`` and so on, under their anonymous ids."""
    app, state = mounted(folder, watches(), MTP_SEGMENT_COUNT=3, MTP_SEGMENT_FEATURES=["category"], **config)
    now, dice = time.time(), np.random.default_rng(5)
    events = [
        event
        for kind, name in enumerate(KINDS)
        for number in range(EACH)
        for event in life(f"{name}-{number}", kind, now, dice)
    ]
    state.pipeline.ingest(sorted(events, key=lambda event: event.timestamp))
    learn(state, now)
    return app, state


def learn(state: State, now: float) -> None:
    """Find segments, then learn from all events."""
    refresh_segments(
        state.journal, state.registry, state.segments, state.settings, now=now, seed=0, progress=lambda text: None
    )
    table = state.pipeline.live.refresh().table
    sorter = Sorter.of(state.pipeline)
    train_behaviour(state.journal, state.registry, table, now=now, seed=0, progress=lambda text: None, sorter=sorter)
    state.pipeline.live.refresh()

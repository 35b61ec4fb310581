"""What went on lately, counted by the database: for pages that people look at, not for visitors' requests."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from sqlalchemy import Integer, cast, func, select

from ..records import SlateEntry
from .database import Database
from .schema import event, slate

log = logging.getLogger(__name__)

MOST_EVENTS = 500_000
"""Latest events that are looked at, so that a page about them never waits for a whole year's."""

_decode = msgspec.msgpack.Decoder(SlateEntry).decode


class SqlActivity:
    """Implements :class:`mtp_plugin.ports.Activity`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def events(self, since: float, until: float, step: float) -> dict[str, dict[int, int]]:
        last = select(func.coalesce(func.max(event.c.seq), 0)).scalar_subquery()
        recent = event.c.seq > last - MOST_EVENTS
        return self._counted(event.c.name, event.c.happened_at, since, until, step, recent)

    def slates(self, since: float, until: float, step: float) -> dict[str, dict[int, int]]:
        return self._counted(slate.c.placement, slate.c.created_at, since, until, step)

    def latest_slates(self, limit: int, *, since: float = 0.0, placement: str = "") -> list[SlateEntry]:
        query = select(slate.c.body).where(slate.c.created_at >= since)
        if placement:
            query = query.where(slate.c.placement == placement)
        query = query.order_by(slate.c.created_at.desc(), slate.c.recommendation_id.desc()).limit(limit)
        with self._database.reading() as connection:
            bodies = connection.execute(query).scalars().all()
        return [entry for body in bodies if (entry := _entry(body)) is not None]

    def _counted(
        self, name: Any, time: Any, since: float, until: float, step: float, *conditions: Any
    ) -> dict[str, dict[int, int]]:
        if step <= 0:
            raise ValueError(f"step must be positive seconds, not {step}")
        bucket = cast(func.floor((time - since) / step), Integer).label("bucket")
        query = select(name, bucket, func.count()).where(time >= since, time < until, *conditions)
        found: dict[str, dict[int, int]] = {}
        with self._database.reading() as connection:
            for key, place, count in connection.execute(query.group_by(name, bucket)):
                found.setdefault(key, {})[place] = count
        return found


def _entry(body: bytes) -> SlateEntry | None:
    try:
        return _decode(body)
    except msgspec.DecodeError as error:
        log.info("a slate was stored in another form and is left out: %s", error)
        return None

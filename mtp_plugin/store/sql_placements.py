"""What was changed about placements in the console, in SQLite or PostgreSQL; rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, insert, select

from ..ports import PlacementChange
from .database import AnyRow, Database
from .schema import placement_change as table
from .words import storable

NEWEST = select(func.max(table.c.id))
COLUMNS = [table.c[name] for name in ("id", "name", "options", "changed_at", "changed_by")]


class SqlPlacements:
    """Implements :class:`mtp_plugin.ports.PlacementLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        return int(self._database.glance(NEWEST)[0][0] or 0)

    def current(self) -> dict[str, PlacementChange]:
        newest = select(func.max(table.c.id)).group_by(table.c.name).scalar_subquery()
        rows = self._database.glance(select(*COLUMNS).where(table.c.id.in_(newest)))
        return {change.name: change for change in map(_change, rows)}

    def change(self, name: str, options: Mapping[str, Any], *, who: str, now: float) -> PlacementChange:
        row = {
            "name": name,
            "options": msgspec.json.encode(dict(options)).decode(),
            "changed_at": now,
            "changed_by": who,
        }
        with self._database.writing() as connection:
            (number,) = connection.execute(insert(table).values(row)).inserted_primary_key or (0,)
        return PlacementChange(number=number, name=name, options=dict(options), changed_at=now, changed_by=who)

    def history(self, name: str, limit: int = 50) -> list[PlacementChange]:
        if not storable(name):
            return []
        query = select(*COLUMNS).where(table.c.name == name).order_by(table.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_change(row) for row in connection.execute(query)]


def _change(row: AnyRow) -> PlacementChange:
    number, name, options, changed_at, changed_by = row
    read = msgspec.json.decode(options, type=dict[str, Any])
    return PlacementChange(number=number, name=name, options=read, changed_at=changed_at, changed_by=changed_by)

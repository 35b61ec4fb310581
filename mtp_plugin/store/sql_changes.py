"""What was written in the console about placements or experiments; rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, func, insert, select

from ..errors import CHANGED, ConflictError
from ..ports import Change
from .database import AnyRow, Database
from .words import storable

NAMES = ("id", "name", "options", "changed_at", "changed_by")


class SqlChanges:
    """Implements :class:`mtp_plugin.ports.ChangeLog`."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table
        self._newest, self._columns = select(func.max(table.c.id)), [table.c[name] for name in NAMES]

    def version(self) -> int:
        return int(self._database.glance(self._newest)[0][0] or 0)

    def current(self) -> dict[str, Change]:
        newest = self._newest.group_by(self._table.c.name).scalar_subquery()
        rows = self._database.glance(select(*self._columns).where(self._table.c.id.in_(newest)))
        return {change.name: change for change in map(_change, rows)}

    def change(
        self, name: str, options: Mapping[str, Any], *, who: str, now: float, expected: int | None = None
    ) -> Change:
        row = {
            "name": name,
            "options": msgspec.json.encode(dict(options)).decode(),
            "changed_at": now,
            "changed_by": who,
        }
        with self._database.writing() as connection:
            if expected is not None and expected != self._locked(connection, name):
                raise ConflictError(CHANGED)
            (number,) = connection.execute(insert(self._table).values(row)).inserted_primary_key or (0,)
        return Change(number=number, name=name, options=dict(options), changed_at=now, changed_by=who)

    def _locked(self, connection: Connection, name: str) -> int:
        """The number of the newest change, which stays the newest until this transaction is over."""
        mine = self._table.c.name == name
        # First others are waited for, then looked: what they committed meanwhile is seen by a new statement only.
        connection.execute(select(self._table.c.id).where(mine).with_for_update()).all()
        return int(connection.execute(self._newest.where(mine)).scalar() or 0)

    def history(self, name: str, limit: int = 50) -> list[Change]:
        if not storable(name):
            return []
        table = self._table
        query = select(*self._columns).where(table.c.name == name).order_by(table.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_change(row) for row in connection.execute(query)]


def _change(row: AnyRow) -> Change:
    number, name, options, changed_at, changed_by = row
    read = msgspec.json.decode(options, type=dict[str, Any])
    return Change(number=number, name=name, options=read, changed_at=changed_at, changed_by=changed_by)

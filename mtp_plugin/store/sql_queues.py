"""Work that goes on from where it was, in SQLite or PostgreSQL: cursors, open carts, what is forwarded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Table, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from ..ports import DeadLetter, ForwardState
from .chunks import chunks
from .database import Database
from .schema import cursor, forward_dead, forward_target, open_cart
from .words import storable

SOME = 500
"""Rows of one statement."""
STATE = [forward_target.c["seq" if name == "number" else name] for name in ForwardState.__struct_fields__]
LETTER = [forward_dead.c["seq" if name == "number" else name] for name in DeadLetter.__struct_fields__]


def _upsert(database: Database, table: Table) -> Any:
    return sqlite.insert(table) if database.is_sqlite else postgresql.insert(table)


class SqlCursors:
    """Implements :class:`mtp_plugin.ports.Cursors`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str:
        with self._database.reading() as connection:
            return connection.execute(select(cursor.c.position).where(cursor.c.name == name)).scalar() or ""

    def put(self, name: str, position: str, now: float) -> None:
        row = _upsert(self._database, cursor).values(name=name, position=position, moved_at=now)
        values = {"position": position, "moved_at": now}
        with self._database.writing() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))


class SqlCarts:
    """Implements :class:`mtp_plugin.ports.CartBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def touch(self, touched: Mapping[str, float]) -> None:
        rows = [{"profile_id": name, "touched_at": at} for name, at in sorted(touched.items())]
        for some in chunks(rows, SOME):
            new = _upsert(self._database, open_cart).values(list(some))
            later = new.excluded.touched_at > open_cart.c.touched_at
            values = {"touched_at": new.excluded.touched_at}
            with self._database.writing() as connection:
                connection.execute(new.on_conflict_do_update(index_elements=["profile_id"], set_=values, where=later))

    def idle(self, before: float, limit: int = 1000) -> list[str]:
        query = select(open_cart.c.profile_id).where(open_cart.c.touched_at <= before)
        with self._database.reading() as connection:
            return list(connection.execute(query.order_by(open_cart.c.touched_at).limit(limit)).scalars())

    def close(self, profile_ids: Sequence[str], before: float) -> None:
        names = [name for name in profile_ids if storable(name)]
        gone = delete(open_cart).where(open_cart.c.profile_id.in_(names), open_cart.c.touched_at <= before)
        with self._database.writing() as connection:
            connection.execute(gone)


class SqlForwards:
    """Implements :class:`mtp_plugin.ports.ForwardBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> ForwardState | None:
        with self._database.reading() as connection:
            row = connection.execute(select(*STATE).where(forward_target.c.name == name)).first()
        return ForwardState(**dict(zip(ForwardState.__struct_fields__, row, strict=True))) if row else None

    def put(self, state: ForwardState) -> None:
        values = msgspec.structs.asdict(state)
        values["seq"] = values.pop("number")
        row = _upsert(self._database, forward_target).values(values)
        with self._database.writing() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))

    def refuse(self, target: str, letters: Sequence[tuple[int, str]], error: str, now: float) -> None:
        rows = [
            {"target": target, "seq": number, "profile_id": whose, "refused_at": now, "error": error}
            for number, whose in letters
        ]
        with self._database.writing() as connection:
            for some in chunks(rows, SOME):
                connection.execute(insert(forward_dead).values(list(some)))

    def dead(self, target: str = "", limit: int = 100) -> list[DeadLetter]:
        query = select(*LETTER).order_by(forward_dead.c.dead_id.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query.where(forward_dead.c.target == target) if target else query)
            return [DeadLetter(**dict(zip(DeadLetter.__struct_fields__, row, strict=True))) for row in rows]

    def remove(self, dead_ids: Sequence[int]) -> None:
        with self._database.writing() as connection:
            for some in chunks(dead_ids, SOME):
                connection.execute(delete(forward_dead).where(forward_dead.c.dead_id.in_(some)))

    def erase(self, profile_id: str) -> int:
        if not storable(profile_id):
            return 0
        with self._database.writing() as connection:
            return connection.execute(delete(forward_dead).where(forward_dead.c.profile_id == profile_id)).rowcount

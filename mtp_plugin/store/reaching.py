"""How far a count has come, kept in the transaction that writes what was counted."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from .schema import cursor


def reached(connection: Connection, name: str) -> int:
    """The number of what was counted last; 0 before the first."""
    return int(connection.execute(select(cursor.c.position).where(cursor.c.name == name)).scalar() or 0)


def reach(connection: Connection, name: str, number: int) -> None:
    """Remember it."""
    new: Any = sqlite.insert(cursor) if connection.dialect.name == "sqlite" else postgresql.insert(cursor)
    values = {"position": str(number), "moved_at": time.time()}
    connection.execute(new.values(name=name, **values).on_conflict_do_update(index_elements=["name"], set_=values))

"""How far a count has come, kept in the transaction that writes what was counted.

Who counts reads first and writes later; :func:`take` at the beginning of the writing refuses if anybody else wrote
meanwhile, and :func:`reading_again` reads again then. So nothing is counted twice even where a lease was lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import UnavailableError
from .schema import cursor

P = ParamSpec("P")
T = TypeVar("T")
Mark = tuple[int, float]
"""The number of what was counted last, and when that was written: everyone who writes changes it."""
TRIES = 5


class OvertakenError(Exception):
    """Somebody else wrote since the mark was read; the transaction is rolled back."""


def reached(connection: Connection, name: str) -> int:
    """The number of what was counted last; 0 before the first."""
    return marked(connection, name)[0]


def marked(connection: Connection, name: str) -> Mark:
    """The same with the time at which it was written, for :func:`take`."""
    row = connection.execute(select(cursor.c.position, cursor.c.moved_at).where(cursor.c.name == name)).first()
    return (int(row[0]), row[1]) if row else (0, 0.0)


def take(connection: Connection, name: str, mark: Mark) -> None:
    """Keep all others from writing until the transaction is over.

    :raises OvertakenError: somebody wrote since this mark was read
    """
    seen = cursor.c.name == name, cursor.c.position == str(mark[0]), cursor.c.moved_at == mark[1]
    if not connection.execute(update(cursor).where(*seen).values(moved_at=time.time())).rowcount:
        new = _insert(connection).values(name=name, position="0", moved_at=time.time())
        first = new.on_conflict_do_nothing().returning(cursor.c.name)
        if mark != (0, 0.0) or connection.execute(first).first() is None:
            raise OvertakenError(name)


def hold(connection: Connection, name: str) -> int:
    """The number of what was counted last, which stays so until the transaction is over; who has read reads again."""
    new, now = _insert(connection).values(name=name, position="0", moved_at=time.time()), time.time()
    held = new.on_conflict_do_update(index_elements=["name"], set_={"moved_at": now}).returning(cursor.c.position)
    return int(connection.execute(held).scalar_one())


def reach(connection: Connection, name: str, number: int) -> None:
    """Remember it."""
    values = {"position": str(number), "moved_at": time.time()}
    new = _insert(connection).values(name=name, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=values))


def reading_again(step: Callable[P, T]) -> Callable[P, T]:
    """Do it again from the beginning where somebody else wrote meanwhile.

    :raises UnavailableError: that happened five times in a row
    """

    @wraps(step)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(TRIES):
            try:
                return step(*args, **kwargs)
            except OvertakenError:
                continue
        raise UnavailableError("key figures are being counted by somebody else at the same time")

    return again


def _insert(connection: Connection) -> Any:
    return sqlite.insert(cursor) if connection.dialect.name == "sqlite" else postgresql.insert(cursor)

"""Outcomes in SQLite or PostgreSQL, numbered in the order in which they are committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text

from ..records import Outcome
from .chunks import chunks
from .database import Database
from .schema import outcome
from .words import storable

SOME = 500
"""Ids asked for by one statement."""
PURGE = 5000
"""Outcomes deleted in one transaction."""

NAMES = Outcome.__struct_fields__
COLUMNS = [outcome.c.number, *(outcome.c[name] for name in NAMES)]


class SqlOutcomes:
    """Implements :class:`mtp_plugin.ports.Outcomes`.

    One writer at a time: so what has a lesser number is committed before, and nothing ever comes before what a reader
    has seen.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, outcomes: Sequence[Outcome]) -> int:
        given = {one.outcome_id: one for one in outcomes}
        if not given:
            return 0
        with self._database.writing() as connection:
            self._alone(connection)
            for some in chunks(list(given), SOME):
                known = select(outcome.c.outcome_id).where(outcome.c.outcome_id.in_(some))
                for outcome_id in connection.execute(known).scalars().all():
                    del given[bytes(outcome_id)]
            if given:
                connection.execute(insert(outcome), [_row(one) for one in given.values()])
        return len(given)

    def _alone(self, connection: Connection) -> None:
        """Wait for other writers; SQLite has no more than one. Readers go on."""
        if not self._database.is_sqlite:
            connection.execute(text(f"LOCK TABLE {outcome.name} IN SHARE ROW EXCLUSIVE MODE"))

    def after(self, number: int, *, limit: int = 10_000) -> tuple[list[Outcome], int]:
        query = select(*COLUMNS).where(outcome.c.number > number).order_by(outcome.c.number).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [_outcome(row) for row in rows], rows[-1].number if rows else number

    def between(self, since: float, until: float, *, batch: int = 10_000) -> Iterator[list[Outcome]]:
        last = 0
        within = outcome.c.at >= since, outcome.c.at < until
        while True:
            query = select(*COLUMNS).where(outcome.c.number > last, *within).order_by(outcome.c.number).limit(batch)
            with self._database.reading() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            last = rows[-1].number
            yield [_outcome(row) for row in rows]

    def of(self, recommendation_id: str) -> list[Outcome]:
        return self._where(outcome.c.recommendation_id == recommendation_id) if storable(recommendation_id) else []

    def of_slates(self, recommendation_ids: Sequence[str]) -> dict[str, list[Outcome]]:
        found: dict[str, list[Outcome]] = {}
        for some in chunks([name for name in recommendation_ids if storable(name)], SOME):
            for one in self._where(outcome.c.recommendation_id.in_(some)):
                found.setdefault(one.recommendation_id, []).append(one)
        return found

    def of_visitor(self, profile_id: str) -> list[Outcome]:
        return self._where(outcome.c.profile_id == profile_id) if storable(profile_id) else []

    def _where(self, condition: Any) -> list[Outcome]:
        with self._database.reading() as connection:
            return [_outcome(row) for row in connection.execute(select(*COLUMNS).where(condition).order_by("number"))]

    def erase(self, profile_id: str) -> int:
        if not storable(profile_id):
            return 0
        with self._database.writing() as connection:
            return connection.execute(delete(outcome).where(outcome.c.profile_id == profile_id)).rowcount

    def purge(self, before: float, *, dry: bool = False) -> int:
        if dry:
            with self._database.reading() as connection:
                query = select(func.count()).select_from(outcome).where(outcome.c.at < before)
                return connection.execute(query).scalar_one()
        old, gone = select(outcome.c.number).where(outcome.c.at < before).limit(PURGE), 0
        while True:
            with self._database.writing() as connection:
                count = connection.execute(delete(outcome).where(outcome.c.number.in_(old))).rowcount
            gone += count
            if count < PURGE:
                return gone


def _row(one: Outcome) -> dict[str, Any]:
    return {name: getattr(one, name) for name in NAMES}


def _outcome(row: Row[Any]) -> Outcome:
    values: dict[str, Any] = dict(zip(NAMES, row[1:], strict=True))
    return Outcome(**values | {"outcome_id": bytes(values["outcome_id"])})

"""Alerts, and the hours that they are found in, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..ports import Alert, AlertHour, Silence
from .chunks import chunks
from .database import Database
from .schema import alert, alert_hour, alert_silence

HOUR_S = 3600.0
SOME = 500
NAMES = AlertHour.__struct_fields__
CELL = ("hour", "placement", "segment_id")


class SqlAlerts:
    """Implements :class:`mtp_plugin.ports.AlertBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _upsert(self, table: Any) -> Any:
        return sqlite.insert(table) if self._database.is_sqlite else postgresql.insert(table)

    def count(self, hours: Sequence[AlertHour]) -> None:
        with self._database.writing() as connection:
            for some in chunks(list(hours), SOME):
                new = self._upsert(alert_hour)
                sums = {name: new.excluded[name] for name in NAMES if name not in CELL}
                statement = new.on_conflict_do_update(index_elements=CELL, set_=sums)
                connection.execute(statement, [msgspec.structs.asdict(one) for one in some])

    def hours(self, since: int, until: int) -> list[AlertHour]:
        wanted = (alert_hour.c.hour >= since, alert_hour.c.hour < until)
        query = select(*(alert_hour.c[name] for name in NAMES)).where(*wanted)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(*(alert_hour.c[name] for name in CELL)))
            return [AlertHour(**dict(zip(NAMES, row, strict=True))) for row in rows]

    def last_hour(self) -> int:
        with self._database.reading() as connection:
            return connection.execute(select(func.max(alert_hour.c.hour))).scalar() or 0

    def add(self, new: Alert) -> Alert:
        with self._database.writing() as connection:
            statement = insert(alert).values(_row(new)).returning(alert.c.alert_id)
            number = connection.execute(statement).scalar_one()
        return msgspec.structs.replace(new, alert_id=number)

    def put(self, changed: Alert) -> None:
        with self._database.writing() as connection:
            connection.execute(update(alert).where(alert.c.alert_id == changed.alert_id).values(_row(changed)))

    def get(self, alert_id: int) -> Alert | None:
        query = select(alert.c.alert_id, alert.c.body).where(alert.c.alert_id == alert_id)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return _alert(*row) if row else None

    def kept(self, *, open_only: bool = False, limit: int = 100) -> list[Alert]:
        query = select(alert.c.alert_id, alert.c.body).order_by(alert.c.alert_id.desc()).limit(limit)
        if open_only:
            query = query.where(alert.c.state != "resolved")
        with self._database.reading() as connection:
            return [_alert(*row) for row in connection.execute(query)]

    def silence(self, silence: Silence) -> None:
        new = self._upsert(alert_silence).values(msgspec.structs.asdict(silence))
        values = {"until": silence.until, "by": silence.by}
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=["key"], set_=values))

    def silences(self, now: float) -> list[Silence]:
        columns = alert_silence.c
        query = select(columns.key, columns.until, columns.by).where(columns.until > now).order_by(columns.key)
        with self._database.reading() as connection:
            return [Silence(key=row[0], until=row[1], by=row[2]) for row in connection.execute(query)]

    def purge(self, before: float, *, dry: bool = False) -> int:
        old = (
            (alert_hour, (alert_hour.c.hour < before // HOUR_S,)),
            (alert, (alert.c.state == "resolved", alert.c.resolved_at < before)),
        )
        if dry:
            with self._database.reading() as connection:
                return sum(
                    connection.execute(select(func.count()).select_from(table).where(*which)).scalar_one()
                    for table, which in old
                )
        with self._database.writing() as connection:
            return sum(connection.execute(delete(table).where(*which)).rowcount for table, which in old)


def _row(one: Alert) -> dict[str, Any]:
    body = msgspec.json.encode(one).decode()
    return {"key": one.key, "state": one.state, "resolved_at": one.resolved_at, "body": body}


def _alert(number: int, body: str) -> Alert:
    return msgspec.structs.replace(msgspec.json.decode(body, type=Alert), alert_id=number)

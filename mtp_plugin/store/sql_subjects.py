"""Requests of visitors and suppressions in SQLite or PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, update

from ..ports import SubjectRequest, Suppression
from .database import AnyRow, Database
from .schema import privacy_report, subject_request, suppression
from .words import storable

REQUEST = [subject_request.c[name] for name in SubjectRequest.__struct_fields__]
ORDER = (subject_request.c.requested_at, subject_request.c.request_id)
SUPPRESSION = [suppression.c[name] for name in Suppression.__struct_fields__]
VERSION = select(func.max(suppression.c.id))


class SqlSubjects:
    """Implements :class:`mtp_plugin.ports.SubjectLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, request: SubjectRequest) -> None:
        values = _values(request)
        known = subject_request.c.request_id == request.request_id
        with self._database.writing(page=True) as connection:
            if not connection.execute(update(subject_request).where(known).values(values)).rowcount:
                connection.execute(insert(subject_request).values(values))

    def get(self, request_id: str) -> SubjectRequest | None:
        if not storable(request_id):
            return None
        found = self._read(subject_request.c.request_id == request_id)
        return found[0] if found else None

    def unfinished(self) -> list[SubjectRequest]:
        return self._read(subject_request.c.finished_at == 0)

    def of(self, subject: str) -> list[SubjectRequest]:
        return self._read(subject_request.c.subject == subject)

    def _read(self, condition: Any) -> list[SubjectRequest]:
        query = select(*REQUEST).where(condition).order_by(*ORDER)
        with self._database.reading() as connection:
            return [_request(row) for row in connection.execute(query)]

    def purge(self, before: float, *, dry: bool = False) -> int:
        old = (subject_request.c.finished_at > 0) & (subject_request.c.finished_at < before)
        if dry:
            with self._database.reading() as connection:
                return connection.execute(select(func.count()).select_from(subject_request).where(old)).scalar_one()
        with self._database.writing() as connection:
            return connection.execute(delete(subject_request).where(old)).rowcount

    def suppress(self, *suppressions: Suppression) -> None:
        with self._database.writing(page=True) as connection:
            for one in suppressions:
                # Written anew under a greater id, which is how other processes see that something changed.
                same = (suppression.c.subject == one.subject) & (suppression.c.kind == one.kind)
                connection.execute(delete(suppression).where(same))
                connection.execute(insert(suppression).values(msgspec.structs.asdict(one)))

    def suppressions(self) -> list[Suppression]:
        with self._database.reading() as connection:
            return [Suppression(**row._mapping) for row in connection.execute(select(*SUPPRESSION))]

    def suppression_version(self) -> int:
        return int(self._database.glance(VERSION)[0][0] or 0)

    def save_report(self, at: float, body: str) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(privacy_report).values(made_at=at, body=body))

    def last_report(self) -> str:
        query = select(privacy_report.c.body).order_by(privacy_report.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).scalar() or ""


def _values(request: SubjectRequest) -> dict[str, Any]:
    values = msgspec.structs.asdict(request)
    return values | {name: json.dumps(values[name]) for name in ("profile_ids", "steps")}


def _request(row: AnyRow) -> SubjectRequest:
    values = dict(row._mapping)
    values["profile_ids"], values["steps"] = tuple(json.loads(values["profile_ids"])), json.loads(values["steps"])
    return SubjectRequest(**values)

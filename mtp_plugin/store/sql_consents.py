"""Visitors' choices in SQLite or PostgreSQL; rows are only ever added."""

from __future__ import annotations

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select

from ..ports import ConsentDecision
from .database import Database
from .schema import consent
from .words import storable

FIELDS = [consent.c[name] for name in ConsentDecision.__struct_fields__]
BY_SUBJECT = select(*FIELDS).where(consent.c.subject_id == bindparam("subject")).order_by(consent.c.id)


class SqlConsents:
    """Implements :class:`mtp_plugin.ports.ConsentLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, *decisions: ConsentDecision) -> None:
        if not decisions:
            return
        with self._database.writing(page=True) as connection:
            connection.execute(insert(consent), [msgspec.structs.asdict(decision) for decision in decisions])

    def of(self, subject_id: str) -> list[ConsentDecision]:
        if not storable(subject_id):
            return []
        rows = self._database.glance(BY_SUBJECT, {"subject": subject_id})
        return [ConsentDecision(**row._mapping) for row in rows]

    def erase(self, subject_id: str) -> int:
        if not storable(subject_id):
            return 0
        with self._database.writing(page=True) as connection:
            return connection.execute(delete(consent).where(consent.c.subject_id == subject_id)).rowcount

    def purge(self, before: float, *, dry: bool = False) -> int:
        latest = select(func.max(consent.c.id)).group_by(consent.c.subject_id, consent.c.purpose)
        old = (consent.c.decided_at < before) & consent.c.id.not_in(latest)
        if dry:
            with self._database.reading() as connection:
                return connection.execute(select(func.count()).select_from(consent).where(old)).scalar_one()
        with self._database.writing() as connection:
            return connection.execute(delete(consent).where(old)).rowcount

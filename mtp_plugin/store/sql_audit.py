"""The audit log in SQLite or PostgreSQL; rows are only ever added, one writer after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from ..ports import AuditEntry, AuditFault, AuditHead
from ..privacy.audit import FIRST, Sealer, canonical, check
from .database import AnyRow, Database
from .schema import audit, audit_head

COLUMNS = [audit.c[name] for name in AuditEntry.__struct_fields__]
HEAD = select(audit_head.c.number, audit_head.c.seal).where(audit_head.c.id == 1)


class SqlAudit:
    """Implements :class:`mtp_plugin.ports.AuditLog`.

    :param keys: keys of the seals, the newest last
    """

    def __init__(self, database: Database, keys: Sequence[bytes] = ()) -> None:
        self._database, self._sealer = database, Sealer(keys)

    def append(
        self, actor: str, action: str, subject: str = "", details: Mapping[str, Any] | None = None, *, at: float
    ) -> AuditEntry:
        with self._database.writing(page=True) as connection:
            return self.append_within(connection, actor, action, subject, details, at=at)

    def append_within(
        self,
        connection: Connection,
        actor: str,
        action: str,
        subject: str = "",
        details: Mapping[str, Any] | None = None,
        *,
        at: float,
    ) -> AuditEntry:
        """Write an entry in the transaction of what it tells of: both are kept, or neither."""
        # The head's row is the lock: on PostgreSQL the next writer waits here, on SQLite at the transaction's start.
        row = connection.execute(HEAD.with_for_update()).one()
        head = AuditHead(number=row.number, seal=row.seal)
        entry = self._sealer.entry(head, at, actor, action, subject, details)
        values = msgspec.structs.asdict(entry) | {"details": canonical(entry.details)}
        connection.execute(insert(audit).values(values))
        connection.execute(update(audit_head).where(audit_head.c.id == 1).values(number=entry.number, seal=entry.seal))
        return entry

    def entries(self, *, after: int = 0, batch: int = 1000) -> Iterator[AuditEntry]:
        last = after
        while True:
            query = select(*COLUMNS).where(audit.c.number > last).order_by(audit.c.number).limit(batch)
            with self._database.reading() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            yield from map(_entry, rows)
            last = rows[-1].number

    def latest(self, limit: int, *, action: str = "", subject: str = "") -> list[AuditEntry]:
        query = select(*COLUMNS).order_by(audit.c.number.desc()).limit(limit)
        if action:
            query = query.where(audit.c.action.startswith(action, autoescape=True))
        if subject:
            query = query.where(audit.c.subject == subject)
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def head(self) -> AuditHead:
        with self._database.reading() as connection:
            row = connection.execute(HEAD).one_or_none()
        return AuditHead(number=row.number, seal=row.seal) if row else AuditHead(number=0, seal=FIRST)

    def verify(self) -> list[AuditFault]:
        return check(lambda number: self.entries(after=number), self.head, self._sealer)


def _entry(row: AnyRow) -> AuditEntry:
    values = dict(row._mapping)
    try:
        values["details"] = json.loads(values["details"])
    except ValueError:
        values["details"] = {"unreadable": values["details"]}  # somebody changed it: its seal will not fit
    return AuditEntry(**values)

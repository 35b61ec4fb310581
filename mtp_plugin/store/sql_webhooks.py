"""Webhooks received, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..ports import Webhook
from .database import Database
from .schema import webhook
from .sealed import Seal
from .words import storable

OPEN = ("new", "waiting")
FIELDS = [
    func.coalesce(webhook.c.profile_id, "") if name == "profile_id" else webhook.c[name]
    for name in Webhook.__struct_fields__
]


class SqlWebhooks:
    """Implements :class:`mtp_plugin.ports.WebhookBox`."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database, self.seal = database, seal

    def add(
        self, source: str, topic: str, delivery_id: str, digest: bytes, body: bytes, *, now: float, next_try_at: float
    ) -> Webhook | None:
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        row = {"source": source, "topic": topic, "delivery_id": delivery_id, "digest": digest, "received_at": now}
        row |= {"body": self.seal.close(body), "state": "new", "tries": 0, "next_try_at": next_try_at, "message": ""}
        new = insert(webhook).values(row).on_conflict_do_nothing().returning(webhook.c.webhook_id)
        with self._database.writing(page=True) as connection:
            number = connection.execute(new).scalar()
        return self.get(number) if number is not None else None

    def body(self, webhook_id: int) -> bytes | None:
        with self._database.reading() as connection:
            stored = connection.execute(select(webhook.c.body).where(webhook.c.webhook_id == webhook_id)).scalar()
        return self.seal.open(stored) if stored else None

    def finish(self, done: Webhook, *, keep_body: bool = True) -> None:
        names = ("state", "tries", "next_try_at", "message")
        values: dict[str, Any] = {name: getattr(done, name) for name in names}
        values["profile_id"] = done.profile_id if done.profile_id and storable(done.profile_id) else None
        if not keep_body:
            values["body"] = None
        with self._database.writing() as connection:
            connection.execute(update(webhook).where(webhook.c.webhook_id == done.webhook_id).values(values))

    def due(self, now: float, limit: int) -> list[Webhook]:
        wanted = (webhook.c.state.in_(OPEN), webhook.c.next_try_at <= now)
        return self._read(wanted, webhook.c.webhook_id, limit)

    def get(self, webhook_id: int) -> Webhook | None:
        return next(iter(self._read([webhook.c.webhook_id == webhook_id], webhook.c.webhook_id, 1)), None)

    def kept(self, state: str = "", limit: int = 100) -> list[Webhook]:
        return self._read([webhook.c.state == state] if state else [], webhook.c.webhook_id.desc(), limit)

    def of(self, profile_id: str) -> list[Webhook]:
        return (
            self._read([webhook.c.profile_id == profile_id], webhook.c.webhook_id, -1) if storable(profile_id) else []
        )

    def _read(self, wanted: Sequence[ColumnElement[bool]], order: Any, limit: int) -> list[Webhook]:
        query = select(*FIELDS).where(*wanted).order_by(order)
        with self._database.reading() as connection:
            rows = connection.execute(query if limit < 0 else query.limit(limit))
            return [Webhook(**dict(zip(Webhook.__struct_fields__, row, strict=True))) for row in rows]

    def erase(self, profile_id: str) -> int:
        return self._empty(webhook.c.profile_id == profile_id) if storable(profile_id) else 0

    def erase_source(self, source: str) -> int:
        return self._empty(webhook.c.source == source)

    def _empty(self, which: ColumnElement[bool]) -> int:
        gone = {"body": None, "profile_id": None, "message": "erased"}
        with self._database.writing() as connection:
            open_ones = update(webhook).where(which, or_(webhook.c.state.in_(OPEN), webhook.c.state == "dead"))
            connection.execute(open_ones.values(state="ignored"))
            return connection.execute(update(webhook).where(which).values(gone)).rowcount

    def purge(self, before: float, *, dry: bool = False) -> int:
        if dry:
            query = select(func.count()).select_from(webhook).where(webhook.c.received_at < before)
            with self._database.reading() as connection:
                return connection.execute(query).scalar_one()
        with self._database.writing() as connection:
            return connection.execute(delete(webhook).where(webhook.c.received_at < before)).rowcount

"""What is remembered of segments, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ..ports import MadeSegment, SegmentRefresh
from .database import Database
from .schema import segment_made, segment_member, segment_name, segment_refresh, segment_version
from .words import storable

CHUNK = 10_000
"""Members stored by one statement."""
KEPT = 520
"""Refreshes that are remembered: ten years of weeks."""

VERSION = select(segment_version.c.version).where(segment_version.c.id == 1)
MADE = select(segment_made).order_by(segment_made.c.precedence, segment_made.c.segment_id)
MEMBERS = select(segment_member).where(segment_member.c.profile_id > bindparam("last"))
NEWEST = select(segment_refresh.c.id, segment_refresh.c.body).order_by(segment_refresh.c.id.desc())


class SqlSegments:
    """Implements :class:`mtp_plugin.ports.SegmentBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        return int(self._database.glance(VERSION)[0][0])

    def made(self) -> list[MadeSegment]:
        rows = [dict(row._mapping) for row in self._database.glance(MADE)]
        return [MadeSegment(**{**row, "condition": msgspec.json.decode(row["condition"])}) for row in rows]

    def save(self, segment: MadeSegment) -> None:
        row = msgspec.structs.asdict(segment) | {"condition": msgspec.json.encode(segment.condition).decode()}
        with self._database.writing() as connection:
            _next_version(connection)  # first: it is what others wait for
            connection.execute(delete(segment_made).where(segment_made.c.segment_id == segment.segment_id))
            connection.execute(insert(segment_made).values(row))

    def counted(self, sizes: Mapping[str, int], at: float) -> None:
        with self._database.writing() as connection:
            _next_version(connection)
            for segment_id, size in sizes.items():
                known = update(segment_made).where(segment_made.c.segment_id == segment_id)
                connection.execute(known.values(size=size, counted_at=at))

    def delete(self, segment_id: str) -> bool:
        if not storable(segment_id):
            return False
        with self._database.writing() as connection:
            _next_version(connection)
            gone = connection.execute(delete(segment_made).where(segment_made.c.segment_id == segment_id))
            return gone.rowcount > 0

    def names(self) -> dict[str, str]:
        return {row.segment_id: row.name for row in self._database.glance(select(segment_name))}

    def rename(self, segment_id: str, name: str) -> None:
        with self._database.writing() as connection:
            _next_version(connection)
            connection.execute(delete(segment_name).where(segment_name.c.segment_id == segment_id))
            if name:
                connection.execute(insert(segment_name).values(segment_id=segment_id, name=name))

    def members(self, *, batch: int = 5000) -> Iterator[list[tuple[str, str]]]:
        query, last = MEMBERS.order_by(segment_member.c.profile_id).limit(batch), ""
        while True:
            with self._database.reading() as connection:
                rows = [(row[0], row[1]) for row in connection.execute(query, {"last": last})]
            if not rows:
                return
            last = rows[-1][0]
            yield rows

    def record_refresh(self, refresh: SegmentRefresh, members: Iterable[tuple[str, str]] | None = None) -> None:
        body = msgspec.json.encode(refresh).decode()
        with self._database.writing() as connection:
            _next_version(connection)
            connection.execute(insert(segment_refresh).values(refreshed_at=refresh.refreshed_at, body=body))
            oldest = connection.execute(NEWEST.offset(KEPT).limit(1)).first()
            if oldest is not None:
                connection.execute(delete(segment_refresh).where(segment_refresh.c.id <= oldest.id))
            if members is not None:
                _replace_members(connection, iter(members))

    def refreshes(self, limit: int = 52) -> list[SegmentRefresh]:
        with self._database.reading() as connection:
            bodies = [row.body for row in connection.execute(NEWEST.limit(limit))]
        return [msgspec.json.decode(body, type=SegmentRefresh) for body in bodies]

    def forget(self, profile_id: str) -> bool:
        if not storable(profile_id):
            return False
        with self._database.writing() as connection:
            gone = connection.execute(delete(segment_member).where(segment_member.c.profile_id == profile_id))
            return gone.rowcount > 0


def _next_version(connection: Connection) -> None:
    connection.execute(update(segment_version).values(version=segment_version.c.version + 1))


def _replace_members(connection: Connection, members: Iterator[tuple[str, str]]) -> None:
    connection.execute(delete(segment_member))
    while rows := [{"profile_id": who, "segment_id": where} for who, where in islice(members, CHUNK)]:
        connection.execute(insert(segment_member), rows)

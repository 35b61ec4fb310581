"""Leases and what jobs said, in SQLite or PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from ..ports import JobRun
from .database import Database
from .schema import job_run, lease

KEPT = 100
"""Runs of each job that are remembered."""


class SqlLeases:
    """Implements :class:`mtp_plugin.ports.Leases`.

    :param clock: seconds since 1970; ``None`` is the database server's clock, which all workers share
    """

    def __init__(self, database: Database, clock: Callable[[], float] | None = None) -> None:
        self._database, self._clock = database, clock

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        with self._database.writing() as connection:
            now = self._now(connection)
            values = {"holder": holder, "expires_at": now + seconds}
            # What would hold for much longer than anybody asks for is of a time before the clock was set back.
            over = or_(lease.c.expires_at <= now, lease.c.expires_at > now + 2 * seconds)
            free = or_(lease.c.holder == holder, over)
            if connection.execute(update(lease).where(lease.c.name == name, free).values(values)).rowcount:
                return True
            new = postgresql.insert(lease) if not self._database.is_sqlite else sqlite.insert(lease)
            taken = new.values(name=name, **values).on_conflict_do_nothing().returning(lease.c.name)
            return connection.execute(taken).first() is not None

    def release(self, name: str, holder: str) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(lease).where(lease.c.name == name, lease.c.holder == holder))

    def record_run(self, run: JobRun) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(job_run).values(msgspec.structs.asdict(run)))
            oldest = select(job_run.c.id).where(job_run.c.name == run.name).order_by(job_run.c.id.desc())
            limit = connection.execute(oldest.offset(KEPT).limit(1)).scalar()
            if limit is not None:
                connection.execute(delete(job_run).where(job_run.c.name == run.name, job_run.c.id <= limit))

    def last_runs(self) -> dict[str, JobRun]:
        newest = select(func.max(job_run.c.id)).group_by(job_run.c.name)
        columns = [job_run.c[name] for name in JobRun.__struct_fields__]
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns).where(job_run.c.id.in_(newest)).order_by(job_run.c.name))
            return {row.name: JobRun(**row._mapping) for row in rows}

    def _now(self, connection: Connection) -> float:
        if self._clock is not None:
            return self._clock()
        if self._database.is_sqlite:
            return time.time()
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

"""A read replica of the database, for what reads much and writes nothing: training, reports, rebuilding of figures.

It is read only once it has replayed all that the database had committed when reading began: what training says it has
counted, it has, and what was erased is not there any more. A replica that is away, or too far behind, is passed over.
"""

from __future__ import annotations

import logging
import time

from sqlalchemy import text

from ..errors import UnavailableError
from .database import Database

log = logging.getLogger(__name__)

WAIT_S = 10.0
"""How long a replica may take to come to where the database is now."""

NOW = text("SELECT pg_current_wal_lsn()")
REACHED = text("SELECT pg_last_wal_replay_lsn() >= CAST(:place AS pg_lsn)")


class Replica(Database):
    """A PostgreSQL that follows another one."""

    def _open(self) -> None:
        """It is never migrated: it gets the tables of the database that it follows."""
        self._ready = True

    def follows(self, database: Database) -> bool:
        """Whether all that *database* has committed by now can be read here; waits for it a while."""
        with database.reading() as connection:
            place = connection.execute(NOW).scalar_one()
        deadline = time.monotonic() + WAIT_S
        try:
            while not self._has_reached(str(place)):
                if time.monotonic() > deadline:
                    log.warning("the replica is more than %g s behind, reading from the database itself", WAIT_S)
                    return False
                time.sleep(0.02)
        except UnavailableError as error:
            log.warning("the replica cannot be used, reading from the database itself: %s", error)
            return False
        return True

    def _has_reached(self, place: str) -> bool:
        """``False`` too where it follows nobody: then nothing says what is in it."""
        with self.reading() as connection:
            return bool(connection.execute(REACHED, {"place": place}).scalar())

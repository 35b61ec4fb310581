"""The journal in SQLite with the profiles of late visitors at hand in each process.

SQLite lives on one machine, and so do all who write to it: a page of shared memory (:mod:`.marks`) tells each process
whose profile another one changed. A copy is used while its mark is the one that was there before it was read. The mark
changes after the commit and before anybody is told that the events are durable, so whoever was told finds them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..memory import Remembered
from ..records import Event, FoldFunction, Profile
from .batch import Stored
from .database import Database
from .marks import Marks
from .sql_journal import SqlJournal

log = logging.getLogger(__name__)

LONGEST = 60.0
"""Seconds for which a copy is used: a process that is killed between commit and mark tells nobody."""

Copy = tuple[bytes, float, Profile | None]
"""The mark before the profile was read, when that was, and the profile."""


class NearJournal(SqlJournal):
    """Implements :class:`mtp_plugin.ports.Journal`.

    :param path: of the shared memory, made when it is first needed; where it cannot be, no copies are kept
    :param limit: most profiles kept in this process
    """

    def __init__(self, database: Database, window_s: float, path: Path, *, limit: int = 1000) -> None:
        super().__init__(database, window_s)
        self._path, self._tried = path, False
        self._shared: Marks | None = None
        self._copies: Remembered[str, Copy] = Remembered(limit)

    def marks(self) -> Marks | None:
        """The memory that the processes of this machine share, ``None`` where there can be none."""
        if not self._tried and self._path.parent.is_dir():
            try:
                self._shared = Marks(self._path)
            except OSError as error:
                log.warning("profiles are read from the database each time, no memory can be shared: %s", error)
            self._tried = True
        return self._shared

    def _changed(self, profile_ids: Iterable[str]) -> None:
        if marks := self.marks():
            marks.change(profile_ids)

    def record(self, events: Sequence[Event], fold: FoldFunction) -> list[bool]:
        try:
            return super().record(events, fold)
        finally:
            self._changed({event.profile_id for event in events})

    def erase_all(self, profile_id: str, *, stale: bool = False) -> tuple[int, int]:
        try:
            return super().erase_all(profile_id, stale=stale)
        finally:
            self._changed([profile_id])
            self._copies.forget(profile_id)

    def rebuild_some(self, profile_ids: Sequence[str], fold: FoldFunction, stale: bool = False) -> dict[str, Stored]:
        try:
            return super().rebuild_some(profile_ids, fold, stale)
        finally:
            self._changed(profile_ids)

    def profiles(self, profile_ids: Sequence[str]) -> list[Profile | None]:
        marks = self.marks()
        if marks is None:
            return super().profiles(profile_ids)
        now, missing = time.monotonic(), []
        found: dict[str, Profile | None] = {}
        for profile_id in profile_ids:
            mark = marks.of(profile_id)
            copy = self._copies.get(profile_id)
            if copy is not None and copy[0] == mark and now - copy[1] < LONGEST:
                found[profile_id] = copy[2]
            else:
                missing.append((profile_id, mark))
        if missing:
            read = super().profiles([profile_id for profile_id, _ in missing])
            for (profile_id, mark), profile in zip(missing, read, strict=True):
                found[profile_id] = self._copies.keep(profile_id, (mark, now, profile))[2]
        return [found[profile_id] for profile_id in profile_ids]

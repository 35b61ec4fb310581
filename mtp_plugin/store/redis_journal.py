"""The journal with profiles at hand in Redis: written through to the database, read from the copies.

The database stays the only truth, events and profiles in one transaction as ever; Redis saves the readers its round
trip. So nothing is lost with Redis, and what it lacks is fetched again: how copies are kept from being old is told in
:mod:`mtp_plugin.store.redis_state`. While Redis cannot be told of a write, the write notes so in the database
(``mtp_stale_profile``, same transaction), and whoever reaches Redis again renews those copies before trusting any.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from redis import RedisError

from ..fork import after_fork
from ..records import Event, FoldFunction, Interactions, Profile
from .batch import Stored
from .breaker import Breaker
from .redis_state import Copy, RedisState
from .rows import bytes_profile
from .sql_journal import REBUILD, SqlJournal
from .words import storable

NO_PROFILE = Stored(0, b"")


class RedisJournal:
    """Implements :class:`mtp_plugin.ports.Journal`."""

    def __init__(self, journal: SqlJournal, state: RedisState) -> None:
        self._journal, self._state = journal, state
        self._breaker = Breaker("Redis, for profiles")
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._lock, self._trusted = threading.Lock(), False

    # ------------------------------------------------------------------------------------------- writing

    def record(self, events: Sequence[Event], fold: FoldFunction) -> list[bool]:
        if not events:
            return []
        batch = self._journal.batch(events, fold)

        def write(stale: bool) -> dict[str, Stored]:
            batch.stale = stale
            return self._journal.commit(batch).profiles

        self._write_through(batch.profile_ids, write)
        return batch.new

    def rebuild(self, fold: FoldFunction, *, progress: Callable[[int], None] | None = None) -> int:
        done = 0
        for ids in self._journal.visitors(REBUILD):
            done += len(self._write_through(ids, partial(self._journal.rebuild_some, ids, fold)))
            if progress:
                progress(done)
        return done

    def _write_through(
        self, profile_ids: Sequence[str], write: Callable[[bool], dict[str, Stored]]
    ) -> dict[str, Stored]:
        token = secrets.token_hex(6)
        told = self._tell(lambda: self._state.announce(profile_ids, token))
        try:
            changed = write(not told)
        except BaseException:
            if told:
                self._tell(lambda: self._state.withdraw(profile_ids, token))
            raise
        same = [name for name in profile_ids if name not in changed]
        if told and not self._tell(lambda: self._renew(changed, same, token)):
            self._journal.mark_stale(profile_ids)
        return changed

    def _renew(self, changed: Mapping[str, Stored], same: Sequence[str], token: str) -> None:
        self._state.publish(changed, token)
        self._state.withdraw(same, token)

    def erase(self, profile_id: str) -> int:
        if not storable(profile_id):
            return 0
        token = secrets.token_hex(6)
        told = self._tell(lambda: self._state.announce([profile_id], token))
        count, number = self._journal.erase_all(profile_id, stale=not told)
        if told and not self._tell(lambda: self._state.bury([profile_id], token, number)):
            self._journal.mark_stale([profile_id])
        return count

    # ------------------------------------------------------------------------------------------- reading

    def profiles(self, profile_ids: Sequence[str]) -> list[Profile | None]:
        names = [name for name in profile_ids if storable(name)]
        copies = self._copies(names) if names else {}
        found = {name: copy.stored for name, copy in copies.items() if copy.stored is not None}
        missing = [name for name in names if name not in found]
        if missing:
            originals = self._journal.stored(missing)
            found.update(originals)
            if copies:
                fresh = {name: (originals.get(name, NO_PROFILE), copies[name].dead) for name in missing}
                self._tell(lambda: self._state.fill(fresh))
        return [bytes_profile(found[name].body) if name in found else None for name in profile_ids]

    def _copies(self, profile_ids: Sequence[str]) -> Mapping[str, Copy]:
        if not self._breaker.closed or not (self._trusted or self._recover()):
            return {}
        try:
            copies = self._state.read(profile_ids)
        except (RedisError, OSError) as error:
            self._failed(error)
            return {}
        self._breaker.succeeded()
        return copies

    def _tell(self, say: Callable[[], None]) -> bool:
        """Whether Redis could be told."""
        if not self._breaker.admits():
            return False
        try:
            say()
        except (RedisError, OSError) as error:
            self._failed(error)
            return False
        self._breaker.succeeded()
        return True

    def _failed(self, error: BaseException) -> None:
        self._trusted = False
        self._breaker.failed(error)

    def _recover(self) -> bool:
        """Renew the copies of what was written while Redis was away; gives whether copies can be trusted again."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._trusted = self._tell(self._renew_stale)
            return self._trusted
        finally:
            self._lock.release()

    def _renew_stale(self) -> None:
        self._state.ping()
        for numbers, profile_ids in self._journal.stale():
            originals = self._journal.stored(profile_ids)
            self._state.publish(originals, "")
            self._state.bury([name for name in profile_ids if name not in originals], "", 0)
            self._journal.forget_stale(numbers)

    def probe(self) -> str:
        """``""`` when Redis answers, else what is wrong."""
        try:
            self._state.ping()
        except (RedisError, OSError) as error:
            return str(error)
        return ""

    # ------------------------------------------------------------------------------ as the database has it

    def events_of(self, profile_id: str) -> Iterator[Event]:
        return self._journal.events_of(profile_id)

    def scan(
        self, *, since: float | None = None, until: float | None = None, names: Sequence[str] = (), batch: int = 5000
    ) -> Iterator[list[Event]]:
        return self._journal.scan(since=since, until=until, names=names, batch=batch)

    def interactions(self, *, after: int = 0, until: int | None = None, batch: int = 10_000) -> Iterator[Interactions]:
        return self._journal.interactions(after=after, until=until, batch=batch)

    def count(self) -> int:
        return self._journal.count()

    def count_visitors(self, since: float, until: float) -> int:
        return self._journal.count_visitors(since, until)

    def last_number(self) -> int:
        return self._journal.last_number()

    def tail(
        self, after: int, *, names: Sequence[str] = (), limit: int = 1000, now: float
    ) -> tuple[list[tuple[int, Event]], int]:
        return self._journal.tail(after, names=names, limit=limit, now=now)

    def profile_ids(self, *, batch: int = 5000) -> Iterator[list[str]]:
        return self._journal.profile_ids(batch=batch)

    def purge(self, before: float, *, dry: bool = False) -> int:
        return self._journal.purge(before, dry=dry)

    def expire(self, before: float, *, dry: bool = False) -> int:
        return self._journal.expire(before, dry=dry)

    def partition(self, now: float) -> bool:
        return self._journal.partition(now)

    def idle(self, before: float, *, batch: int = 1000) -> Iterator[list[str]]:
        return self._journal.idle(before, batch=batch)

    def close(self) -> None:
        """Close the database's readers."""
        self._journal.close()

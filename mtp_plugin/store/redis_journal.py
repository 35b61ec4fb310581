"""The journal with profiles at hand in Redis: written through to the database, read from the copies.

The database stays the only truth, events and profiles in one transaction as ever; Redis saves the readers its round
trip. So nothing is lost with Redis, and what it lacks is fetched again: how copies are kept from being old is told in
:mod:`mtp_plugin.store.redis_state`. While Redis cannot be told of a write, the write notes so in the database
(``mtp_stale_profile``, same transaction), and whoever reaches Redis again renews those copies before trusting any.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from redis import RedisError

from ..errors import UnavailableError
from ..fork import after_fork
from ..patience import is_patient, left
from ..records import Event, FoldFunction, Interactions, Profile
from .batch import Stored
from .breaker import Breaker
from .redis_state import Copy, RedisState
from .rows import bytes_profile
from .sql_journal import REBUILD, SqlJournal
from .words import storable

log = logging.getLogger(__name__)

NO_PROFILE = Stored(0, b"")
RECOVER_S = 0.005
"""How long a page waits for a thread that renews copies: enough where there is nothing to renew."""


class RedisJournal:
    """Implements :class:`mtp_plugin.ports.Journal`.

    :param breaker: shared with whatever else asks the same server; what others could not reach is not trusted either
    """

    def __init__(self, journal: SqlJournal, state: RedisState, breaker: Breaker | None = None) -> None:
        self._journal, self._state = journal, state
        self._breaker = breaker or Breaker("Redis, for profiles")
        self._reset()
        after_fork(self._reset)

    def _reset(self) -> None:
        self._lock, self._missed = threading.Lock(), 0
        self._renewed_at = (-1, 0)
        self._recovering: threading.Thread | None = None

    @property
    def _moment(self) -> tuple[int, int]:
        """How often Redis could not be reached, and how many writes it was not told of."""
        return self._breaker.openings, self._missed

    @property
    def _trusted(self) -> bool:
        """Whether nothing was missed since copies were last renewed."""
        return self._renewed_at == self._moment

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
            told = False
            self._journal.mark_stale(profile_ids)
        self._miss(told)
        return changed

    def _miss(self, told: bool) -> None:
        """Who renewed copies while this was written did not see it: they are to be renewed once more."""
        if not told:
            with self._lock:
                self._missed += 1

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
            told = False
            self._journal.mark_stale([profile_id])
        self._miss(told)
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
        if not self._breaker.closed or not (self._trusted or self._renewed()) or left(1.0) <= 0:
            return {}
        try:
            copies = self._state.read(profile_ids)
        except (RedisError, OSError) as error:
            self._breaker.failed(error)
            return {}
        self._breaker.succeeded()
        return copies

    def _tell(self, say: Callable[[], None]) -> bool:
        """Whether Redis could be told."""
        if left(1.0) <= 0 or not self._breaker.admits():
            return False
        try:
            say()
        except (RedisError, OSError) as error:
            self._breaker.failed(error)
            return False
        self._breaker.succeeded()
        return True

    def _renewed(self) -> bool:
        """Whether copies can be trusted again. Where somebody waits it is for a thread to see to that."""
        if is_patient():
            return self._recover()
        with self._lock:
            if self._recovering is None or not self._recovering.is_alive():
                self._recovering = threading.Thread(target=self._recover_quietly, name="mtp-recover", daemon=True)
                self._recovering.start()
            thread = self._recovering
        thread.join(max(0.0, min(left(RECOVER_S), RECOVER_S)))
        return self._trusted

    def _recover_quietly(self) -> None:
        try:
            self._recover()
        except UnavailableError as error:
            log.warning("copies of profiles cannot be renewed now: %s", error)

    def _recover(self) -> bool:
        """Renew the copies of what was written while Redis was away."""
        before = self._moment
        if self._tell(self._renew_stale):
            self._renewed_at = before
        return self._trusted

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

    def tail(self, after: int, *, names: Sequence[str] = (), limit: int = 1000) -> tuple[list[tuple[int, Event]], int]:
        return self._journal.tail(after, names=names, limit=limit)

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

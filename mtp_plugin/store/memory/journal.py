"""Events and profiles in lists and dictionaries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from ...errors import SetupError
from ...records import ACTIONS, Event, FoldFunction, Interactions, Profile
from ..batch import Batch, Found, SeenKey, Stored, apply, fold_anew
from ..chunks import chunks
from ..rows import EventRow, bytes_profile, row_event, row_interactions


class MemoryJournal:
    """Implements :class:`mtp_plugin.ports.Journal`, and one transaction of it at a time: :class:`~..batch.Work`."""

    def __init__(self, window_s: float = 172_800.0) -> None:
        self._window_s = window_s
        self._lock = threading.RLock()
        self._rows: list[EventRow] = []
        self._next = 1
        self._seen: set[SeenKey] = set()
        self._permanent: set[bytes] = set()
        self._profiles: dict[str, Stored] = {}

    # ------------------------------------------------------------------------------------------- the port

    def record(self, events: Sequence[Event], fold: FoldFunction) -> list[bool]:
        batch = Batch(events, fold, self._window_s)
        with self._lock:
            apply([batch], self)
        return batch.new

    def profiles(self, profile_ids: Sequence[str]) -> list[Profile | None]:
        found = [self._profiles.get(name) for name in profile_ids]
        return [bytes_profile(stored.body) if stored else None for stored in found]

    def events_of(self, profile_id: str) -> Iterator[Event]:
        return (row_event(row) for row in list(self._rows) if row.profile_id == profile_id)

    def scan(
        self, *, since: float | None = None, until: float | None = None, names: Sequence[str] = (), batch: int = 5000
    ) -> Iterator[list[Event]]:
        wanted = [
            row
            for row in self._rows
            if (since is None or row.happened_at >= since)
            and (until is None or row.happened_at < until)
            and (not names or row.name in names)
        ]
        return ([row_event(row) for row in rows] for rows in chunks(wanted, batch))

    def interactions(self, *, after: int = 0, until: int | None = None, batch: int = 10_000) -> Iterator[Interactions]:
        end = self.last_number() if until is None else until
        wanted = [row for row in self._rows if row.name in ACTIONS and after < row.seq <= end]
        parts = (
            [(row.profile_id, row.name, row.happened_at, row.body) for row in rows] for rows in chunks(wanted, batch)
        )
        return map(row_interactions, parts)

    def count(self) -> int:
        return len(self._rows)

    def count_visitors(self, since: float, until: float) -> int:
        return len({event.profile_id for events in self.scan(since=since, until=until) for event in events})

    def last_number(self) -> int:
        return self._rows[-1].seq if self._rows else 0

    def tail(self, after: int, *, names: Sequence[str] = (), limit: int = 1000) -> tuple[list[tuple[int, Event]], int]:
        rows = [row for row in self._rows if row.seq > after and (not names or row.name in names)][:limit]
        last = rows[-1].seq if len(rows) == limit else max(self.last_number(), after)
        return [(row.seq, row_event(row)) for row in rows], last

    def profile_ids(self, *, batch: int = 5000) -> Iterator[list[str]]:
        return (list(names) for names in chunks(sorted(self._profiles), batch))

    def rebuild(self, fold: FoldFunction, *, progress: Callable[[int], None] | None = None) -> int:
        with self._lock:
            done = len(fold_anew(self, sorted({row.profile_id for row in self._rows}), fold))
        if progress:
            progress(done)
        return done

    def erase(self, profile_id: str) -> int:
        with self._lock:
            before, self._rows = len(self._rows), [row for row in self._rows if row.profile_id != profile_id]
            self._profiles.pop(profile_id, None)
            self._permanent = {row.event_id for row in self._rows if row.permanent}
            return before - len(self._rows)

    def purge(self, before: float, *, dry: bool = False) -> int:
        bucket = int(before // self._window_s)
        with self._lock:
            kept = {key for key in self._seen if key[0] >= bucket}
            gone = len(self._seen) - len(kept)
            self._seen = self._seen if dry else kept
        return gone

    def expire(self, before: float, *, dry: bool = False) -> int:
        with self._lock:
            kept = [row for row in self._rows if row.received_at >= before]
            gone = len(self._rows) - len(kept)
            self._rows = self._rows if dry else kept
        return gone

    def partition(self, now: float) -> bool:
        raise SetupError("memory has no tables")

    def idle(self, before: float, *, batch: int = 1000) -> Iterator[list[str]]:
        last: dict[str, float] = {}
        for row in self._rows:
            last[row.profile_id] = max(row.received_at, last.get(row.profile_id, row.received_at))
        names = sorted(name for name, when in last.items() if when < before)
        return (list(some) for some in chunks(names, batch))

    # -------------------------------------------------------------------------------------- a transaction

    def inspect(
        self, profile_ids: Sequence[str], keys: Sequence[SeenKey], event_ids: Sequence[bytes], count: int
    ) -> Found:
        """As :meth:`mtp_plugin.store.batch.Work.inspect`."""
        profiles = {name: self._profiles[name] for name in profile_ids if name in self._profiles}
        repeated = {key for bucket, key in keys if self._seen & {(bucket, key), (bucket - 1, key)}}
        repeated |= self._permanent.intersection(event_ids)
        first, self._next = self._next, self._next + count
        return Found(profiles, frozenset(repeated), range(first, first + count))

    def append(self, rows: Sequence[EventRow], keys: Sequence[SeenKey]) -> None:
        """As :meth:`mtp_plugin.store.batch.Work.append`."""
        self._rows.extend(rows)
        self._seen.update(keys)
        self._permanent.update(row.event_id for row in rows if row.permanent)

    def put(self, profiles: Mapping[str, Stored]) -> None:
        """As :meth:`mtp_plugin.store.batch.Work.put`."""
        self._profiles.update(profiles)

    def mark_stale(self, profile_ids: Sequence[str]) -> None:
        """As :meth:`mtp_plugin.store.batch.Work.mark_stale`; nobody keeps copies of this."""

    def history(self, profile_ids: Sequence[str]) -> dict[str, list[tuple[int, Event]]]:
        """As :meth:`mtp_plugin.store.batch.Work.history`."""
        found: dict[str, list[tuple[int, Event]]] = {}
        wanted = set(profile_ids)
        for row in self._rows:
            if row.profile_id in wanted:
                found.setdefault(row.profile_id, []).append((row.seq, row_event(row)))
        return found

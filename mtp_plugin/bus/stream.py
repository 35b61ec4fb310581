"""Events in a Redis stream, from when a server's request is answered until a worker has recorded them.

An entry is what one request sent, or a part of it. It is removed once it is recorded, so the length of the stream is
what is behind. A worker that dies leaves its entries to its siblings; what it had recorded already is recognised by the
journal, as any repetition is.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from redis import Redis, RedisError, ResponseError

from ..errors import InputError, UnavailableError
from ..records import Event, Lag
from ..store.breaker import Breaker, first_line
from ..store.redis_cluster import LateCluster
from ..store.turns import Turns
from .pack import pack, unpack
from .scripts import ACKNOWLEDGE, BURY, DEAD_MOST, GROUP, KEY, PUBLISH, REPLACE, REVIVE

PART = 100
"""Most events of one entry."""
TOGETHER = 16
"""Most requests whose events are handed over in one step: while one waits for Redis, others queue."""
PAGE = 200
"""Entries looked through at once."""
ALIVE_S = 60.0
"""A worker that has not asked for so long does not count."""
FORGOTTEN_S = 3600.0
"""A worker that has not asked for so long, and holds nothing, is forgotten."""
PATIENCE_S = 15.0
"""How long an erasure waits for workers that are recording events of its visitor."""


class Parcel(NamedTuple):
    """What one request brought: how many events, then number and bytes of each entry."""

    events: int
    words: list[Any]


class Entry(NamedTuple):
    """One entry: its id, how many events it holds, and these as bytes."""

    entry_id: bytes
    events: int
    body: bytes


class DeadLetter(NamedTuple):
    """An entry that could not be recorded, and why."""

    entry: Entry
    why: str


class RedisStream:
    """Implements :class:`mtp_plugin.ports.Bus`.

    :param client: waits long enough for a durable write, see :mod:`mtp_plugin.bus.open`
    :param most: events that may wait; when they do, no more are taken
    """

    def __init__(self, client: Redis | LateCluster, most: int, *, key: str = KEY) -> None:
        if most < 1:
            raise ValueError(f"most must be positive, not {most}")
        self._client: Any = client
        self._most, self._key, self._held, self._dead = most, key, f"{key}:held", f"{key}:dead"
        self._breaker = Breaker("Redis, for the stream of events")
        self._turns = Turns(self._publish, TOGETHER)

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        """The client; its faults become :class:`UnavailableError`, at once while it is known to be away."""
        if not self._breaker.admits():
            raise UnavailableError(f"the stream could not be reached a moment ago: {self._breaker.trouble}")
        try:
            yield self._client
        except ResponseError as error:
            self._breaker.succeeded()  # it answers
            raise UnavailableError(f"the stream refuses: {first_line(error)}") from error
        except (RedisError, OSError) as error:
            self._breaker.failed(error)
            raise UnavailableError(f"the stream cannot be reached: {first_line(error)}") from error
        else:
            self._breaker.succeeded()

    # ---------------------------------------------------------------------------------------- for senders

    def publish(self, events: Sequence[Event]) -> list[bool] | None:
        if events:
            starts = range(0, len(events), PART)
            parts = [events[start : start + PART] for start in starts]
            self._turns.take(Parcel(len(events), [word for part in parts for word in (len(part), pack(part))]))
        return None

    def _publish(self, parcels: Sequence[Parcel]) -> list[BaseException | None]:
        """Hand over what several requests brought, in one step; where that is too much, one by one."""
        count, words = sum(parcel.events for parcel in parcels), [word for parcel in parcels for word in parcel.words]
        with self._asking() as client:
            room = client.eval(PUBLISH, 2, self._key, self._held, self._most, count, *words)
        if room:
            return [None] * len(parcels)
        if len(parcels) > 1:
            return [self._error_of(parcel) for parcel in parcels]
        return [UnavailableError(f"the stream is full: {self._most} events wait; are workers running?")]

    def _error_of(self, parcel: Parcel) -> BaseException | None:
        # What befalls one is its own: those before it are in the stream, and would be sent again.
        try:
            return self._publish([parcel])[0]
        except UnavailableError as error:
            return error

    def lag(self) -> Lag | None:
        with self._asking() as client:
            pipe = client.pipeline(transaction=False)
            pipe.get(self._held)
            pipe.xlen(self._key)
            pipe.xrange(self._key, count=1)
            pipe.xlen(self._dead)
            pipe.xpending(self._key, GROUP)
            pipe.xinfo_consumers(self._key, GROUP)
            held, entries, first, dead, pending, consumers = pipe.execute(raise_on_error=False)
        for answer in (held, entries, first, dead):
            if isinstance(answer, Exception):
                raise UnavailableError(f"the stream cannot be read: {first_line(answer)}") from answer
        # No group yet: no worker ever ran.
        taken = 0 if isinstance(pending, Exception) else int(pending["pending"])
        workers = [] if isinstance(consumers, Exception) else consumers
        return Lag(
            events=int(held or 0),
            entries=entries,
            taken=taken,
            oldest_seconds=_age(first[0][0]) if first else 0.0,
            workers=sum(worker["idle"] < ALIVE_S * 1000 for worker in workers),
            dead=dead,
        )

    def probe(self) -> str:
        try:
            with self._asking() as client:
                client.ping()
        except UnavailableError as error:
            return str(error)
        return ""

    def durability(self) -> str:
        """``""`` when an answer means that the events survive a crash of Redis, else what could go."""
        try:
            with self._asking() as client:
                told = {**client.config_get("appendonly"), **client.config_get("appendfsync")}
        except UnavailableError as error:
            return f"what a crash of Redis would lose cannot be told ({error})"
        found = {_text(name): _text(value) for name, value in told.items()}
        if found.get("appendonly") != "yes":
            return "appendonly is off: a crash or restart of Redis loses what waits in the stream"
        if found.get("appendfsync") != "always":
            return f"appendfsync is {found.get('appendfsync')}: a crash may lose a second of events or more"
        return ""

    # ---------------------------------------------------------------------------------------- for workers

    def join(self) -> None:
        """Make the group of workers, if there is none."""
        with self._asking() as client:
            try:
                client.xgroup_create(self._key, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def take(self, worker: str, count: int, wait_s: float) -> list[Entry]:
        """Entries that nobody has taken, *count* at most; waits *wait_s* seconds for the first.

        :param wait_s: shorter than the client's own patience
        """
        asked = {"count": count, "block": max(1, round(wait_s * 1000))}
        with self._asking() as client:
            try:
                answer = client.xreadgroup(GROUP, worker, {self._key: ">"}, **asked)
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):  # Redis was emptied, or never knew a worker
                    raise
                client.xgroup_create(self._key, GROUP, id="0", mkstream=True)
                answer = client.xreadgroup(GROUP, worker, {self._key: ">"}, **asked)
        return [_entry(*one) for _, entries in _pairs(answer) for one in entries]

    def take_over(self, worker: str, count: int, idle_s: float) -> list[tuple[Entry, int]]:
        """Entries that another worker took and did nothing about for *idle_s* seconds, each with how often it was
        taken by now.
        """
        with self._asking() as client:
            _, found, *_ = client.xautoclaim(self._key, GROUP, worker, round(idle_s * 1000), "0", count=count)
            entries = [_entry(*one) for one in found if one[1]]
            if not entries:
                return []
            span = {"min": entries[0].entry_id, "max": entries[-1].entry_id, "count": 10 * count}
            told = client.xpending_range(self._key, GROUP, consumername=worker, **span)
        times = {row["message_id"]: int(row["times_delivered"]) for row in told}
        return [(entry, times.get(entry.entry_id, 1)) for entry in entries]

    def hold(self, worker: str, entries: Sequence[Entry]) -> None:
        """Say that this worker is still at these."""
        with self._asking() as client:
            client.xclaim(self._key, GROUP, worker, 0, [entry.entry_id for entry in entries], justid=True)

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Remove what is recorded."""
        if not entries:
            return
        words = [word for entry in entries for word in (entry.entry_id, entry.events)]
        with self._asking() as client:
            client.eval(ACKNOWLEDGE, 2, self._key, self._held, GROUP, *words)

    def bury(self, events: int, body: bytes, why: str) -> None:
        """Put aside what can never be recorded; the entry it came in is yet to be acknowledged."""
        with self._asking() as client:
            room = client.eval(BURY, 1, self._dead, DEAD_MOST, events, body, why[:300])
        if not room:
            raise UnavailableError(f"there are {DEAD_MOST} dead letters: look at them before more are put aside")

    def leave(self, worker: str) -> None:
        """Forget this worker if it holds nothing, and those that are long gone."""
        with self._asking() as client:
            for one in client.xinfo_consumers(self._key, GROUP):
                ours = _text(one["name"]) == worker
                if not one["pending"] and (ours or one["idle"] > FORGOTTEN_S * 1000):
                    client.xgroup_delconsumer(self._key, GROUP, one["name"])

    # ------------------------------------------------------------------------------------- what lies there

    def dead_letters(self) -> Iterator[DeadLetter]:
        """What could not be recorded, the oldest first."""
        for entry_id, fields in self._entries(self._dead):
            yield DeadLetter(_entry(entry_id, fields), _text(fields.get(b"why", b"")))

    def revive(self, letter: DeadLetter) -> bool:
        """Have a dead letter tried again; gives whether it was still there."""
        entry = letter.entry
        words = (entry.entry_id, entry.events, entry.body)
        with self._asking() as client:
            return bool(client.eval(REVIVE, 3, self._key, self._held, self._dead, *words))

    def find(self, profile_ids: Sequence[str]) -> Iterator[Event]:
        wanted = frozenset(profile_ids)
        for key in (self._key, self._dead):
            for entry_id, fields in self._entries(key):
                for event in _readable(_entry(entry_id, fields)):
                    if event.profile_id in wanted:
                        yield event

    def erase(self, profile_ids: Sequence[str]) -> int:
        unwanted = frozenset(profile_ids)
        gone, touched = 0, []
        for key, counts in ((self._key, (self._held,)), (self._dead, ())):
            for entry_id, fields in self._entries(key):
                entry = _entry(entry_id, fields)
                events = _readable(entry)
                left = [event for event in events if event.profile_id not in unwanted]
                if len(left) == len(events):
                    continue
                more = [word for name, value in fields.items() if name == b"why" for word in (name, value)]
                body = pack(left) if left else b""
                with self._asking() as client:
                    keys = (key, *counts)
                    words = (entry_id, entry.events, len(left), body, *more)
                    gone += (len(events) - len(left)) * client.eval(REPLACE, len(keys), *keys, *words)
                touched += [entry_id] if counts else []
        self._wait_for(touched)
        return gone

    def _wait_for(self, entry_ids: Sequence[bytes]) -> None:
        """Until no worker is at these any more: what it had read, it records, and then it can be erased there."""
        deadline = time.monotonic() + PATIENCE_S
        for entry_id in entry_ids:
            while self._is_being_recorded(entry_id) and time.monotonic() < deadline:
                time.sleep(0.02)

    def _is_being_recorded(self, entry_id: bytes) -> bool:
        with self._asking() as client:
            try:
                rows = client.xpending_range(self._key, GROUP, min=entry_id, max=entry_id, count=1)
            except ResponseError:
                return False  # no worker ever ran
        return bool(rows) and rows[0]["time_since_delivered"] < PATIENCE_S * 1000

    def _entries(self, key: str) -> Iterator[tuple[bytes, Mapping[bytes, bytes]]]:
        """All entries there are now."""
        with self._asking() as client:
            last = client.xrevrange(key, count=1)
        if not last:
            return
        after, end = "-", _text(last[0][0])
        while True:
            with self._asking() as client:
                found = client.xrange(key, min=after, max=end, count=PAGE)
            yield from found
            if len(found) < PAGE:
                return
            after = f"({_text(found[-1][0])}"

    def close(self) -> None:
        self._client.close()


def _entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    try:
        return Entry(entry_id, int(fields.get(b"n", 0)), fields.get(b"e", b""))
    except ValueError:
        return Entry(entry_id, 0, fields.get(b"e", b""))


def _readable(entry: Entry) -> tuple[Event, ...]:
    try:
        return unpack(entry.body)
    except InputError:
        return ()


def _age(entry_id: bytes) -> float:
    """Seconds since an entry was made, by its id."""
    return max(0.0, time.time() - int(entry_id.partition(b"-")[0]) / 1000)


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _pairs(answer: Any) -> Iterable[tuple[Any, Any]]:
    """Streams and their entries, as any version of the protocol tells them."""
    pairs: Iterable[tuple[Any, Any]] = answer.items() if isinstance(answer, dict) else answer or ()
    return pairs

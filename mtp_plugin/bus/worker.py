"""A worker of the stream: takes entries, records them many at once, and removes what is recorded.

At least once: an entry is removed only after its events are durable. Effectively once: the journal recognises events
that it has, by their ``dedupe_key``. What can never be recorded is put aside, event by event, so that it holds up
nobody; while the database is away the worker keeps what it has taken and tries again.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event as Flag

import msgspec

from ..errors import InputError, UnavailableError
from ..records import Event
from .pack import pack, unpack
from .stream import Entry, RedisStream

log = logging.getLogger(__name__)

TAKE = 250
"""Most entries taken at once."""
GROUP = 5000
"""Events of one transaction, or a little more: a bound on what a commit takes."""
WAIT_S = 0.5
"""How long Redis is asked to wait for a first entry; the longest that a worker takes to notice that it is to end."""
PAUSE_S = 0.5
"""Between two tries while the database or Redis is away."""
MOST_TIMES = 10
"""An entry that so many workers took and did not finish is put aside: it may be what ended them."""

Record = Callable[[Sequence[Event]], list[bool]]


class Tally(msgspec.Struct):
    """What a worker did: entries and events it recorded, how many of these were new, entries it took over from others,
    events it put aside.
    """

    entries: int = 0
    events: int = 0
    new: int = 0
    taken_over: int = 0
    dead: int = 0


class Worker:
    """One worker of the group.

    :param record: makes events durable, folds them; gives for each whether it was new
    :param take_over_s: seconds after which entries of a worker that does nothing are taken over
    :param clock: seconds since 1970
    """

    def __init__(
        self, stream: RedisStream, record: Record, *, take_over_s: float = 30.0, clock: Callable[[], float] = time.time
    ) -> None:
        if take_over_s <= 0:
            raise ValueError(f"take_over_s must be positive seconds, not {take_over_s}")
        self._stream, self._record, self._take_over_s, self._clock = stream, record, take_over_s, clock
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.tally = Tally()
        self._stop = Flag()
        self._looked = float("-inf")

    def stop(self) -> None:
        """Have :meth:`run` finish what it has taken and return; safe in a signal's handler."""
        self._stop.set()

    def run(self, *, until_empty: bool = False) -> Tally:
        """Work until told to stop, or until nothing is left that this worker may take."""
        while not self._stop.is_set():
            try:
                entries = self._next()
            except UnavailableError as error:
                log.warning("the stream cannot be read, trying again: %s", error)
                self._stop.wait(PAUSE_S)
                continue
            if entries:
                self._finish(entries)
            elif until_empty:
                break
        self._leave()
        return self.tally

    def _next(self) -> list[Entry]:
        if time.monotonic() - self._looked >= self._take_over_s / 3:
            self._looked = time.monotonic()
            self._stream.join()
            if entries := self._take_over():
                self._looked = float("-inf")  # there may be more
                return entries
        return self._stream.take(self.name, TAKE, WAIT_S)

    def _take_over(self) -> list[Entry]:
        entries = []
        for entry, times in self._stream.take_over(self.name, TAKE, self._take_over_s):
            if times > MOST_TIMES:
                self._put_aside(entry.events, entry.body, f"{times} workers took it and none finished")
                self._stream.acknowledge([entry])
            else:
                entries.append(entry)
        self.tally.taken_over += len(entries)
        return entries

    def _finish(self, entries: Sequence[Entry]) -> None:
        waiting = list(entries)
        for group in _groups(entries):
            while waiting:
                try:
                    self._finish_group(group)
                    break
                except UnavailableError as error:
                    log.warning("%d entries cannot be recorded now, trying again: %s", len(waiting), error)
                    if self._stop.wait(PAUSE_S):
                        return  # what is left is taken over by another, or by this one's successor
                    self._still_here(waiting)
            del waiting[: len(group)]

    def _finish_group(self, group: Sequence[Entry]) -> None:
        """Record a group and remove it; done again after a failure, it changes nothing that is done."""
        now, events = self._clock(), list[Event]()
        for entry in group:
            try:
                events += (msgspec.structs.replace(event, received_at=now) for event in unpack(entry.body))
            except InputError as error:
                self._put_aside(entry.events, entry.body, error.message)
        self.tally.new += self._recorded(events)
        self._stream.acknowledge(group)
        self.tally.entries += len(group)
        self.tally.events += len(events)

    def _recorded(self, events: Sequence[Event]) -> int:
        """Record events, halving what fails until the bad ones are alone; gives how many were new."""
        if not events:
            return 0
        try:
            return sum(self._record(events))
        except UnavailableError:
            raise
        except Exception as error:
            if len(events) > 1:
                middle = len(events) // 2
                return self._recorded(events[:middle]) + self._recorded(events[middle:])
            if not isinstance(error, InputError):
                log.exception("an event cannot be recorded")
            self._put_aside(1, pack(events), str(error) or type(error).__name__)
            return 0

    def _put_aside(self, events: int, body: bytes, why: str) -> None:
        self._stream.bury(events, body, why)
        self.tally.dead += events
        log.error("%d events of the stream were put aside: %s", events, why)

    def _still_here(self, entries: Sequence[Entry]) -> None:
        try:
            self._stream.hold(self.name, entries)
        except UnavailableError as error:
            log.warning("the stream cannot be told that this worker is alive: %s", error)

    def _leave(self) -> None:
        try:
            self._stream.leave(self.name)
        except UnavailableError as error:
            log.warning("the stream cannot be told that this worker ended: %s", error)


def _groups(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Entries in groups of about :data:`GROUP` events."""
    group, size = list[Entry](), 0
    for entry in entries:
        group.append(entry)
        size += entry.events
        if size >= GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group

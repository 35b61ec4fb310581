"""The one algorithm of every journal: look, tell new from repeated, fold, write; in one transaction of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import NamedTuple, Protocol

import msgspec

from ..records import Event, FoldFunction, Profile
from .rows import EventRow, bytes_profile, event_row, profile_bytes, seen_key

SeenKey = tuple[int, bytes]


class Stored(NamedTuple):
    """A profile as it lies in the store: the last event folded into it, and its bytes."""

    last_seq: int
    body: bytes


class Found(NamedTuple):
    """What a store knows before a batch: profiles, which keys and ids are repetitions, numbers for the events."""

    profiles: Mapping[str, Stored]
    repeated: frozenset[bytes]
    numbers: Sequence[int]


class Work(Protocol):
    """One transaction of a store, in which nobody else changes the profiles that it looked up."""

    def inspect(
        self, profile_ids: Sequence[str], keys: Sequence[SeenKey], event_ids: Sequence[bytes], count: int
    ) -> Found:
        """Lock the profiles, find which *keys* and permanent *event_ids* are known, set aside *count* numbers."""

    def append(self, rows: Sequence[EventRow], keys: Sequence[SeenKey]) -> None:
        """Store new events and what recognises their repetition."""

    def put(self, profiles: Mapping[str, Stored]) -> None:
        """Store profiles that were locked."""

    def erase(self, profile_id: str) -> int:
        """Delete the events and the profile of a visitor that was locked; gives the number of events."""

    def mark_stale(self, profile_ids: Sequence[str]) -> None:
        """Note that copies of these profiles elsewhere may be behind."""

    def history(self, profile_ids: Sequence[str]) -> dict[str, list[tuple[int, Event]]]:
        """All events of these visitors with their numbers, in order of arrival."""


class Batch:
    """Events to be recorded together.

    ``stale`` says that whoever keeps copies of profiles could not be told beforehand.

    :param window_s: seconds for which at least a repeated ``dedupe_key`` is recognised
    :raises InputError: an event cannot be stored
    """

    def __init__(self, events: Sequence[Event], fold: FoldFunction, window_s: float) -> None:
        self.events, self.fold = events, fold
        self.rows = [event_row(event) for event in events]
        self.marks = [_mark(event, row) for event, row in zip(events, self.rows, strict=True)]
        self.keys = [(int(event.received_at // window_s), mark) for event, mark in zip(events, self.marks, strict=True)]
        self.profile_ids = sorted({event.profile_id for event in events})
        self.stale = False
        self.new: list[bool] = []
        self.profiles: dict[str, Stored] = {}

    def apply(self, work: Work) -> None:
        """Record within *work*; sets ``new`` and ``profiles``, those that were changed."""
        passing = [key for key, row in zip(self.keys, self.rows, strict=True) if not row.permanent]
        lasting = [row.event_id for row in self.rows if row.permanent]
        found = work.inspect(self.profile_ids, passing, lasting, len(self.rows))
        self.new = self._first_sightings(found.repeated)
        if not any(self.new):
            self.profiles = {}
            return
        self.profiles = self._folded(found)
        numbered = zip(self.rows, found.numbers, strict=True)
        work.append(
            [row._replace(seq=number) for row, number in compress(numbered, self.new)],
            [key for key, row in compress(zip(self.keys, self.rows, strict=True), self.new) if not row.permanent],
        )
        work.put(self.profiles)
        if self.stale:
            work.mark_stale(list(self.profiles))

    def _first_sightings(self, repeated: frozenset[bytes]) -> list[bool]:
        seen = set(repeated)
        new = []
        for mark in self.marks:
            new.append(mark not in seen)
            seen.add(mark)
        return new

    def _folded(self, found: Found) -> dict[str, Stored]:
        fresh: dict[str, list[Event]] = {}
        last: dict[str, int] = {}
        for event, number, new in zip(self.events, found.numbers, self.new, strict=True):
            if new:
                fresh.setdefault(event.profile_id, []).append(event)
                last[event.profile_id] = number
        changed = {}
        for profile_id, events in fresh.items():
            before = found.profiles.get(profile_id)
            after = self.fold(bytes_profile(before.body) if before else None, tuple(events))
            changed[profile_id] = Stored(last[profile_id], profile_bytes(after))
        return changed


def _mark(event: Event, row: EventRow) -> bytes:
    return row.event_id if row.permanent else seen_key(event)


def fold_anew(work: Work, profile_ids: Sequence[str], fold: FoldFunction, stale: bool = False) -> dict[str, Stored]:
    """Fold these profiles again from all their events, within *work*; what has no events stays as it is."""
    before = work.inspect(sorted(profile_ids), (), (), 0).profiles
    changed = {}
    for profile_id, history in work.history(profile_ids).items():
        after = fold(None, tuple(event for _, event in history))
        old = before.get(profile_id)
        kept = _with_traits(after, bytes_profile(old.body) if old else None)
        changed[profile_id] = Stored(history[-1][0], profile_bytes(kept))
    work.put(changed)
    if stale:
        work.mark_stale(list(changed))
    return changed


def _with_traits(profile: Profile, before: Profile | None) -> Profile:
    """Traits that no event tells of come from elsewhere: they stay."""
    if before is None or before.traits.keys() <= profile.traits.keys():
        return profile
    return msgspec.structs.replace(profile, traits={**before.traits, **profile.traits})

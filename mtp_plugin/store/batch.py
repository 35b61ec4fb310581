"""The one algorithm of every journal: look, tell new from repeated, fold, write; in one transaction of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress, islice
from typing import NamedTuple, Protocol

import msgspec

from ..records import Event, FoldFunction, Profile
from .rows import EventRow, bytes_profile, event_row, profile_bytes, seen_key

SeenKey = tuple[int, bytes]
SET_BACK_S = 7200.0
"""By how much a clock may be set back with repetitions recognised all the same."""


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
        """Store profiles that were locked, those of whom there was anything new."""

    def erase(self, profile_id: str) -> int:
        """Delete the events and the profile of a visitor that was locked; gives the number of events."""

    def mark_stale(self, profile_ids: Sequence[str]) -> None:
        """Note that copies of these profiles elsewhere may be behind."""

    def history(self, profile_ids: Sequence[str]) -> dict[str, list[tuple[int, Event]]]:
        """All events of these visitors with their numbers, in order of arrival."""


class Batch:
    """Events to be recorded together; :func:`apply` sets ``new``, which of them were, and what ``profiles`` gives.

    ``stale`` says that whoever keeps copies of profiles could not be told beforehand.

    :param window_s: seconds for which at least a repeated ``dedupe_key`` is recognised
    :raises InputError: an event cannot be stored
    """

    def __init__(self, events: Sequence[Event], fold: FoldFunction, window_s: float) -> None:
        self.events, self.fold = events, fold
        self.rows = [event_row(event) for event in events]
        self.keys = [
            (int(event.received_at // window_s), row.event_id if row.permanent else seen_key(event))
            for event, row in zip(events, self.rows, strict=True)
        ]
        # Of a time before the clock was set back, over the end of a window.
        self.later = [
            (bucket + 1, mark)
            for event, (bucket, mark) in zip(events, self.keys, strict=True)
            if (event.received_at + SET_BACK_S) // window_s > bucket
        ]
        self.profile_ids = sorted({event.profile_id for event in events})
        self.stale = False
        self.new: list[bool] = []
        self.changed: Mapping[str, Stored] = {}

    @property
    def profiles(self) -> dict[str, Stored]:
        """What profiles became of whom there were new events."""
        return {event.profile_id: self.changed[event.profile_id] for event in compress(self.events, self.new)}


def apply(batches: Sequence[Batch], work: Work) -> None:
    """Record batches within *work* as if they were one: whatever their number, the store is asked and told once.

    Raises what a fold raises; nothing was written then.
    """
    rows = [row for batch in batches for row in batch.rows]
    keys = [key for batch in batches for key in batch.keys]
    passing = [not row.permanent for row in rows]
    found = work.inspect(
        sorted({name for batch in batches for name in batch.profile_ids}),
        [*compress(keys, passing), *(key for batch in batches for key in batch.later)],
        [row.event_id for row in rows if row.permanent],
        len(rows),
    )
    new = _first_sightings(keys, found.repeated)
    changed = _folded(batches, new, found)
    if changed:
        numbered = zip(rows, found.numbers, strict=True)
        work.append(
            [EventRow._make((number, *row[1:])) for row, number in compress(numbered, new)],
            [key for key, passes in compress(zip(keys, passing, strict=True), new) if passes],
        )
    work.put(changed)
    stale = [name for batch in batches if batch.stale for name in batch.profiles]
    if stale:
        work.mark_stale(stale)


def _first_sightings(keys: Sequence[SeenKey], repeated: frozenset[bytes]) -> list[bool]:
    seen = set(repeated)
    new = []
    for _, mark in keys:
        new.append(mark not in seen)
        seen.add(mark)
    return new


def _folded(batches: Sequence[Batch], new: Sequence[bool], found: Found) -> dict[str, Stored]:
    """Fold what is new, each profile once for all batches; tells the batches what became of theirs."""
    fresh: dict[str, list[tuple[FoldFunction, list[Event]]]] = {}
    last: dict[str, int] = {}
    flags, numbers = iter(new), iter(found.numbers)
    for batch in batches:
        batch.new = list(islice(flags, len(batch.events)))
        own = islice(numbers, len(batch.events))
        for event, number in compress(zip(batch.events, own, strict=True), batch.new):
            name = event.profile_id
            runs = fresh.get(name)
            if runs is None:
                fresh[name] = [(batch.fold, [event])]
            elif runs[-1][0] is batch.fold:
                runs[-1][1].append(event)
            else:
                runs.append((batch.fold, [event]))
            last[name] = number
    changed = {name: _fold_one(found.profiles.get(name), runs, last[name]) for name, runs in fresh.items()}
    for batch in batches:
        batch.changed = changed
    return changed


def _fold_one(before: Stored | None, runs: Sequence[tuple[FoldFunction, Sequence[Event]]], number: int) -> Stored:
    profile = bytes_profile(before.body) if before else None
    for fold, events in runs:
        profile = fold(profile, tuple(events))
    assert profile is not None  # noqa: S101  there are events
    return Stored(number, profile_bytes(profile))


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
    return msgspec.structs.replace(
        profile, traits={**before.traits, **profile.traits}, origins={**before.origins, **profile.origins}
    )

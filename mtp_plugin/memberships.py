"""Who is in which segment, for training: now, and as it was at moments of the past.

What serves is learnt from everything that happened, each visitor counted in the segment they are in now. How far that
may be trusted is learnt from what visitors did next, and there nothing may come from afterwards: a visitor is folded
from the events before the moment, and put into the segment that this profile has.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np

from .candidates.learn.segment_choice import Choice
from .candidates.learn.segments import Past
from .candidates.log import VIEW, TrainingLog, owner
from .candidates.membership import EVERYBODY, Membership
from .eligible import rows_of
from .pipeline import Pipeline
from .ports import Journal
from .profile.read import recent_products
from .profile.traits import last_context
from .records import FoldFunction, IntArray, ProductTable, Profile, Query, SegmentRef
from .segment.stage import Segments

HELD_OUT = 0.1
"""Part of the views, the latest, that choices are taken from."""
MOST = 2_000
"""Visitors whose past is folded again, drawn by seed."""
BATCH = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Sorter:
    """What it takes to put a visitor into a segment, now or as they were.

    :param fold: events into profiles
    :param idle_s: idle seconds that end a session
    """

    segments: Segments
    fold: FoldFunction
    idle_s: float

    @classmethod
    def of(cls, pipeline: Pipeline) -> Sorter:
        """What serves now."""
        serving = pipeline.live.get()
        idle = pipeline.settings.session_idle_minutes * 60
        return cls(serving.segments, pipeline.folding(serving.table), idle)

    def segment_of(self, profile: Profile | None, now: float) -> SegmentRef | None:
        """The segment of this profile at *now*, were they to come as they came last."""
        return self.segments.assign(profile, last_context(profile), now) if profile is not None else None


def membership_now(log: TrainingLog, journal: Journal, sorter: Sorter, now: float) -> Membership:
    """Each visitor's segment at *now*, by the profile they have."""
    owners, segment_of = set(log.owners.tolist()), {}
    for profile_ids in _batches(journal):
        wanted = [name for name in profile_ids if owner(name) in owners]
        for name, profile in zip(wanted, journal.profiles(wanted), strict=True):
            segment = sorter.segment_of(profile, now)
            if segment is not None:
                segment_of[name] = segment.segment_id
    return Membership.of(log, segment_of, _parents(sorter.segments))


def past_of(
    log: TrainingLog, journal: Journal, sorter: Sorter, table: ProductTable, now: Membership, seed: int
) -> Past:
    """What visitors looked at of late, each asked as they were just before.

    One view is taken of each of at most :data:`MOST` visitors who came after the cut. The segments at the cut are known
    of these and of those who did not come since; the others are left out.

    :param now: the membership of today
    """
    views = log.action == VIEW
    cut = float(np.quantile(log.time[views], 1 - HELD_OUT)) if views.any() else np.inf
    late = np.flatnonzero(views & (log.time >= cut))
    chosen = _one_each(log.visitor[late], late, seed)
    row_of = {int(log.owners[log.visitor[row]]): row for row in chosen.tolist()}
    then = now.of_owner.copy()
    then[np.unique(log.visitor[log.time >= cut])] = -1
    place = {name: at for at, name in enumerate(now.segment_ids)}
    choices: list[Choice] = []
    for profile_ids in _batches(journal):
        for name in profile_ids:
            row = row_of.get(owner(name))
            if row is None:
                continue
            moment, product_id = float(log.time[row]), log.items[log.item[row]]
            early, profile = _as_they_were(journal, sorter, name, cut, moment)
            known = sorter.segment_of(early, cut)
            then[log.visitor[row]] = place.get(known.segment_id, -1) if known else -1
            if profile is not None and product_id in table.index:
                choices.append(Choice(_query(profile, sorter, table, moment), table.index[product_id]))
    return Past(cut, Membership(now.segment_ids, now.parents, then), choices, Then(log, journal, sorter, now, seed))


class Then:
    """Implements :class:`mtp_plugin.candidates.membership.Earlier` by folding again what was known at each moment.

    :param log: all that happened
    :param now: the membership of today
    :param seed: of the visitors that are folded again to say what their segments did
    """

    def __init__(self, log: TrainingLog, journal: Journal, sorter: Sorter, now: Membership, seed: int) -> None:
        self._journal, self._sorter, self._now, self._seed = journal, sorter, now, seed
        self._last = np.full(len(log.owners), -np.inf)
        np.maximum.at(self._last, log.visitor, log.time)
        self._came = np.full(int(log.session.max(initial=-1)) + 1, np.inf)
        np.minimum.at(self._came, log.session, log.time)
        self._place = {name: at for at, name in enumerate(now.segment_ids)}
        self._told_before: dict[tuple[int, float], SegmentRef | None] = {}

    def membership(self, log: TrainingLog, cut: float) -> Membership:
        """Who came since is folded again, at most :data:`MOST` of them; the others are left out.

        :param log: what happened before *cut*
        """
        since = self._last >= cut
        then = np.where(since, np.int16(EVERYBODY), self._now.of_owner)
        known = np.zeros(len(since), dtype=np.bool_)
        known[log.visitor] = True
        again = np.random.default_rng(self._seed).permutation(np.flatnonzero(since & known))[:MOST]
        asked = {int(log.owners[visitor]): [(cut, int(visitor))] for visitor in again.tolist()}
        for visitor, segment in self._told(asked):
            then[visitor] = self._place.get(segment.segment_id, EVERYBODY) if segment else EVERYBODY
        return replace(self._now, of_owner=then)

    def segments(self, log: TrainingLog, rows: IntArray, *, arriving: bool) -> Sequence[SegmentRef | None]:
        """Two tasks ask about the same orders, and are told what is known by then."""
        moments = self._came[log.session[rows]] if arriving else log.time[rows]
        keys = list(zip(log.owners[log.visitor[rows]].tolist(), moments.tolist(), strict=True))
        asked: dict[int, list[tuple[float, int]]] = {}
        for place, (whose, moment) in enumerate(keys):
            if keys[place] not in self._told_before:
                asked.setdefault(whose, []).append((moment, place))
        for place, segment in self._told(asked):
            self._told_before[keys[place]] = segment
        return [self._told_before.get(key) for key in keys]

    def _told(self, asked: Mapping[int, list[tuple[float, int]]]) -> Iterator[tuple[int, SegmentRef | None]]:
        """The segments of visitors at moments, each with the number asked by."""
        for profile_ids in _batches(self._journal) if asked else ():
            for name in profile_ids:
                moments = asked.get(owner(name))
                if moments:
                    yield from self._of_one(name, sorted(moments))

    def _of_one(self, profile_id: str, moments: list[tuple[float, int]]) -> Iterator[tuple[int, SegmentRef | None]]:
        """Of one visitor, each event folded once."""
        events = sorted(self._journal.events_of(profile_id), key=attrgetter("timestamp"))
        times, profile, start = [event.timestamp for event in events], None, 0
        for moment, number in moments:
            stop = bisect_left(times, moment)
            if stop > start:
                profile, start = self._sorter.fold(profile, tuple(events[start:stop])), stop
            yield number, self._sorter.segment_of(profile, moment)


def _as_they_were(
    journal: Journal, sorter: Sorter, profile_id: str, cut: float, moment: float
) -> tuple[Profile | None, Profile | None]:
    """The visitor at the cut and at the moment."""
    events = list(journal.events_of(profile_id))
    before = tuple(event for event in events if event.timestamp < cut)
    since = tuple(event for event in events if cut <= event.timestamp < moment)
    early = sorter.fold(None, before) if before else None
    return early, sorter.fold(early, since) if since else early


def _query(profile: Profile, sorter: Sorter, table: ProductTable, moment: float) -> Query:
    session, earlier = recent_products(profile, moment, sorter.idle_s)
    return Query(
        now=moment,
        session=rows_of(table, session),
        history=rows_of(table, earlier),
        profile=profile,
        segment=sorter.segment_of(profile, moment),
    )


def _one_each(visitor: IntArray, rows: IntArray, seed: int) -> IntArray:
    """One of the rows of each visitor, of at most :data:`MOST` visitors."""
    order = np.random.default_rng(seed).permutation(len(rows))
    _, first = np.unique(visitor[order], return_index=True)
    chosen: IntArray = rows[order[np.sort(first)[:MOST]]]
    return chosen


def _parents(segments: Segments) -> dict[str, str]:
    return {segment.segment_id: segment.parent_id for segment in segments.all() if segment.parent_id}


def _batches(journal: Journal) -> Iterator[list[str]]:
    yield from journal.profile_ids(batch=BATCH)

"""Who is in which segment, for training: now, and as it was at moments of the past.

What serves is learnt from everything that happened, each visitor counted in the segment they are in now. How far that
may be trusted is learnt from what visitors did next, and there nothing may come from afterwards: a visitor is folded
from the events before the moment, and put into the segment that this profile has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .candidates.learn.segment_choice import Choice
from .candidates.learn.segments import Past
from .candidates.log import VIEW, TrainingLog, owner
from .candidates.membership import Membership
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
    return Past(cut, Membership(now.segment_ids, now.parents, then), choices)


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

"""Puts together what answers visitors' requests about their data: who holds some, and how models forget."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from .config import Settings
from .errors import NotFoundError
from .feedback_source import FeedbackSource
from .kpi.days import HOUR_S, day_at
from .pipeline import Pipeline
from .ports import (
    AuditLog,
    ConsentLog,
    Holder,
    Journal,
    KpiBook,
    ModelRegistry,
    Outcomes,
    SegmentBook,
    SlateLog,
    SubjectLog,
)
from .privacy.holders import ConsentHolder, EventHolder, KpiHolder, SegmentHolder, SlateHolder
from .privacy.pii import Hasher
from .privacy.subjects import Subjects
from .privacy.suppressed import Suppressed
from .records import Context, Event, Profile, SegmentRef
from .track.identifiers import time_ordered_id

CORRECTED = "Traits Corrected"


def open_subjects(
    *,
    settings: Settings,
    pipeline: Pipeline,
    journal: Journal,
    slates: SlateLog,
    consents: ConsentLog,
    audit: AuditLog,
    requests: SubjectLog,
    registry: ModelRegistry,
    book: SegmentBook,
    outcomes: Outcomes,
    kpis: KpiBook,
    hasher: Hasher,
    first: Sequence[Holder] = (),
    others: Sequence[Holder] = (),
) -> Subjects:
    """The service, over these stores and *others*, *first* those from which data still moves into the stores; events
    of whom it refuses do not get past *pipeline* from now on.
    """
    suppressed = Suppressed(requests, hasher, time.monotonic)

    def models(profile_ids: Sequence[str]) -> int:
        taught = FeedbackSource(slates, outcomes, registry, settings, without_objections(suppressed))
        return forget_everywhere(pipeline, journal, taught, book, suppressed, profile_ids)

    def segment_now(profile: Profile) -> SegmentRef | None:
        return pipeline.live.get().segments.assign(profile, Context(), time.time())

    zone = ZoneInfo(settings.time_zone)
    own: list[Holder] = [
        KpiHolder(kpis, journal, time.time),
        EventHolder(journal, kpis, lambda hour: day_at(hour * HOUR_S, zone)),
        SlateHolder(slates),
        ConsentHolder(consents),
    ]
    subjects = Subjects(
        holders=[*first, *own, SegmentHolder(journal, segment_now, book.forget), *others],
        requests=requests,
        consents=consents,
        audit=audit,
        hasher=hasher,
        suppressed=suppressed,
        models=models,
        correct=lambda profile_id, traits: tell(pipeline, profile_id, CORRECTED, traits=traits),
        policy=settings.policy_version,
        clock=time.time,
        new_id=time_ordered_id,
    )
    pipeline.admitted = suppressed.admitted
    return subjects


def tell(
    pipeline: Pipeline,
    profile_id: str,
    name: str,
    *,
    traits: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
) -> int:
    """Record what a visitor said of themselves, as an event like any other: a rebuild keeps it. Gives 1 if it was kept.

    :raises NotFoundError: nothing is known of this visitor that could be changed
    """
    if pipeline.journal.profiles([profile_id]) == [None]:
        raise NotFoundError("nothing is known of this visitor", field="profile_ids")
    now = time.time()
    event_id = time_ordered_id(now)
    letter, _, own_id = profile_id.partition(":")
    event = Event(
        event_id=event_id,
        name=name,
        profile_id=profile_id,
        timestamp=now,
        received_at=now,
        dedupe_key=f"own:{event_id}",
        anonymous_id=own_id if letter == "a" else "",
        user_id=own_id if letter == "u" else "",
        traits=traits or {},
        properties=properties or {},
        source="subject-request",
    )
    return sum(pipeline.ingest([event]))


def forget_everywhere(
    pipeline: Pipeline,
    journal: Journal,
    taught: FeedbackSource,
    book: SegmentBook,
    suppressed: Suppressed,
    profile_ids: Sequence[str],
) -> int:
    """Take visitors out of every model: segments are found anew, then behaviour is learnt anew, by these segments,
    what tells purchases, and what slates taught.

    Gives how many bundles went.
    """
    from .feedback_training import forget_feedback
    from .memberships import Sorter
    from .propensity_training import Source, forget_propensity
    from .segmenting import TooFewVisitorsError, refresh_segments
    from .training import forget_visitors

    now, gone, registry, settings = time.time(), 0, taught.registry, taught.settings
    likely = pipeline.live.get().likely
    if registry.current("segments"):
        try:
            refresh_segments(
                journal, registry, book, settings, now=now, seed=0, progress=_silent, warm=False, likely=likely
            )
            gone = registry.prune("segments", 1)
        except TooFewVisitorsError:
            pass  # what serves says nothing of one visitor: a group holds many
    gone += forget_visitors(
        journal,
        registry,
        pipeline.live.refresh().table,
        profile_ids,
        now=now,
        seed=0,
        progress=_silent,
        sorter=Sorter.of(pipeline),
        only=suppressed.without,
    )
    source = Source(journal, registry, settings, pipeline.folding(pipeline.live.get().table), suppressed.without)
    gone += forget_propensity(source, pipeline.live.get().table, profile_ids, now=now, seed=0, progress=_silent)
    gone += forget_feedback(taught, profile_ids, now=now, seed=0, progress=_silent)
    pipeline.live.refresh()
    return gone


def without_objections(suppressed: Suppressed) -> Callable[[str], bool]:
    """Whether nothing is to be learnt from a visitor."""
    return lambda profile_id: bool(suppressed.kinds(profile_id))


def _silent(text: str) -> None:
    """The request itself tells how it went."""

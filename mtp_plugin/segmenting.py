"""From stored profiles to published segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from .config import Settings
from .errors import ModelError
from .handmade import recount
from .likely import Likely
from .lineage import code_version
from .parallel import spread_over
from .ports import Bundle, Journal, ModelRegistry, SegmentBook, SegmentCount, SegmentRefresh
from .profile.columns import Columns
from .profile.features import GROUPS, features_of
from .records import Profile, Segment
from .segment.found import is_minor
from .segment.matrix import FeatureTable

if TYPE_CHECKING:
    from .segment.learn.describe import Past
    from .segment.learn.refresh import Before

Progress = Callable[[str], None]
WEIGHTS = {"affinity": 8.0, "price": 1.5}
"""Groups of features that weigh more than others: what visitors like is what slates are made of."""
ALL = 1_000
"""Refreshes: more than are remembered."""
SAMPLE = 5_000
"""Visitors that the columns are chosen by."""


class TooFewVisitorsError(ModelError):
    """There are fewer visitors than one segment must have; it passes as visitors come."""


def refresh_segments(
    journal: Journal,
    registry: ModelRegistry,
    book: SegmentBook,
    settings: Settings,
    *,
    now: float,
    seed: int,
    progress: Progress,
    warm: bool = True,
    likely: Likely | None = None,
) -> str:
    """Learn segments from all profiles, publish the bundle and remember what became of the old ones; gives its version.

    :param warm: go on from where groups were at the refresh before; not after an erasure, as the erased were among them
    :param likely: tells purchases, for segments written by hand that ask
    :raises TooFewVisitorsError: there are fewer than ``MTP_SEGMENT_MIN_SIZE``
    """
    from .segment.learn.bundle import learnt_bundle
    from .segment.learn.describe import describe
    from .segment.learn.maps import maps_of
    from .segment.learn.refresh import Plan, find_segments, project

    progress("reading profiles")
    everything, learnt_from = read_table(journal, settings, now=now, seed=seed)
    table = everything.first(learnt_from)
    if len(table) < settings.segment_min_size:
        raise TooFewVisitorsError(
            f"there are {len(table)} visitors to find segments among, and MTP_SEGMENT_MIN_SIZE is "
            f"{settings.segment_min_size}: import events with `flask mtp import-events`, or wait for visitors"
        )
    plan = Plan(settings.segment_method, settings.segment_count, settings.segment_min_size, WEIGHTS)
    previous = previous_bundle(registry)
    before = before_of(previous, warm=warm)
    with spread_over(settings.train_on):
        found = find_segments(table, groups_of(table.names), plan=plan, seed=seed, before=before, progress=progress)
    progress("naming the segments")
    described = describe(
        everything,
        found.labels,
        found.partition.count,
        stability=found.resampled.jaccard if found.resampled else None,
        parents=found.parents,
        past=past_of(book, previous),
        now=now,
        seed=seed,
        learnt_from=learnt_from,
        least=settings.segment_min_size,
        locale=settings.locale,
    )
    learnt = learnt_bundle(
        found,
        table,
        described.segments,
        described.leaves,
        excluded=settings.segment_exclude_categories,
        min_age=settings.segment_min_age,
        now=now,
    )
    progress("drawing the maps")
    maps = maps_of(lambda rows: project(table.values[rows], found.scaling, found.components), found.labels, seed=seed)
    lineage = {"visitors": len(table), "seed": seed, "refreshed_at": now, "code": code_version()}
    version = registry.publish(
        "segments", learnt.arrays | maps, learnt.strings, learnt.meta, figures=learnt.figures, lineage=lineage
    )
    counts = tuple(
        SegmentCount(segment_id=one.segment_id, name=one.name, size=one.size, stability=one.stability)
        for one in described.segments
    )
    refresh = SegmentRefresh(
        version=version,
        refreshed_at=now,
        method=found.partition.method,
        visitors=len(table),
        segments=counts,
        moves=described.moves,
        changes=described.changes,
        kept_id=described.kept_id,
        drift=drift_of(previous, table),
        figures=dict(learnt.figures),
    )
    book.record_refresh(refresh, described.members(table, found.labels))
    recount(journal, book, settings, now=now, seed=seed, likely=likely)
    return version


def groups_of(names: Sequence[str]) -> tuple[str, ...]:
    """The group of each column."""
    return tuple(GROUPS[name.partition(".")[0]] for name in names)


def previous_bundle(registry: ModelRegistry) -> Bundle | None:
    """The bundle that serves, ``None`` where there is none or it cannot be read."""
    version = registry.current("segments")
    try:
        return registry.load("segments", version) if version else None
    except ModelError:
        return None


def segments_of(bundle: Bundle | None) -> tuple[Segment, ...]:
    """The segments of a bundle, none where they cannot be read."""
    try:
        return msgspec.convert(bundle.meta.get("segments", []), tuple[Segment, ...]) if bundle else ()
    except msgspec.ValidationError:
        return ()


def past_of(book: SegmentBook, previous: Bundle | None) -> Past:
    """What there was before this refresh."""
    from .segment.learn.describe import Past

    members = {profile_id: segment_id for batch in book.members() for profile_id, segment_id in batch}
    used = {one.segment_id for refresh in book.refreshes(ALL) for one in refresh.segments}
    return Past(segments_of(previous), members, used)


def drift_of(previous: Bundle | None, table: FeatureTable) -> dict[str, float]:
    """How far features moved since the refresh before."""
    from .segment.learn.drift import drift

    if previous is None or "portions" not in previous.arrays:
        return {}
    before = (previous.strings["columns"], np.asarray(previous.arrays["deciles"], dtype=np.float32))
    return drift((*before, np.asarray(previous.arrays["portions"], dtype=np.float32)), table.names, table.values)


def before_of(previous: Bundle | None, *, warm: bool = True) -> Before | None:
    """What a refresh goes on from: the leaves of the segments that serve."""
    from .segment.learn.refresh import Before

    if previous is None or "scaled_means" not in previous.arrays:
        return None
    return Before(previous.strings["columns"], np.asarray(previous.arrays["scaled_means"], dtype=float), warm)


def read_table(journal: Journal, settings: Settings, *, now: float, seed: int) -> tuple[FeatureTable, int]:
    """The features of all visitors who may be sorted; the first so many columns are what segments are learnt from."""
    excluded = frozenset(settings.segment_exclude_categories)
    names, said = choose_names(journal, settings, excluded, now=now, seed=seed)
    columns = Columns((*names, *said), excluded)
    ids: list[str] = []
    parts: list[np.ndarray] = []
    for profiles in profiles_of(journal, settings.segment_min_age):
        ids += [profile.profile_id for profile in profiles]
        parts.append(np.stack([columns.row(profile, now) for profile in profiles]))
    values = np.concatenate(parts) if parts else np.zeros((0, len(columns)), dtype=np.float32)
    return FeatureTable(columns.names, values, ids), len(names)


def choose_names(
    journal: Journal, settings: Settings, excluded: frozenset[str], *, now: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns to learn from and those that are only spoken of, by a sample of visitors."""
    from .segment.learn.columns import choose_columns, spoken_columns

    ids = [one for batch in journal.profile_ids() for one in batch]
    if len(ids) > SAMPLE:
        places = np.random.default_rng(seed).choice(len(ids), size=SAMPLE, replace=False)
        ids = [ids[place] for place in np.sort(places)]
    sample = [profile for profile in journal.profiles(ids) if _counts(profile, settings.segment_min_age)]
    features = [features_of(profile, now, excluded) for profile in sample if profile]
    names = choose_columns(features, settings.segment_features)
    return names, spoken_columns(features, settings.segment_features, names)


def profiles_of(journal: Journal, min_age: int) -> Iterator[list[Profile]]:
    """All profiles that may be sorted, in batches, none empty."""
    for ids in journal.profile_ids():
        found = [profile for profile in journal.profiles(ids) if profile and _counts(profile, min_age)]
        if found:
            yield found


def _counts(profile: Profile | None, min_age: int) -> bool:
    return profile is not None and profile.events > 0 and not is_minor(profile.traits, min_age)

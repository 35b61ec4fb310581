"""Segments as people read them: which old one each goes on, its name, what sets it apart, a rule for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...ports import SegmentChange, SegmentMove
from ...records import BoolArray, FloatArray, IntArray, Segment
from ..matrix import FeatureTable
from ..naming import name_of
from .apart import Difference, differences
from .claims import Claim, claims_of
from .distil import Rule, distil
from .match import Match, match
from .names import attributes_of, parts_of_all, true_of_most, with_what_lies_in

TELLING = 8
"""Features that are kept of what sets a segment apart."""
SAMPLE = 200_000
"""Most visitors that names are chosen by."""


@dataclass(frozen=True, slots=True)
class Past:
    """What there was before a refresh.

    ``segments`` are those that served, ``members`` the id of each visitor's leaf by profile id, ``used`` every id
    that was ever given.
    """

    segments: Sequence[Segment] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    used: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Described:
    """``segments`` are all, coarser ones first; ``leaves`` the ids of the clusters in the order of their labels."""

    segments: tuple[Segment, ...]
    leaves: tuple[str, ...]
    changes: tuple[SegmentChange, ...]
    moves: tuple[SegmentMove, ...]
    kept_id: float | None

    def members(self, table: FeatureTable, labels: IntArray) -> Iterator[tuple[str, str]]:
        """Who is in which leaf: profile id and segment id, those who are in one."""
        pairs = zip(table.profile_ids, labels.tolist(), strict=True)
        return ((profile_id, self.leaves[label]) for profile_id, label in pairs if label >= 0)


def describe(
    table: FeatureTable,
    labels: IntArray,
    count: int,
    *,
    stability: FloatArray | None,
    parents: IntArray,
    past: Past,
    now: float,
    seed: int,
    learnt_from: int | None = None,
    least: int = 1,
    locale: str = "en",
) -> Described:
    """All that is said of the segments found.

    :param labels: int32 ``(n,)``, -1 for visitors that lie in no cluster
    :param count: number of leaves
    :param stability: of the leaves, shape ``(count,)``
    :param parents: int32 ``(count,)``, the number of the coarser segment that a leaf lies in, -1 for none
    :param learnt_from: columns, the first, that rules are distilled from; names and lifts speak of all
    :param least: fewest visitors of a place that is named
    :param locale: of names
    """
    above = int(parents.max(initial=-1)) + 1
    coarse = np.where(labels >= 0, parents[np.maximum(labels, 0)], -1) if count else labels
    leaf, parent = _matched(table, labels, count, past, ""), _matched(table, coarse, above, past, "p")
    teller = _Teller(table, table.first(len(table.names) if learnt_from is None else learnt_from), seed, least)
    ids = (*parent.segment_ids, *leaf.segment_ids)
    both = [teller.tell(coarse, above), teller.tell(labels, count)]
    sizes = [int((labels == at).sum()) for at in range(count)]
    parts = with_what_lies_in(teller.parts(ids, past.segments), parents.tolist() if above else [-1] * count, sizes)
    told = [one for group in both for one in group]
    known = {one.segment_id: one for one in past.segments}
    segments = []
    for place, (segment_id, (mask, apart, rule)) in enumerate(zip(ids, told, strict=True)):
        number = place - above
        segments.append(
            Segment(
                segment_id=segment_id,
                name=name_of(parts[place], locale),
                parts=parts[place],
                size=int(mask.sum()),
                share=float(mask.mean()) if len(mask) else 0.0,
                attributes=teller.attributes(place),
                lifts=tuple((one.feature, one.inside, one.everyone) for one in apart[:TELLING]),
                rule=rule.condition,
                precision=rule.precision,
                recall=rule.recall,
                stability=float(stability[number]) if stability is not None and number >= 0 else None,
                parent_id=parent.segment_ids[parents[number]] if number >= 0 and parents[number] >= 0 else "",
                created_at=known[segment_id].created_at if segment_id in known else now,
                refreshed_at=now,
            )
        )
    return Described(tuple(segments), leaf.segment_ids, leaf.changes, leaf.moves, leaf.kept_id)


Told = tuple[BoolArray, Sequence[Difference], Rule]


class _Teller:
    """Says of one division after the other what sets its segments apart, then names all of them together."""

    def __init__(self, table: FeatureTable, learnt: FeatureTable, seed: int, least: int) -> None:
        self._table, self._learnt, self._seed = table, learnt, seed
        chance = np.random.default_rng(seed)
        few = len(table) <= SAMPLE
        self._rows = np.arange(len(table)) if few else np.sort(chance.choice(len(table), SAMPLE, replace=False))
        self._claims: list[Claim] = claims_of(table.rows(self._rows), least)
        self._masks: list[BoolArray] = []

    def tell(self, labels: IntArray, count: int) -> list[Told]:
        names, values = self._table.names, self._table.values
        masks = [labels == at for at in range(count)]
        self._masks += [mask[self._rows] for mask in masks]
        apart = differences(names, values, labels, count)
        rules = distil(self._learnt.names, self._learnt.values, labels, count, seed=self._seed)
        return list(zip(masks, apart, rules, strict=True))

    def parts(self, ids: Sequence[str], before: Sequence[Segment]) -> list[tuple[tuple[str, str], ...]]:
        """Parts of all names; a segment that goes on keeps its name while that is true."""
        known = {one.segment_id: one.parts for one in before}
        return parts_of_all(self._claims, self._masks, [known.get(segment_id, ()) for segment_id in ids])

    def attributes(self, place: int) -> dict[str, object]:
        return attributes_of(true_of_most(self._claims, self._masks[place]))


def _matched(table: FeatureTable, labels: IntArray, count: int, past: Past, level: str) -> Match:
    """Old and new compared on the visitors of both; coarser segments by the leaves their visitors were in."""
    leaves = {one.segment_id: one.parent_id for one in past.segments}
    if level:
        owner = {leaf: parent for leaf, parent in leaves.items() if parent}
    else:
        owner = {leaf: leaf for leaf in {*past.members.values()}}
    ids = sorted(set(owner.values()))
    place = {segment_id: at for at, segment_id in enumerate(ids)}
    old = np.fromiter(
        (place.get(owner.get(past.members.get(profile_id, ""), ""), -1) for profile_id in table.profile_ids),
        dtype=np.int32,
        count=len(table),
    )
    used = {*past.used, *(one.segment_id for one in past.segments)}
    return match(ids, old, labels, count, used=used, letter=level or "s")

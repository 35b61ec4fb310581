"""Who is in which segment, as training is told: what learning for a segment of its own takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..records import BoolArray, IntArray, SegmentRef
from .log import TrainingLog, owner

EVERYBODY = -1
"""The parent of a segment that has none, and the segment of a visitor who has none."""


@dataclass(frozen=True, eq=False)
class Membership:
    """The segments by id, the ``parents`` of each, and the segment of each owner of a log.

    ``parents`` are places in ``segment_ids``, :data:`EVERYBODY` for none; a parent stands before its children.
    ``of_owner`` has one entry for each of the log's ``owners``.

    :raises ValueError: a parent that does not stand before its child
    """

    segment_ids: tuple[str, ...]
    parents: tuple[int, ...]
    of_owner: IntArray

    def __post_init__(self) -> None:
        if len(self.parents) != len(self.segment_ids):
            raise ValueError(f"{len(self.segment_ids)} segments have {len(self.parents)} parents")
        if any(not EVERYBODY <= parent < place for place, parent in enumerate(self.parents)):
            raise ValueError("a parent must stand before its children")

    @classmethod
    def of(
        cls, log: TrainingLog, segment_of: Mapping[str, str], parent_of: Mapping[str, str] | None = None
    ) -> Membership:
        """The membership of the visitors of a log.

        :param segment_of: the segment's id by profile id; visitors who are not in it have no segment
        :param parent_of: the parent's id by segment id, for those that have one
        """
        parent_of = parent_of or {}
        ids = _parents_first(sorted({*segment_of.values(), *parent_of.values()}), parent_of)
        place = {name: at for at, name in enumerate(ids)}
        hashes = np.fromiter(map(owner, segment_of), dtype=np.int64, count=len(segment_of))
        codes = np.fromiter((place[name] for name in segment_of.values()), dtype=np.int16, count=len(segment_of))
        order = np.argsort(hashes)
        hashes, codes = hashes[order], codes[order]
        at = np.searchsorted(hashes, log.owners)
        at[at == len(hashes)] = 0
        known = hashes[at] == log.owners if len(hashes) else np.zeros(len(log.owners), dtype=np.bool_)
        of_owner = np.where(known, codes[at] if len(codes) else 0, EVERYBODY).astype(np.int16)
        parents = tuple(place.get(parent_of.get(name, ""), EVERYBODY) for name in ids)
        return cls(ids, parents, of_owner)

    @property
    def visitors(self) -> IntArray:
        """How many visitors each segment has, those of its children too, shape ``(segments,)``."""
        return self.with_children(np.bincount(self.of_owner[self.of_owner >= 0], minlength=len(self.segment_ids)))

    def with_children(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of shape ``(segments, ...)``, to each segment's those of all below it added."""
        found = values.copy()
        for place in range(len(self.parents) - 1, -1, -1):
            if self.parents[place] != EVERYBODY:
                found[self.parents[place]] += found[place]
        return found

    def take(self, owners: BoolArray) -> Membership:
        """The same without some owners."""
        return replace(self, of_owner=self.of_owner[owners])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a bundle keeps, beside the log that it belongs to."""
        return {"log_segment": self.of_owner, "segment_parents": np.array(self.parents, dtype=np.int16)}


class Earlier(Protocol):
    """Who was in which segment at moments of the past, by the profiles that visitors had then."""

    def membership(self, log: TrainingLog, cut: float) -> Membership:
        """The segments at a moment; visitors whose segment of then is not known have none."""

    def segments(self, log: TrainingLog, rows: IntArray, *, arriving: bool) -> Sequence[SegmentRef | None]:
        """Of each of some rows of a log the segment of its visitor just before.

        :param arriving: before the visit that the row is of: who is about to order has looked at all of it by then
        """


def membership_in(arrays: Mapping[str, NDArray[Any]], segment_ids: Sequence[str]) -> Membership | None:
    """What :meth:`Membership.arrays` wrote, ``None`` in the bundle of a shop without segments."""
    if "log_segment" not in arrays:
        return None
    return Membership(
        tuple(segment_ids), tuple(arrays["segment_parents"].tolist()), np.asarray(arrays["log_segment"], dtype=np.int16)
    )


def _parents_first(names: list[str], parent_of: Mapping[str, str]) -> tuple[str, ...]:
    found: dict[str, None] = {}

    def put(name: str, under: tuple[str, ...]) -> None:
        parent = parent_of.get(name)
        if parent is not None and parent not in under:
            put(parent, (*under, parent))
        found.setdefault(name)

    for name in names:
        put(name, (name,))
    return tuple(found)

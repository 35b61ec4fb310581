"""The segments that a refresh found, read from its bundle: who is in which, at once and from arrays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from ..errors import ModelError
from ..memory import Remembered
from ..ports import Bundle
from ..records import Context, FloatArray, Profile, Segment, SegmentRef
from . import kernels

FORMAT = 1
STEP = 300.0
"""Seconds that features are told by: the blocks of a page, and of the next, are of one moment."""
REMEMBERED = 4_096
"""Visitors of the moment whose segments need not be found again."""
RowOf = Callable[[Profile, float], FloatArray]
"""A profile and a time to its row of features, in the bundle's columns."""
_DIGITS = re.compile(r"\d+")


class FoundSegments:
    """Answers from a bundle of kind ``segments``.

    :param bundle: as :func:`mtp_plugin.segment.learn.bundle.learnt_bundle` makes it
    :param row_of: gives rows in the bundle's columns
    :raises ModelError: a format this code cannot read
    """

    def __init__(self, bundle: Bundle, row_of: RowOf) -> None:
        if bundle.meta.get("format") != FORMAT:
            raise ModelError(f"segments {bundle.version} are of a format that this version cannot read: refresh them")
        self.version, self._row_of = bundle.version, row_of
        self._segments = msgspec.convert(bundle.meta["segments"], tuple[Segment, ...])
        self._by_id = {segment.segment_id: segment for segment in self._segments}
        self._leaves = [self._by_id[name] for name in bundle.strings["leaves"]]
        arrays = bundle.arrays
        logs = np.ascontiguousarray(arrays["logs"], dtype=bool)
        centre, inverse, components, points = (
            np.ascontiguousarray(arrays[name], dtype=np.float64)
            for name in ("centre", "inverse", "components", "points")
        )
        labels, clip = np.ascontiguousarray(arrays["labels"], dtype=np.int32), float(bundle.meta["clip"])
        self._arrays = (logs, centre, inverse, clip, components, points, labels)
        self._margins: FloatArray = np.asarray(arrays["margins"], dtype=float)
        self._sure: FloatArray = np.asarray(arrays["sure"], dtype=float)
        self._radius: list[float] = [float(radius) for radius in arrays["radius"]]
        self._known: Remembered[tuple[str, int, int, float, float], SegmentRef] = Remembered(REMEMBERED)
        self._min_age = int(bundle.meta.get("min_age", 0))

    def warm(self) -> None:
        """Compile what is needed, so that no visitor waits for it."""
        self.place(np.full(len(self._arrays[0]), np.nan, dtype=np.float32))

    def assign(self, profile: Profile | None, context: Context, now: float) -> SegmentRef | None:
        """The segment of this visitor at *now*; none for one who is unknown, or too young to be sorted."""
        if profile is None or not profile.events or not self._leaves or is_minor(profile.traits, self._min_age):
            return None
        moment = now - now % STEP
        key = (profile.profile_id, profile.revision, profile.events, profile.last_seen, moment)
        known = self._known.get(key)
        if known is not None:
            return known
        label, confidence = self.place(self._row_of(profile, moment))
        leaf = self._leaves[label]
        return self._known.keep(key, SegmentRef(leaf.segment_id, leaf.name, confidence))

    def place(self, row: FloatArray) -> tuple[int, float]:
        """The number of a row's leaf and how sure that is, 0 to 1."""
        label, near, next_best = kernels.find(row, *self._arrays)
        margin = (next_best - near) / (next_best + near) if next_best < np.inf and next_best + near > 0 else 1.0
        sure = float(np.interp(margin, self._margins, self._sure))
        radius = self._radius[label]
        return label, round(sure * radius / near if near > radius else sure, 4)

    def find(self, segment_id: str) -> SegmentRef | None:
        """The segment of this id, with confidence 1: it was asked for."""
        found = self._by_id.get(segment_id)
        return SegmentRef(found.segment_id, found.name, 1.0) if found else None

    def all(self) -> tuple[Segment, ...]:
        """All segments, coarser ones before those that lie in them."""
        return self._segments


def is_minor(traits: dict[str, Any], min_age: int) -> bool:
    """Whether a visitor says to be younger: traits ``age``, ``age_band`` (its first number counts) or ``minor``."""
    if min_age <= 0 or not traits:
        return False
    if traits.get("minor") is True:
        return True
    for name in ("age", "age_band"):
        said = traits.get(name)
        if isinstance(said, (int, float)) and not isinstance(said, bool):
            return said < min_age
        if isinstance(said, str) and (digits := _DIGITS.search(said)):
            return _youngest(said, int(digits.group())) < min_age
    return False


def _youngest(band: str, number: int) -> int:
    """The least age of a band; ``under 18`` and ``<18`` begin at birth."""
    return 0 if band.strip().lower().startswith(("under", "<", "-", "below", "up to")) else number

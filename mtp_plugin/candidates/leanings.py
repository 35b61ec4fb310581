"""How much more a candidate is to people like the one who asks than to everybody: what trees see of a segment.

A number of a segment says nothing to a tree, of which there are other candidates each time. What it says of a candidate
does: the logarithm of how many times as much of what the asker's like do it has as of what everybody does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ..records import FloatArray, IntArray, Query, SegmentRef
from .leaning_kernels import leanings
from .scratch import Scratch
from .segment_top import SegmentTop

LEANINGS = ("segment",)
"""Of the asker's segment, as far as it is sure; 0 where that is not known."""
NOTHING: FloatArray = np.zeros(0, dtype=np.float32)

Details = Callable[[IntArray, FloatArray], FloatArray]
"""Looks closely at the candidates at some places, given the expert's scores of all: a float32 row for each."""


class Asker(NamedTuple):
    """Of whom is asked about what is not in the session, the past or the basket."""

    segment: SegmentRef | None = None

    @classmethod
    def of(cls, query: Query) -> Asker:
        """Whoever a query is about."""
        return cls(query.segment)


class Leanings:
    """Looks up how people like the asker lean.

    :param segments: what each segment does
    """

    def __init__(self, segments: SegmentTop) -> None:
        self._segments = segments
        self.known = bool(segments.known)
        """Whether there is anything to look up."""

    def of(self, rows: IntArray, asker: Asker) -> FloatArray:
        """Shape ``(len(rows), len(LEANINGS))``, float32; 0 where nothing is known.

        :param rows: of the catalogue
        """
        own, of_all, sure = NOTHING, NOTHING, 0.0
        place = self._segments.place(asker.segment)
        if place >= 0 and asker.segment is not None:
            own, of_all = self._segments.shares(place), self._segments.share_of_all("popular")
            sure = min(1.0, max(0.0, asker.segment.confidence))
        found: FloatArray = leanings(rows, own, of_all, sure)
        return found

    def beside(self, details: Details, scratch: Scratch, asker: Asker) -> Details:
        """The *details* of a query's candidates, and after them how the asker's like lean."""
        return partial(self._beside, details, scratch, asker)

    def _beside(
        self, details: Details, scratch: Scratch, asker: Asker, places: IntArray, scores: FloatArray
    ) -> FloatArray:
        return np.concatenate((details(places, scores), self.of(scratch.rows[places], asker)), axis=1)

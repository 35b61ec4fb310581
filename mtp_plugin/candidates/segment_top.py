"""What is popular, trending and selling best within a segment, mixed with everybody's as far as the segment is sure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..ports import Bundle
from ..records import BoolArray, FloatArray, IntArray, ProductTable, SegmentRef
from .popular import Ranking, Rankings
from .related import Vocabulary

KIND_OF = {"popular": "popular", "trending": "trending", "best-sellers": "sold"}
"""The array of the bundle behind each ranking."""
LIFTED = 1.05
"""How much more of a segment than of everybody a product must have to be there because of the segment."""


class SegmentTop:
    """The rankings of each segment; made when first asked for, then kept.

    :param behaviour: with the arrays of :func:`~mtp_plugin.candidates.learn.segment_rankings.segment_rankings`; other
        bundles know no segment
    :param everybody: the rankings of the whole shop
    """

    def __init__(
        self, table: ProductTable, behaviour: Bundle | None, vocabulary: Vocabulary | None, everybody: Rankings
    ) -> None:
        known = behaviour is not None and "segment_popular" in behaviour.arrays
        self._arrays: Mapping[str, NDArray[np.generic]] = behaviour.arrays if behaviour and known else {}
        ids = behaviour.strings.get("segments", ()) if behaviour and known else ()
        self.known = tuple(ids)
        """Ids of the segments that training knew."""
        self._place = {segment_id: place for place, segment_id in enumerate(ids)}
        self._table, self._vocabulary, self._everybody = table, vocabulary, everybody
        self._share_of_all = {name: _shares(everybody[name].scores) for name in KIND_OF} if known else {}
        self._kept: dict[tuple[int, str], Ranking] = {}

    def place(self, segment: SegmentRef | None) -> int:
        """Where a segment stands in the bundle, -1 for none and for one that training did not know."""
        return self._place.get(segment.segment_id, -1) if segment is not None else -1

    def shares(self, place: int) -> FloatArray:
        """How much of what a segment does each row has, shape ``(rows,)``, sums to 1 (or 0)."""
        return self._ranking(place, "popular").scores

    def order(self, place: int) -> IntArray:
        """All rows, what a segment likes best first."""
        return self._ranking(place, "popular").order

    def share_of_all(self, name: str) -> FloatArray:
        """How much of what everybody does each row has, shape ``(rows,)``; *name* is one of :data:`KIND_OF`."""
        return self._share_of_all[name]

    def top(
        self, segment: SegmentRef, name: str, k: int, allowed: BoolArray | None
    ) -> tuple[IntArray, FloatArray, BoolArray]:
        """The *k* best rows, their scores, and whether it is the segment that raised each.

        A score is the row's share among the segment, as far as the confidence goes, and among everybody for the rest.

        :param name: one of :data:`KIND_OF`
        """
        place, sure = self.place(segment), np.float32(min(1.0, max(0.0, segment.confidence)))
        own, common = self._ranking(place, name), self._everybody[name]
        of_all = self._share_of_all[name]
        tops = own.top(k, allowed), common.top(k, allowed)
        rows = np.concatenate(tops if sure >= 0.5 else tops[::-1])  # of equals, those of the weightier come first
        rows = rows[np.sort(np.unique(rows, return_index=True)[1])]
        mixed = sure * own.scores[rows] + (1 - sure) * of_all[rows]
        rows = rows[np.argsort(-mixed, kind="stable")[:k]]
        mixed = sure * own.scores[rows] + (1 - sure) * of_all[rows]
        return rows, mixed, (own.scores[rows] > np.float32(LIFTED) * of_all[rows]) & (sure > 0)

    def _ranking(self, place: int, name: str) -> Ranking:
        found = self._kept.get((place, name))
        return self._kept.setdefault((place, name), self._make(place, name)) if found is None else found

    def _make(self, place: int, name: str) -> Ranking:
        rows, values = len(self._table), self._arrays[f"segment_{KIND_OF[name]}"][place]
        scores = self._vocabulary.by_row(values)[:rows] if self._vocabulary else np.zeros(rows, dtype=np.float32)
        # Equals stand as they are popular within the segment, those of one popularity as everybody ranks them.
        then = self._everybody[name] if name == "popular" else self._ranking(place, "popular")
        stands = np.empty(rows, dtype=np.float64)
        stands[then.order] = np.arange(rows)
        return Ranking(_shares(scores), -stands)


def _shares(scores: FloatArray) -> FloatArray:
    total = float(scores.sum(dtype=np.float64))
    return (scores / total).astype(np.float32) if total > 0 else np.zeros(len(scores), dtype=np.float32)

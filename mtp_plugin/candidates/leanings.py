"""How much more a candidate is to people like the one who asks than to everybody: what trees see of the segment, the
device, the time of day and the place.

A number of a segment says nothing to a tree, of which there are other candidates each time. What it says of a candidate
does: the logarithm of how many times as much of what the asker's like do it, or its category, has as of what everybody
does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ..memory import Remembered
from ..ports import Bundle
from ..records import NOWHERE, FloatArray, IntArray, ProductTable, Query, SegmentRef, Surroundings
from .leaning_kernels import leanings
from .scratch import Scratch
from .segment_top import SegmentTop

LEANINGS = ("segment", "device", "daypart", "place")
"""Of the candidate within the asker's segment, as far as that is sure; of its category with the asker's device, at this
time of day, in the region or else the country. 0 where nothing is known."""
NOTHING: FloatArray = np.zeros(0, dtype=np.float32)

Details = Callable[[IntArray, FloatArray], FloatArray]
"""Looks closely at the candidates at some places, given the expert's scores of all: a float32 row for each."""


class Asker(NamedTuple):
    """Of whom is asked about what is not in the session, the past or the basket."""

    segment: SegmentRef | None = None
    surroundings: Surroundings = NOWHERE

    @classmethod
    def of(cls, query: Query) -> Asker:
        """Whoever a query is about."""
        return cls(query.segment, query.surroundings)


class Leanings:
    """Looks up how people like the asker lean.

    :param behaviour: with the arrays of :func:`~mtp_plugin.candidates.learn.leanings.leaning_arrays`; others know of no
        surroundings
    :param segments: what each segment does
    """

    def __init__(self, table: ProductTable, behaviour: Bundle | None, segments: SegmentTop) -> None:
        self._segments = segments
        arrays: Mapping[str, Any] = behaviour.arrays if behaviour else {}
        around = behaviour is not None and "leaning_lifts" in arrays
        self.known = bool(segments.known) or around
        """Whether there is anything to look up."""
        categories = behaviour.strings.get("categories", ()) if behaviour and around else ()
        self._lifts = _lifts(arrays["leaning_lifts"], categories, table) if around else np.zeros((0, 1), np.float32)
        self._category = np.where(table.category >= 0, table.category, len(table.category_names)).astype(np.int32)
        values = msgspec.json.decode(arrays["leaning_values"].tobytes(), type=list[Surroundings]) if around else []
        self._value_of = {value: at for at, value in enumerate(values)}.get
        self._values: Remembered[Surroundings, tuple[int, int, int]] = Remembered(1000)

    def of(self, rows: IntArray, asker: Asker) -> FloatArray:
        """Shape ``(len(rows), len(LEANINGS))``, float32; 0 where nothing is known.

        :param rows: of the catalogue
        """
        own, of_all, sure = NOTHING, NOTHING, 0.0
        place = self._segments.place(asker.segment)
        if place >= 0 and asker.segment is not None:
            own, of_all = self._segments.shares(place), self._segments.share_of_all("popular")
            sure = min(1.0, max(0.0, asker.segment.confidence))
        values = self._values.get(asker.surroundings) or self._find(asker.surroundings)
        found: FloatArray = leanings(rows, own, of_all, sure, self._lifts, self._category, values)
        return found

    def _find(self, around: Surroundings) -> tuple[int, int, int]:
        find = self._value_of
        country = find(Surroundings(country=around.country), -1)
        found = (
            find(Surroundings(device=around.device), -1),
            find(Surroundings(daypart=around.daypart), -1),
            find(Surroundings(country=around.country, region=around.region), country),
        )
        return self._values.keep(around, found)

    def beside(self, details: Details, scratch: Scratch, asker: Asker) -> Details:
        """The *details* of a query's candidates, and after them how the asker's like lean."""
        return partial(self._beside, details, scratch, asker)

    def _beside(
        self, details: Details, scratch: Scratch, asker: Asker, places: IntArray, scores: FloatArray
    ) -> FloatArray:
        return np.concatenate((details(places, scores), self.of(scratch.rows[places], asker)), axis=1)


def _lifts(learnt: FloatArray, names: tuple[str, ...], table: ProductTable) -> FloatArray:
    """By the catalogue's own categories, 0 for those that training did not know and, in the last place, for none."""
    found: FloatArray = np.zeros((len(learnt), len(table.category_names) + 1), dtype=np.float32)
    place = {name: at for at, name in enumerate(table.category_names)}
    for code, name in enumerate(names[: learnt.shape[1]]):
        if name in place:
            found[:, place[name]] = learnt[:, code]
    return found

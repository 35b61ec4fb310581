"""Whom the questions of held-out history are about, as they were then."""

from __future__ import annotations

from collections.abc import Sequence

from ...records import IntArray
from ..leanings import Asker
from ..log import TrainingLog
from ..membership import Earlier


def askers_of(log: TrainingLog, rows: IntArray, earlier: Earlier | None, *, arriving: bool) -> Sequence[Asker]:
    """The visitor of each of some rows of a log, as a page would have known them just before.

    :param earlier: tells the segments, ``None`` in a shop without any
    :param arriving: before the whole visit
    """
    segments = earlier.segments(log, rows, arriving=arriving) if earlier is not None else [None] * len(rows)
    return [Asker(*known) for known in zip(segments, log.surroundings(rows), strict=True)]

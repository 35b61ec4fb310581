"""Places in held-out sessions, as rows of a catalogue: the way so far and what came next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..log import TrainingLog
from ..recommender import Recommender


class SessionCase(NamedTuple):
    """The way so far, what came next, and which row of the views that is."""

    way: tuple[int, ...]
    target: int
    place: int


def session_cases(recommender: Recommender, views: TrainingLog, most: int, seed: int) -> list[SessionCase]:
    """A sample of all places but the first of each session; those whose products are not in the catalogue are left out.

    :param most: places drawn by *seed* where there are more
    """
    find = recommender.table.index.get
    rows = np.array([find(item, -1) for item in views.items], dtype=np.int64)[views.item]
    _, starts, sizes = np.unique(views.session, return_index=True, return_counts=True)
    start = np.repeat(starts, sizes)
    places = np.flatnonzero((np.arange(len(start)) > start) & (rows >= 0))
    if len(places) > most:
        places = np.sort(np.random.default_rng(seed).choice(places, most, replace=False))
    found = []
    for place in places.tolist():
        way = tuple(row for row in rows[start[place] : place].tolist() if row >= 0)
        if way:
            found.append(SessionCase(way, int(rows[place]), place))
    return found

"""Every source that serves, opened once over a catalogue and the bundles there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..ports import Bundle
from ..records import BoolArray, FloatArray, IntArray, ProductTable
from .affinity import Affinity
from .content import Lookalikes
from .leanings import Leanings
from .neighbours import SessionNeighbours
from .popular import Rankings
from .related import Related, Vocabulary
from .scratch import Scratch, Scratches
from .segment_top import SegmentTop

FORMAT = 1
"""Of the bundles; another one cannot be read."""

COLUMNS = (
    "session", "voters", "viewed", "viewed-last", "next", "path", "together", "alike",
    "users", "user-voters", "bought", "ease", "content",
)  # fmt: skip
SESSION, VOTERS, VIEWED, LAST, NEXT, PATH, TOGETHER, ALIKE, USERS, USER_VOTERS, BOUGHT, EASE, CONTENT = range(13)

Arrays = Mapping[str, NDArray[np.generic]]


class Sources:
    """What the strategies ask.

    :param behaviour: what ``train`` learnt, ``None`` for a fresh shop
    :param content: what ``train_content`` learnt, ``None`` before it ran
    :raises ModelError: a bundle of another format
    """

    def __init__(self, table: ProductTable, behaviour: Bundle | None, content: Bundle | None) -> None:
        self.table = table
        self.meta: Mapping[str, Any] = behaviour.meta if behaviour else {}
        arrays: Arrays = behaviour.arrays if behaviour else {}
        vocabulary = _vocabulary(behaviour, table)
        self.related = _related(arrays, vocabulary, ("viewed", "next", "path", "bought", "ease", "after"))
        self.related |= _related(content.arrays if content else {}, _vocabulary(content, table), ("content",))
        self.neighbours = _neighbours(arrays, vocabulary, self.meta, "")
        self.baskets = _neighbours(arrays, vocabulary, self.meta, "basket_")
        self.users = _neighbours(arrays, vocabulary, self.meta, "user_")
        self._nothing = Related.nothing(vocabulary) if vocabulary else None
        self.rankings = Rankings(table, arrays, vocabulary)
        self.segments = SegmentTop(table, behaviour, vocabulary, self.rankings)
        self.leanings = Leanings(table, behaviour, self.segments)

        def by_row(name: str) -> FloatArray:
            return vocabulary.by_row(arrays[name]) if vocabulary and name in arrays else _zeros(table)

        self.rhythm, self.revisits, self.rebought = by_row("rhythm"), by_row("revisits"), by_row("rebought")
        self.sold_lately, self.sold_since = by_row("sold_lately"), by_row("sold_since")
        self.freshness: FloatArray = self.neighbours.freshness() if self.neighbours is not None else _zeros(table)
        self.affinity = Affinity(table, self.rankings["popular"])
        popular, lately = (
            _relative_to_mean(scores) for scores in (self.rankings["popular"].scores, self.rankings.lately)
        )
        self.popularity: FloatArray = np.log1p(popular).astype(np.float32)
        self.lately: FloatArray = np.log1p(lately).astype(np.float32)
        self.momentum: FloatArray = np.log((lately + 0.2) / (popular + 0.2)).astype(np.float32)
        if len(table):
            self.popularity, self.momentum, self.lately, self.freshness, self.revisits = _side_by_side(
                self.popularity, self.momentum, self.lately, self.freshness, self.revisits
            )
        self.by_row = (self.popularity, self.momentum, self.lately)
        """What the session expert sees of each row, *close_by_row* what its re-ranker does."""
        self.close_by_row = (self.popularity, self.freshness, self.revisits)
        self._lookalikes = Lookalikes(table)
        self._within: dict[int, BoolArray] = {}
        n_sessions = max(
            (found.n_sessions for found in (self.neighbours, self.baskets, self.users) if found), default=0
        )
        self._scratches = Scratches(len(table), n_sessions, len(COLUMNS))

    def scratch(self) -> Scratch:
        """This thread's buffers, emptied."""
        return self._scratches.get()

    def spread(self, name: str, scratch: Scratch, rows: IntArray, weights: FloatArray, column: int) -> None:
        """Let the neighbours of *rows* in one of the item-item lists add to a column; nothing without such a list."""
        related = self.related.get(name)
        if related is not None:
            related.spread(scratch, rows, weights, column)

    def strongest(self, name: str, scratch: Scratch, rows: IntArray, at: IntArray, count: int) -> FloatArray:
        """As :meth:`.Related.strongest` of one of the item-item lists; zeros without such a list."""
        related = self.related.get(name)
        return np.zeros((count, 2), np.float32) if related is None else related.strongest(scratch, rows, at, count)

    def led_to(
        self, name: str, scratch: Scratch, rows: IntArray, weights: FloatArray, at: IntArray, count: int
    ) -> FloatArray:
        """As :meth:`.Related.led_to` of one of the item-item lists; zeros without such a list."""
        related = self.related.get(name)
        return np.zeros(count, np.float32) if related is None else related.led_to(scratch, rows, weights, at, count)

    def lists(self, name: str) -> tuple[NDArray[Any], ...]:
        """The :attr:`.Related.lists` of one of the item-item lists, of nothing where there is none.

        :raises ModelError: there is no behaviour bundle
        """
        related = self.related.get(name, self._nothing)
        if related is None:
            raise ModelError(f"without a model there is no list {name!r}; run `flask mtp train`")
        return related.lists

    def alike(self, scratch: Scratch, rows: IntArray, weights: FloatArray, column: int) -> None:
        """Products alike in content: from the bundle, and by a light comparison where the bundle knows none."""
        self.spread("content", scratch, rows, weights, column)
        self.compare(scratch, rows, weights, column)

    def compare(self, scratch: Scratch, rows: IntArray, weights: FloatArray, column: int) -> None:
        """The light comparison of products of which the bundle knows nothing."""
        related = self.related.get("content")
        if not self._lookalikes.useful:
            return
        for row, weight in zip(rows.tolist(), weights.tolist(), strict=True):
            if related is not None and related.knows(row):
                continue
            near, values = self._lookalikes.of(row)
            scratch.add(near)
            listed = scratch.mark[near] == scratch.epoch
            places, values = scratch.slot[near[listed]], values[listed] * np.float32(weight)
            scratch.columns[places, column] += values
            better = values > scratch.best[places]
            scratch.best[places[better]] = values[better]
            scratch.anchor[places[better]] = row

    def within(self, category: int) -> BoolArray:
        """Rows of a category or of one under it."""
        found = self._within.get(category)
        if found is None:
            names = self.table.category_names
            under = names[category] + " > "
            codes = [code for code, name in enumerate(names) if code == category or name.startswith(under)]
            found = self._within[category] = np.isin(self.table.category, codes)
        return found


def _vocabulary(bundle: Bundle | None, table: ProductTable) -> Vocabulary | None:
    if bundle is None:
        return None
    if bundle.meta.get("format") != FORMAT:
        raise ModelError(
            f"{bundle.kind} model {bundle.version} has format {bundle.meta.get('format')}, this code reads {FORMAT}: "
            "run `flask mtp train`"
        )
    return Vocabulary(bundle.strings["items"], table.index, len(table))


def _related(arrays: Arrays, vocabulary: Vocabulary | None, names: tuple[str, ...]) -> dict[str, Related]:
    if vocabulary is None:
        return {}
    return {name: Related(name, arrays, vocabulary) for name in names if f"{name}_indptr" in arrays}


def _neighbours(
    arrays: Arrays, vocabulary: Vocabulary | None, meta: Mapping[str, Any], prefix: str
) -> SessionNeighbours | None:
    if vocabulary is None or f"{prefix}session_indptr" not in arrays:
        return None
    return SessionNeighbours(arrays, vocabulary, meta.get("neighbours", {}).get(prefix), prefix)


def _zeros(table: ProductTable) -> FloatArray:
    return np.zeros(max(1, len(table)), dtype=np.float32)


def _side_by_side(*columns: FloatArray) -> tuple[FloatArray, ...]:
    """The same numbers, those of one row together in memory: who looks one up looks up the others, too."""
    together: FloatArray = np.stack(columns, axis=1)
    return tuple(together.T)


def _relative_to_mean(scores: FloatArray) -> FloatArray:
    """Scores as multiples of the mean of those above 0: comparable between a part of a history and the whole."""
    above = scores[scores > 0]
    return scores / above.mean() if len(above) else scores

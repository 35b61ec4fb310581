"""Session neighbours: what people did who went the same way (the user-user side)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled import HAS_NUMBA
from ..records import FloatArray, IntArray
from . import kernels, plain
from .related import Vocabulary, bare
from .scratch import Scratch

DEFAULTS: dict[str, dict[str, float]] = {
    "": {
        "most_recent": 1500, "neighbours": 200, "decay": 4.0, "reach": 6.0, "idf": 1.0, "norm": 0.5, "age": 0.7,
        "products": 12,
    },
    "basket_": {
        "most_recent": 500, "neighbours": 150, "decay": 1e9, "reach": 1e9, "idf": 1.0, "norm": 0.5, "age": 0.7,
        "products": 25,
    },
    "user_": {
        "most_recent": 600, "neighbours": 100, "decay": 1e9, "reach": 1e9, "idf": 1.0, "norm": 0.5, "age": 0.0,
        "products": 60,
    },
}  # fmt: skip
"""What worked on several shops, for sessions, baskets and customers; ``train`` may find better ones."""
FRESHEST = 1e-4
"""Part of the history below which it makes no difference when a product was seen."""


class SessionNeighbours:
    """The inverted index of sessions, asked with the session at hand.

    :param arrays: what :func:`mtp_plugin.candidates.learn.session_index.session_index` gives, each name after *prefix*
    :param settings: ``most_recent`` sessions looked at for a product, ``neighbours`` that vote, ``decay`` in steps of
        the session at hand, ``reach`` in steps of the neighbour, powers ``idf`` of a product's rarity and ``norm`` of a
        session's length, ``age`` fading over the whole history, ``products`` of the session that are used
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[np.generic]],
        vocabulary: Vocabulary,
        settings: Mapping[str, Any] | None = None,
        prefix: str = "",
    ) -> None:
        names = ("item_indptr", "item_sessions", "item_places", "session_indptr", "session_items")
        self._index = {name: bare(arrays[prefix + name]) for name in names}
        self._order: FloatArray = np.asarray(arrays[prefix + "session_order"], dtype=np.float32)
        self._vocabulary, self._prefix = vocabulary, prefix
        self.n_sessions = len(self._order)
        self._set({**DEFAULTS[prefix], **(settings or {})})

    def freshness(self) -> FloatArray:
        """Of each row, how much of the history passed since its latest session, ``-log(passed + 0.0001)``, highest
        for what was seen just now; that of the oldest session for rows the index does not know."""
        starts, sessions = self._index["item_indptr"], self._index["item_sessions"]
        passed, known = np.ones(len(starts) - 1, dtype=np.float32), starts[1:] > starts[:-1]
        passed[known] -= self._order[sessions[starts[:-1][known]]]
        return self._vocabulary.by_row(-np.log(passed + np.float32(FRESHEST)), -np.log1p(FRESHEST))

    def tuned(self, settings: Mapping[str, Any]) -> SessionNeighbours:
        """The same index with other settings."""
        other = copy(self)
        other._set({**DEFAULTS[self._prefix], **settings})
        return other

    def _set(self, given: Mapping[str, Any]) -> None:
        sizes = np.maximum(1, np.diff(self._index["session_indptr"]))
        self._session_weights = (sizes ** -given["norm"] * np.exp(given["age"] * (self._order - 1.0))).astype(
            np.float32
        )
        seen = np.maximum(1, np.diff(self._index["item_indptr"]))
        self._idf = (np.log1p(self.n_sessions / seen) ** given["idf"]).astype(np.float32)
        self._closeness = np.exp(-np.arange(64) / given["reach"]).astype(np.float32)
        self._decay = np.exp(-np.arange(64) / given["decay"]).astype(np.float32)
        self._most_recent, self._neighbours = int(given["most_recent"]), int(given["neighbours"])
        self._products = int(given["products"])
        self.numbers = (self._products, self._most_recent, self._neighbours)
        """Products of the session that are used, sessions looked at for each, sessions that vote."""
        found = self._vocabulary
        self.arrays = (
            *self._index.values(), self._session_weights, found.from_row, found.to_row, self._idf, self._decay,
            self._closeness,
        )  # fmt: skip
        """As :mod:`.session_kernels` takes them."""

    def vote(self, scratch: Scratch, rows: IntArray, steps: IntArray, column: int) -> None:
        """Let similar sessions vote into *column*, and count the voters in the next.

        :param rows: distinct products of the session, latest first
        :param steps: how many steps ago each was, at most 63
        """
        if not self.n_sessions:
            return
        index, found = self._index, self._vocabulary
        call = (
            self._session_weights, found.from_row, found.to_row, rows, steps, self._idf, self._decay, self._products,
            self._most_recent, self._neighbours, self._closeness, column,
        )  # fmt: skip
        if not HAS_NUMBA:
            plain.session_neighbours(scratch, index, *call)
            return
        scratch.count = kernels.session_neighbours(
            index["item_indptr"], index["item_sessions"], index["item_places"], index["session_indptr"],
            index["session_items"], *call, scratch.epoch, scratch.take_turn(), scratch.similarity, scratch.seen,
            scratch.match, scratch.touched, scratch.mark, scratch.slot, scratch.rows, scratch.columns, scratch.best,
            scratch.anchor, scratch.count,
        )  # fmt: skip

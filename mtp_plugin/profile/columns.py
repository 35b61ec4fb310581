"""Features as numbers in fixed places: the rows that segments are learnt from and assigned by."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..records import FloatArray, Profile
from .reading import Reader, number, word


class Columns:
    """Turns profiles into rows of numbers, float32, NaN where nothing is known.

    A column is named by a feature's dotted path (``category.Watches``), or by a path and a word (``traits.plan=gold``)
    where it is 1 for those of whom the word is said and 0 for others of whom something is said. A value that a family
    does not hold is 0 where the family is known at all.

    :param names: of the columns, in order
    :param excluded: categories of which nothing is read
    """

    def __init__(self, names: Sequence[str], excluded: Iterable[str] = ()) -> None:
        self.names, self.excluded = tuple(names), frozenset(excluded)
        self._scalars: list[tuple[str, int]] = []
        self._families: dict[str, dict[str, int]] = {}
        self._words: dict[str, dict[str, dict[str, int]]] = {}
        for place, name in enumerate(self.names):
            self._place(name, place)
        self._read = Reader(dict(self._scalars), self._families, self._words.get("traits", {}), len(names), excluded)

    def _place(self, name: str, place: int) -> None:
        family, dot, rest = name.partition(".")
        value, equals, word = rest.partition("=")
        if not dot:
            self._scalars.append((name, place))
        elif family == "traits" and equals:
            self._words.setdefault(family, {}).setdefault(value, {})[word] = place
        else:
            self._families.setdefault(family, {})[rest] = place

    def __len__(self) -> int:
        return len(self.names)

    def row(self, profile: Profile, now: float) -> FloatArray:
        """The visitor's row at *now*, shape ``(len(self),)``."""
        return np.frombuffer(array("f", self._read(profile, now)), dtype=np.float32)

    def row_of(self, features: Mapping[str, Any]) -> FloatArray:
        """The row of features as :func:`~mtp_plugin.profile.features.features_of` gives them."""
        row = [math.nan] * len(self.names)
        for name, place in self._scalars:
            value = features.get(name)
            if value is not None:
                row[place] = value
        for family, places in self._families.items():
            values = features.get(family)
            if not values:
                continue
            if family != "traits":
                for place in places.values():
                    row[place] = 0.0
            for name, value in values.items():
                place = places.get(name, -1)
                if place >= 0:
                    row[place] = number(value)
        for family, traits in self._words.items():
            _mark(row, features.get(family) or {}, traits)
        return np.array(row, dtype=np.float32)


def _mark(row: list[float], values: Mapping[str, Any], traits: Mapping[str, Mapping[str, int]]) -> None:
    for trait, words in traits.items():
        said = values.get(trait)
        if said is None:
            continue
        said = word(said)
        for text, place in words.items():
            row[place] = float(text == said)

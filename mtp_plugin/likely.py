"""What a visitor is likely to buy next, for those who agreed that their own past is used."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .profile.features import prefixes
from .propensity.model import NoPropensity, Propensity
from .records import FloatArray, IntArray, ProductTable, Profile
from .segment.found import is_minor

log = logging.getLogger(__name__)


class Likely:
    """How probable it is that a visitor buys within 7 days, as one source of candidates, facts and figures.

    A model that fails is logged, and nothing is told; nothing is told of who says to be too young.

    :param model: what tells
    :param min_age: years, 0 for any
    """

    def __init__(self, model: Propensity | NoPropensity | None = None, min_age: int = 0) -> None:
        self._model, self._min_age = model or NoPropensity(), min_age

    def __bool__(self) -> bool:
        return self._model.known

    @property
    def category(self) -> IntArray:
        """The category of each row of the catalogue, int32, by its place in :meth:`categories`, -1 for none."""
        return self._model.features.category if isinstance(self._model, Propensity) else np.zeros(0, dtype=np.int32)

    def products(self, profile: Profile, rows: IntArray, now: float) -> FloatArray:
        """The probability of each of these rows of the catalogue, float64 ``(len(rows),)``, NaN where nothing tells."""
        if self and len(rows) and not is_minor(profile.traits, self._min_age):
            try:
                return self._model.of_products(profile, rows, now)
            except Exception:
                log.exception("propensity failed; nothing is told")
        return np.full(len(rows), np.nan)

    def by_id(self, table: ProductTable, profile: Profile, ids: Sequence[str], now: float) -> list[float | None]:
        """The same for products by id; ``None`` where nothing tells."""
        known = {name: row for name in ids if (row := table.index.get(name)) is not None} if self else {}
        told = self.products(profile, np.array(list(known.values()), dtype=np.int64), now).tolist()
        said = {name: value for name, value in zip(known, told, strict=True) if not math.isnan(value)}
        return [said.get(name) for name in ids]

    def categories(self, profile: Profile, now: float) -> FloatArray:
        """The probability of each category that is told of, float64, in the model's order; none where nothing tells."""
        if self and not is_minor(profile.traits, self._min_age):
            try:
                return self._model.category_probabilities(profile, now)
            except Exception:
                log.exception("propensity failed; nothing is told")
        return np.zeros(0)

    def by_category(self, profile: Profile, now: float) -> dict[str, float]:
        """The same by name, the most probable first."""
        told = self.categories(profile, now).tolist()
        named = zip(self._model.category_names, told, strict=False)
        return dict(sorted(named, key=lambda pair: -pair[1]))

    def facts(self, profile: Profile, now: float) -> CategoryFacts:
        """The same as conditions see it, categories above others too."""
        return CategoryFacts(self, self._model.category_names, profile, now)


class CategoryFacts(Mapping[str, float]):
    """The probability by category, told when the first is asked for: most conditions ask for none.

    Of a category above others it is the probability of a purchase from any of them, taken as independent.
    """

    def __init__(self, likely: Likely, names: tuple[str, ...], profile: Profile, now: float) -> None:
        self._ask, self._names = (likely, profile, now), names
        self._told: dict[str, float] | None = None

    def _known(self) -> dict[str, float]:
        if self._told is None:
            likely, profile, now = self._ask
            none: dict[str, float] = {}
            for name, value in zip(self._names, likely.categories(profile, now).tolist(), strict=False):
                for above in prefixes(name):
                    none[above] = none.get(above, 1.0) * (1.0 - value)
            self._told = {name: 1.0 - value for name, value in none.items()}
        return self._told

    def __getitem__(self, name: str) -> float:
        return self._known()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

"""The model that serves: probabilities of buying, from arrays alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from ..ports import Bundle
from ..records import FloatArray, IntArray, ProductTable, Profile
from .features import Features, Standing, Visitor
from .scorer import Scorer

KIND = "propensity"
FORMAT = 1
"""Of the bundle; another one cannot be read."""
HORIZON_DAYS = 7
"""What is told: whether something is bought within so many days."""
TARGETS = ("category", "product")
EMPTY = {"format": FORMAT, "empty": True}
"""What a bundle says that tells nothing: all who were learnt from were erased."""


def open_propensity(bundle: Bundle, table: ProductTable) -> Propensity | NoPropensity:
    """What a bundle tells.

    :raises ModelError: one that this code cannot read
    """
    if bundle.meta.get("empty"):
        return NoPropensity()
    made = Propensity(bundle, table)
    made.warm()
    return made


class Propensity:
    """How probable it is that a visitor buys from a category, or buys a product, within :data:`HORIZON_DAYS` days.

    :param bundle: of the kind ``propensity``
    :param table: the catalogue that rows are of
    :raises ModelError: a bundle that this code cannot read
    """

    known = True

    def __init__(self, bundle: Bundle, table: ProductTable) -> None:
        meta, self.version = bundle.meta, bundle.version
        if meta.get("format") != FORMAT:
            raise ModelError(
                f"propensity model {bundle.version} has format {meta.get('format')}, this code reads {FORMAT}: "
                "run `flask mtp propensity train`"
            )
        try:
            standing = Standing(
                bundle.strings["categories"], bundle.arrays["category_standing"],
                bundle.strings["products"], bundle.arrays["product_standing"],
            )  # fmt: skip
            self.features = Features(
                table, standing, half_life=meta["half_life"], idle=meta["idle"], traits=bundle.strings["traits"]
            )
            self._scorers = {target: Scorer.of_arrays(bundle.arrays, target) for target in TARGETS}
            _same_columns(self.features, bundle.strings)
        except (KeyError, ValueError, IndexError) as error:
            raise ModelError(f"propensity model {bundle.version} is damaged: {error}") from error
        self._all: IntArray = np.arange(len(standing.category_names), dtype=np.int64)

    def warm(self) -> None:
        """Compile what requests would have to wait for."""
        self.of_categories(Profile(profile_id=""), 0.0)
        if len(self.features.table):
            self.of_products(Profile(profile_id=""), np.zeros(1, dtype=np.int64), 0.0)

    @property
    def category_names(self) -> tuple[str, ...]:
        """The categories that are told of, as whole paths."""
        return self.features.standing.category_names

    def of_categories(self, profile: Profile, now: float) -> dict[str, float]:
        """The probability of each category that is told of, the most probable first.

        :param now: seconds since 1970
        """
        found = self.category_probabilities(profile, now)
        order = np.argsort(-found, kind="stable").tolist()
        return {self.category_names[code]: float(found[code]) for code in order}

    def category_probabilities(self, profile: Profile, now: float) -> FloatArray:
        """The same in order of :attr:`category_names`, float64."""
        rows = self.features.categories(self.features.visitor(profile, now), self._all)
        return self._scorers["category"].probabilities(rows)

    def of_products(self, profile: Profile, rows: IntArray, now: float) -> FloatArray:
        """The probability of each of these rows of the catalogue, float64 ``(len(rows),)``.

        A pure function of its arguments: a re-ranker may take it as a feature of candidates. Products of no category
        that is told of (sensitive ones among them) are NaN.
        """
        return self.of_visitor(self.features.visitor(profile, now), rows)

    def of_visitor(self, visitor: Visitor, rows: IntArray) -> FloatArray:
        """The same for a visitor whose past was read already."""
        found: FloatArray = np.full(len(rows), np.nan)
        told = np.flatnonzero(self.features.category[rows] >= 0)
        if len(told):
            found[told] = self._scorers["product"].probabilities(self.features.products(visitor, rows[told]))
        return found


@dataclass(frozen=True, slots=True)
class NoPropensity:
    """Before there is a model: nothing is told."""

    known = False
    version: str = ""
    category_names: tuple[str, ...] = ()

    def of_categories(self, profile: Profile, now: float) -> dict[str, float]:
        """Nothing."""
        return {}

    def category_probabilities(self, profile: Profile, now: float) -> FloatArray:
        """Nothing."""
        return np.zeros(0)

    def of_products(self, profile: Profile, rows: IntArray, now: float) -> FloatArray:
        """NaN for all."""
        return np.full(len(rows), np.nan)


def _same_columns(features: Features, strings: Mapping[str, Sequence[str]]) -> None:
    for target, columns in (("category", features.category_columns), ("product", features.product_columns)):
        if tuple(strings[f"{target}_columns"]) != columns:
            raise ValueError(f"the {target} model was learnt from other features than this code makes")

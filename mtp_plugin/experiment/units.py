"""What statistics are computed from: one row a unit that was exposed, what it did since and what before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Floats = NDArray[np.float64]
Labels = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Sums:
    """A metric by unit: a sum over a sum, each of shape ``(units,)``.

    With ones below it is a mean over units (revenue per visitor), with anything else a ratio whose unit is still the
    visitor (clicks per slate seen). ``before`` is the same unit's value from before its first exposure, for CUPED.
    """

    above: Floats
    below: Floats
    before: Floats | None = None


@dataclass(frozen=True, slots=True)
class UnitTable:
    """The units of one experiment.

    ``variation`` holds numbers from 0, which is the control, shape ``(units,)``; ``names`` are those of variations.
    ``labels`` are what units are told apart by, such as their segment, each of shape ``(units,)``. ``weights`` are the
    shares that units were to be divided by, adding up to 1. ``mixed`` units saw two variations and are in none.

    :raises InputError: columns of different lengths, or a variation without a name
    """

    variation: NDArray[np.int64]
    names: tuple[str, ...]
    metrics: Mapping[str, Sums]
    weights: tuple[float, ...] = ()
    labels: Mapping[str, Labels] = field(default_factory=dict)
    mixed: int = 0

    def __post_init__(self) -> None:
        units = len(self.variation)
        columns = [column for one in self.metrics.values() for column in (one.above, one.below, one.before)]
        if any(column is not None and len(column) != units for column in (*columns, *self.labels.values())):
            raise InputError("all columns of a unit table need one value a unit", field="metrics")
        if units and not 0 <= self.variation.min() <= self.variation.max() < len(self.names):
            raise InputError("a unit is in a variation that has no name", field="variation")

    @property
    def counts(self) -> NDArray[np.int64]:
        """Units by variation."""
        return np.bincount(self.variation, minlength=len(self.names))

    def part(self, mask: NDArray[np.bool_]) -> UnitTable:
        """The units of a mask alone."""
        cut = {
            name: Sums(one.above[mask], one.below[mask], None if one.before is None else one.before[mask])
            for name, one in self.metrics.items()
        }
        labels = {name: values[mask] for name, values in self.labels.items()}
        return UnitTable(self.variation[mask], self.names, cut, self.weights, labels)

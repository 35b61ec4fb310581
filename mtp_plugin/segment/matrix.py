"""Visitors as a matrix of features: what segments are learnt from, named from and judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..records import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """Row ``i`` is what is known of ``profile_ids[i]``.

    :param names: of the columns, see :class:`mtp_plugin.profile.columns.Columns`
    :param values: float32 ``(n, f)`` in the features' own units, NaN where unknown
    :param profile_ids: of the rows
    """

    names: tuple[str, ...]
    values: FloatArray
    profile_ids: Sequence[str]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.profile_ids), len(self.names)):
            raise ValueError(
                f"values of shape {self.values.shape} are not {len(self.profile_ids)} rows of {len(self.names)} names"
            )

    def __len__(self) -> int:
        return len(self.profile_ids)

    def column(self, name: str) -> FloatArray:
        """One column, shape ``(n,)``.

        :raises KeyError: there is none of that name
        """
        if name not in self.names:
            raise KeyError(name)
        return self.values[:, self.names.index(name)]

    def first(self, count: int) -> FeatureTable:
        """The table of the first *count* columns; no copy."""
        return FeatureTable(self.names[:count], self.values[:, :count], self.profile_ids)

    def rows(self, which: IntArray | BoolArray) -> FeatureTable:
        """The table of these rows."""
        places = np.flatnonzero(which) if which.dtype == bool else which
        return FeatureTable(self.names, self.values[places], [self.profile_ids[int(place)] for place in places])

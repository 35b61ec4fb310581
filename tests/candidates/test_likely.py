"""What a visitor is likely to buy, as candidates."""

from __future__ import annotations

import numpy as np
import pytest

from mtp_plugin.candidates.likely import LikelyToBuy
from mtp_plugin.records import FloatArray, IntArray, Profile, Query

from .shop import table


class Told:
    """Of three categories, of which the catalogue has the first ones that *category* says."""

    def __init__(self, category: IntArray) -> None:
        self.category = category

    def __bool__(self) -> bool:
        return True

    def products(self, profile: Profile, rows: IntArray, now: float) -> FloatArray:
        """The further up in the table the likelier."""
        return 1.0 / (1.0 + rows)

    def categories(self, profile: Profile, now: float) -> FloatArray:
        """All alike."""
        return np.full(3, 0.5)


@pytest.mark.parametrize("known", [0, 1, 2, 3])
def test_a_category_that_is_gone_from_the_catalogue_proposes_nothing(known: int) -> None:
    shop = table(12)
    category = np.where(np.arange(12) % 4 < known, np.arange(12) % 4, -1).astype(np.int32)
    likely = LikelyToBuy(Told(category), shop, np.zeros(12, dtype=np.float32))
    rows, _ = likely(Query(now=0.0, profile=Profile(profile_id="u:1")), None, 12)
    assert rows.tolist() == np.flatnonzero(category >= 0).tolist()

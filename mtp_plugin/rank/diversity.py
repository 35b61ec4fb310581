"""A slate that does not say the same thing twice: variants of one product and monotony of category or brand limited."""

from __future__ import annotations

import math

import numpy as np

from ..records import Candidates, IntArray, ProductTable
from .kernels import varied
from .titles import Titles

ALIKE = 0.75
"""Share of common title words (Jaccard) from which two products of one brand are taken for variants of each other."""
CATEGORY_SHARE = 0.67
BRAND_SHARE = 0.67
"""Of the slate that one category or brand may fill while others are waiting."""
FEWEST = 3
"""Slates up to this size may be of one category."""


def diversify(
    candidates: Candidates,
    table: ProductTable,
    titles: Titles,
    size: int,
    *,
    category_share: float = CATEGORY_SHARE,
    brand_share: float = BRAND_SHARE,
) -> IntArray:
    """Which candidates make the slate, as indices into *candidates*, in order.

    Goes down the list and puts off what repeats a title already taken, or a category or brand that has its share; what
    was put off fills up at the end, in its old order. Products without titles, categories and brands are never put
    off: there the order stays as it is. Where all candidates share one category (a category page) it is no limit.

    :param titles: those of *table*
    :param size: products wanted
    :param category_share: at most this part of *size* from one category (narrowest level)
    :param brand_share: the same for brands
    """
    rows = candidates.rows
    few = size <= FEWEST
    most_of_category, most_of_brand = (
        len(rows) + 1 if few else max(2, math.ceil(share * size)) for share in (category_share, brand_share)
    )
    order: IntArray = varied(
        rows, table.category, table.brand, titles.starts, titles.stops, titles.read(rows), size,
        most_of_category, most_of_brand, ALIKE,
    )  # fmt: skip
    return order


def warm(table: ProductTable, titles: Titles) -> None:
    """Compile what walks down a list, or fetch it from the disk cache, before the first visitor needs it."""
    none = np.zeros(0, dtype=np.int32)
    diversify(Candidates(none, none.astype(np.float32), none.astype(np.int64), none), table, titles, 1)

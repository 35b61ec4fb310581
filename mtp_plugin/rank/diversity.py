"""A slate that does not say the same thing twice: variants of one product and monotony of category or brand limited."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from ..records import Candidates, Product, ProductTable

WORD = re.compile(r"\w+")
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
    size: int,
    *,
    category_share: float = CATEGORY_SHARE,
    brand_share: float = BRAND_SHARE,
) -> list[int]:
    """Which candidates make the slate, as indices into *candidates*, in order.

    Goes down the list and puts off what repeats a title already taken, or a category or brand that has its share; what
    was put off fills up at the end, in its old order. Products without titles, categories and brands are never put
    off: there the order stays as it is. Where all candidates share one category (a category page) it is no limit.

    :param size: products wanted
    :param category_share: at most this part of *size* from one category (narrowest level)
    :param brand_share: the same for brands
    """
    rows = candidates.rows
    categories, brands = table.category[rows].tolist(), table.brand[rows].tolist()
    most_of_category = _quota(categories, size, category_share)
    most_of_brand = _quota(brands, size, brand_share)
    taken: list[int] = []
    put_off: list[int] = []
    titles: list[frozenset[str]] = []
    in_category: dict[int, int] = {}
    in_brand: dict[int, int] = {}
    for place, (row, category, brand) in enumerate(zip(rows.tolist(), categories, brands, strict=True)):
        if len(taken) >= size:
            break
        words = _words(table.products[row])
        full = in_category.get(category, 0) >= most_of_category or in_brand.get(brand, 0) >= most_of_brand
        if full or any(_variants(words, other) for other in titles):
            put_off.append(place)
            continue
        taken.append(place)
        if words:
            titles.append(words)
        if category >= 0:
            in_category[category] = in_category.get(category, 0) + 1
        if brand >= 0:
            in_brand[brand] = in_brand.get(brand, 0) + 1
    return taken + put_off[: size - len(taken)]


def _quota(codes: list[int], size: int, share: float) -> int:
    """How many of one code; all of them where there is nothing else to show."""
    if size <= FEWEST or len(set(codes)) <= 1:
        return len(codes) + 1
    return max(2, math.ceil(share * size))


def _variants(words: frozenset[str], other: frozenset[str]) -> bool:
    if not words or not other:
        return False
    common = len(words & other)
    return common >= 2 and common >= ALIKE * (len(words) + len(other) - common)


def _words(product: Product) -> frozenset[str]:
    return _split(product.title, product.brand, product.colors)


@lru_cache(maxsize=65_536)
def _split(title: str, brand: str, colors: tuple[str, ...]) -> frozenset[str]:
    """Words of a title without its colours; with the brand, so that two brands' same words are not variants."""
    found = set(WORD.findall(title.casefold()))
    for color in colors:
        found.difference_update(WORD.findall(color.casefold()))
    if not found:
        return frozenset()
    return frozenset(found | {"\0" + brand}) if brand else frozenset(found)

"""The catalogue as arrays: built once a catalogue version, then shared by all threads and never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType

import numpy as np

from ..records import FloatArray, IntArray, Product, ProductTable

MIN_FOR_QUARTILES = 8
"""With fewer priced products in a top category, its price tiers are cut from the whole catalogue instead."""


def build_table(products: Iterable[Product], version: int) -> ProductTable:
    """Turn products into a table.

    :param products: in the order that rows shall have; hidden ones too. Of a repeated id the last one counts, at the
        place of the first
    :param version: the catalogue version they are of
    """
    rows = tuple({product.product_id: product for product in products}.values())
    category, category_names = _coded([product.category for product in rows])
    top_category, top_names = _coded([product.category_path[0] if product.category_path else "" for product in rows])
    brand, brand_names = _coded([product.brand for product in rows])
    price = _floats(rows, lambda product: product.price, np.nan)
    table = ProductTable(
        version=version,
        products=rows,
        index=MappingProxyType({product.product_id: row for row, product in enumerate(rows)}),
        visible=np.array([not product.hidden for product in rows], dtype=np.bool_),
        in_stock=np.array([product.in_stock for product in rows], dtype=np.bool_),
        price=price,
        sale_price=_floats(rows, lambda product: product.sale_price, np.nan),
        sale_from=_floats(rows, lambda product: product.sale_from, -np.inf),
        sale_until=_floats(rows, lambda product: product.sale_until, np.inf),
        margin=_floats(rows, lambda product: product.margin, np.nan),
        created=_floats(rows, lambda product: product.created, np.nan),
        category=category,
        top_category=top_category,
        brand=brand,
        tier=price_tiers(price, top_category),
        category_names=category_names,
        top_category_names=top_names,
        brand_names=brand_names,
    )
    _freeze(table)
    return table


def price_tiers(price: FloatArray, group: IntArray) -> IntArray:
    """Which quartile of its group each price lies in: 0 to 3, -1 where the price is unknown.

    A price on a boundary belongs to the lower tier. Groups with fewer than :data:`MIN_FOR_QUARTILES` prices, and
    rows of no group (-1), are cut at the quartiles of all prices.

    :param price: shape ``(n,)``, NaN unknown
    :param group: shape ``(n,)``, -1 none
    """
    tier = np.full(len(price), -1, dtype=np.int8)
    known = ~np.isnan(price)
    if not known.any():
        return tier
    tier[known] = _quartile(price[known], price[known])
    for value in np.unique(group[known & (group >= 0)]):
        members = known & (group == value)
        if members.sum() >= MIN_FOR_QUARTILES:
            tier[members] = _quartile(price[members], price[members])
    return tier


def _quartile(values: FloatArray, among: FloatArray) -> IntArray:
    return np.searchsorted(np.quantile(among, (0.25, 0.5, 0.75)), values, side="left").astype(np.int8)


def _coded(names: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
    """Names as codes in order of first appearance; the empty name is -1."""
    codes: dict[str, int] = {}
    coded = np.array([codes.setdefault(name, len(codes)) if name else -1 for name in names], dtype=np.int32)
    return coded, tuple(codes)


def _floats(rows: Sequence[Product], read: Callable[[Product], float | None], missing: float) -> FloatArray:
    values = (read(product) for product in rows)
    return np.array([missing if value is None else value for value in values], dtype=np.float64)


def _freeze(table: ProductTable) -> None:
    for name in table.__slots__:
        value = getattr(table, name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)

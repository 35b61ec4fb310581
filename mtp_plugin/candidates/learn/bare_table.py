"""A catalogue of which nothing is known but ids, for learning and measuring without one."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from ...records import Product, ProductTable


def bare_table(items: Sequence[str]) -> ProductTable:
    """Products without titles, prices and categories, one row an id, all to be had."""
    n = len(items)
    unknown, none = np.full(n, np.nan), np.full(n, -1, dtype=np.int32)
    return ProductTable(
        version=0,
        products=tuple(Product(product_id=item, title="") for item in items),
        index=MappingProxyType({item: row for row, item in enumerate(items)}),
        visible=np.ones(n, dtype=np.bool_),
        in_stock=np.ones(n, dtype=np.bool_),
        price=unknown,
        sale_price=unknown,
        sale_from=np.full(n, -np.inf),
        sale_until=np.full(n, np.inf),
        margin=unknown,
        created=unknown,
        category=none,
        top_category=none,
        brand=none,
        tier=none.astype(np.int8),
        category_names=(),
        top_category_names=(),
        brand_names=(),
    )

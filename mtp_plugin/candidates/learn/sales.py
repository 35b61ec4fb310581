"""When products were sold first and last, and how often those who bought one buy it again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..log import TrainingLog

DAY_S = 86_400.0
PRIOR_ORDERS = 10
"""Orders that what is usual is worth beside a product's own."""
Arrays = dict[str, NDArray[np.generic]]


def sales(purchases: TrainingLog, now: float) -> Arrays:
    """``sold_lately`` and ``sold_since``: logarithms of the days (without clock: sessions) since each product was sold
    last and first, 0 where it never was; ``rebought``: the part of its orders by somebody who had bought it before,
    drawn to that of all.

    :param now: moment that days are counted from
    """
    n = len(purchases.items)
    day = DAY_S if purchases.timed else 1.0
    last, first = np.full(n, -np.inf), np.full(n, np.inf)
    np.maximum.at(last, purchases.item, purchases.time)
    np.minimum.at(first, purchases.item, purchases.time)
    sold = np.isfinite(last)
    lately, since = np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.float32)
    lately[sold] = np.log1p(np.maximum(now - last[sold], 0.0) / day)
    since[sold] = np.log1p(np.maximum(now - first[sold], 0.0) / day)
    return {"sold_lately": lately, "sold_since": since, "rebought": _rebought(purchases, n)}


def _rebought(purchases: TrainingLog, n: int) -> NDArray[np.float32]:
    order = np.lexsort((purchases.basket, purchases.visitor, purchases.item))
    item, visitor, basket = purchases.item[order], purchases.visitor[order], purchases.basket[order]
    same = (item[1:] == item[:-1]) & (visitor[1:] == visitor[:-1])
    other = basket[1:] != basket[:-1]
    again = np.bincount(item[1:][same & other], minlength=n)
    orders = np.bincount(item[1:][~same | other], minlength=n) + np.bincount(item[:1], minlength=n)
    usual = again.sum() / max(1, orders.sum())
    share: NDArray[np.float32] = ((again + PRIOR_ORDERS * usual) / (orders + PRIOR_ORDERS)).astype(np.float32)
    return share

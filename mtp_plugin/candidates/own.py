"""A visitor's own past: products seen, products to buy again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..records import FloatArray, IntArray, Profile

DAY_S = 86_400.0
RHYTHM_DAYS = 60.0
"""Taken for a product nobody bought twice yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Bought:
    """What a visitor bought and did not return, as arrays of shape ``(n,)``.

    ``quantity`` pieces, ``orders``, ``first`` and ``last`` in seconds since 1970. ``n_orders``: of any product.
    """

    rows: IntArray
    orders: FloatArray
    quantity: FloatArray
    first: FloatArray
    last: FloatArray
    n_orders: int = 1


def bought(profile: Profile | None, index: Mapping[str, int]) -> Bought | None:
    """Read a profile's purchases, ``None`` when there are none of products that still exist."""
    if profile is None or not profile.purchases:
        return None
    known = [p for p in profile.purchases if p.quantity > 0 and p.product_id in index]
    if not known:
        return None
    return Bought(
        rows=np.array([index[p.product_id] for p in known], dtype=np.int32),
        orders=np.array([p.orders for p in known], dtype=np.float32),
        quantity=np.array([p.quantity for p in known], dtype=np.float32),
        first=np.array([p.first for p in known], dtype=np.float64),
        last=np.array([p.last for p in known], dtype=np.float64),
        n_orders=profile.orders,
    )


def due(own: Bought, rhythm: FloatArray, now: float) -> FloatArray:
    """How much it is time to buy each again, shape ``(n,)``, above 0.

    Highest when the time since the last purchase is the rhythm: the visitor's own between first and last purchase where
    there are several, drawn to the product's general one.

    :param rhythm: days between purchases of a product, per row of the catalogue, 0 unknown
    """
    usual = rhythm[own.rows].astype(np.float64)
    usual = np.where(usual > 0, usual, RHYTHM_DAYS)
    gaps = np.maximum(own.orders - 1.0, 0.0)
    days = (gaps * (own.last - own.first) / DAY_S / np.maximum(gaps, 1.0) + usual) / (np.minimum(gaps, 1.0) + 1.0)
    since = np.maximum(now - own.last, 0.0) / DAY_S
    ratio = np.log((since + 1.0) / (np.maximum(days, 1.0) + 1.0))
    worth: FloatArray = np.log1p(own.orders) * np.exp(-np.where(ratio < 0, 0.9, 0.35) * np.abs(ratio))
    return worth


def latest_first(rows: tuple[int, ...], limit: int = 64) -> tuple[IntArray, IntArray]:
    """Distinct rows, latest first, and how many steps ago each was last met."""
    seen: dict[int, int] = {}
    for step, row in enumerate(reversed(rows[-limit:])):
        seen.setdefault(row, step)
    return np.array(list(seen), dtype=np.int32), np.array(list(seen.values()), dtype=np.int64)

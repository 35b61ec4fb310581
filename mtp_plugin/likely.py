"""What a visitor is likely to buy next, for those who agreed that their own past is used."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np

from .live import Serving
from .records import ConsentLevel, Profile
from .segment.found import is_minor

log = logging.getLogger(__name__)


def may_tell(profile: Profile | None, level: ConsentLevel, min_age: int) -> bool:
    """Whether purchases may be told of somebody: with full consent, not of who says to be too young.

    :param min_age: years, 0 for any
    """
    return profile is not None and level is ConsentLevel.FULL and not is_minor(profile.traits, min_age)


def product_probabilities(
    serving: Serving, profile: Profile, product_ids: Sequence[str], now: float
) -> list[float | None]:
    """How probable it is that the visitor buys each product within 7 days; ``None`` where nothing tells.

    A model that fails is logged: the slate goes without.
    """
    index = serving.table.index
    rows = [index.get(product_id, -1) for product_id in product_ids]
    known = [row for row in rows if row >= 0]
    if not serving.propensity.known or not known:
        return [None] * len(rows)
    try:
        told = serving.propensity.of_products(profile, np.array(known, dtype=np.int64), now).tolist()
    except Exception:
        log.exception("propensity failed; the slate goes without")
        return [None] * len(rows)
    by_row = {row: value for row, value in zip(known, told, strict=True) if not math.isnan(value)}
    return [by_row.get(row) for row in rows]

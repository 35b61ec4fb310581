"""All arrays of a behaviour bundle, and the parts of them that one expert asks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..counts import Counts
from ..log import VIEW, TrainingLog
from ..membership import Membership
from .after import after_lists
from .ease import RIDGE, ease_lists
from .rankings import half_life, rankings
from .related_lists import Orders, bought_lists, viewed_lists
from .sales import sales
from .segment_rankings import PRIOR, segment_rankings
from .session_index import basket_index, last_view, revisits, session_index, user_index

Arrays = dict[str, NDArray[np.generic]]


def learn_behaviour(
    log: TrainingLog,
    *,
    now: float,
    viewing: bool = True,
    buying: bool = True,
    ridge: float = RIDGE,
    membership: Membership | None = None,
    prior: float = PRIOR,
) -> Arrays:
    """Index, item-item lists, rankings.

    :param now: moment that ageing is measured from
    :param viewing: with what is learnt from views
    :param buying: with what is learnt from orders and only about orders: those of others alike, EASE, and what
        is bought after what
    :param ridge: of EASE
    :param membership: who is in which segment, for rankings of each segment's own
    :param prior: interactions that the ranking of a segment's parent is worth
    """
    purchases, life = log.purchases(), half_life(log)
    counts = Counts.of(log, purchases, now, life)
    arrays = rankings(counts)
    if membership is not None:
        arrays |= segment_rankings(log, membership, now=now, half_life=life, prior=prior)
    # Equations first: while they are solved nothing else is needed, and they take most memory for a while.
    orders = Orders.of(purchases, now, 8 * life)
    if buying and len(purchases):
        arrays |= ease_lists(orders, ridge) | after_lists(purchases, orders, now, 8 * life)
        arrays |= basket_index(purchases) | user_index(purchases) | sales(purchases, now)
    arrays |= bought_lists(orders)
    del purchases, orders
    return arrays | _viewed(log) if viewing else arrays


def _viewed(log: TrainingLog) -> Arrays:
    """What is learnt from views; nothing without any."""
    seen = log.action == VIEW
    if not seen.any():
        return {}
    item, session, n = log.item[seen], log.session[seen], len(log.items)
    del seen
    arrays = session_index(item, last_view(log), session, n) | revisits(item, session, n)
    starts = np.append(True, session[1:] != session[:-1])
    del session
    return arrays | viewed_lists(item, starts, n)

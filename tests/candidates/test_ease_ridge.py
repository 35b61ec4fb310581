"""The ridge of EASE is learnt from a shop's own baskets."""

from __future__ import annotations

import numpy as np

from mtp_plugin.candidates.learn.ease import RIDGE
from mtp_plugin.candidates.learn.ease_ridge import ease_ridge
from mtp_plugin.candidates.learn.related_lists import Orders
from mtp_plugin.candidates.log import TrainingLog

DAY_S = 86_400.0


def shop(n_orders: int, fillers: int) -> tuple[Orders, TrainingLog]:
    """Orders of a pair that mostly belongs together and four of the *fillers*; the last third is held out."""
    random, rows = np.random.default_rng(7), []
    chance = np.arange(fillers, 0, -1) / np.arange(fillers, 0, -1).sum()
    for order in range(n_orders):
        first = int(random.integers(60))
        items = {first, first + 60 if random.random() < 0.8 else int(random.integers(60, 120))}
        items |= {120 + int(one) for one in random.choice(fillers, 4, replace=False, p=chance)}
        rows += [(f"c{order}", f"p{item}", float(order), f"o{order}") for item in items]
    log = TrainingLog.from_orders(rows)
    cut = n_orders * 2 / 3
    return Orders.of(log.take(log.time < cut), cut, 8 * 30 * DAY_S), log.take(log.time >= cut)


def test_few_orders_with_clear_pairs_take_a_weaker_ridge_than_the_default() -> None:
    """Each pair was bought some six times: a ridge of 20 orders drowns that."""
    orders, held_out = shop(630, 12)
    assert ease_ridge(orders, held_out, seed=0) < RIDGE


def test_many_products_that_go_with_none_take_a_stronger_one() -> None:
    orders, held_out = shop(3_000, 100)
    assert ease_ridge(orders, held_out, seed=0) > RIDGE


def test_too_little_to_learn_from_leaves_the_default() -> None:
    orders, held_out = shop(500, 30)
    assert ease_ridge(orders, held_out, seed=0) == RIDGE

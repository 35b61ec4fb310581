"""What is bought after what."""

from __future__ import annotations

import numpy as np
import pytest

from mtp_plugin.candidates import basket_expert, plain
from mtp_plugin.candidates.basket_details import PAST_HALF_LIFE_DAYS, return_details
from mtp_plugin.candidates.detail_kernels import led_to
from mtp_plugin.candidates.learn.after import RIDGE, Steps, after_lists, weights_of
from mtp_plugin.candidates.learn.related_lists import Orders
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.own import DAY_S, Bought
from mtp_plugin.candidates.recommender import Recommender

from .shop import bundle, event, learnt, table

HALF_LIFE = 100 * DAY_S


def log_of(orders: list[tuple[str, float, str]]) -> TrainingLog:
    """Orders of a customer on a day, a product a letter."""
    return TrainingLog.from_orders(
        [(who, one, day * DAY_S, f"{who}{day}") for who, day, products in orders for one in products]
    )


def lists(log: TrainingLog) -> dict[str, dict[str, float]]:
    """What each product leads to, and how far."""
    found = after_lists(log, Orders.of(log, log.end, HALF_LIFE), log.end, HALF_LIFE)
    parts = (np.split(found[f"after_{name}"], found["after_indptr"][1:-1]) for name in ("indices", "values"))
    pairs = ((near.tolist(), said.tolist()) for near, said in zip(*parts, strict=True))
    return {
        item: {log.items[one]: value for one, value in zip(*pair, strict=True)}
        for item, pair in zip(log.items, pairs, strict=True)
    }


def test_a_step_is_the_latest_past_and_the_order_that_followed() -> None:
    log = log_of([("u", 0, "ab"), ("u", 50, "bb"), ("u", 200, "cb"), ("v", 200, "a")])
    steps = Steps.of(log, 250 * DAY_S, HALF_LIFE)
    a, b, c = (log.items.index(one) for one in "abc")
    assert steps.order.toarray()[:, [a, b, c]].tolist() == [[0, 1, 0], [0, 1, 1]]
    first, second = steps.past.toarray()[:, [a, b, c]].tolist()
    assert first == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0])
    faded = [2 ** (-days / PAST_HALF_LIFE_DAYS) for days in (200, 150)]
    wanted = np.array([faded[0], sum(faded), 0])
    assert second == pytest.approx((wanted / np.linalg.norm(wanted)).tolist())
    assert steps.weight.tolist() == pytest.approx([0.25, 2**-0.5])


def test_weights_are_the_least_squares_with_a_ridge() -> None:
    random = np.random.default_rng(3)
    days = [(f"u{who}", day, "".join(random.choice(list("abcdefgh"), 3))) for who in range(60) for day in (0, 9, 30)]
    log = log_of(days)
    steps = Steps.of(log, log.end, HALF_LIFE)
    past, order = steps.past.toarray(), steps.order.toarray()
    found = weights_of(steps, np.arange(8))
    slope = past.T @ (steps.weight[:, None] * (past @ found - order)) + RIDGE * found
    assert np.abs(found).max() > 0.05
    assert np.abs(slope).max() < 1e-3


def test_what_follows_is_told_from_what_lies_together() -> None:
    """Whoever bought a lamp with a shade buys bulbs next, never a lamp after bulbs."""
    log = log_of([(f"u{who}", 30 * turn, what) for who in range(80) for turn, what in enumerate(("ls", "b"))])
    found = lists(log)
    assert found["l"]["b"] > 0.3
    assert found["s"]["b"] > 0.3
    assert "l" not in found["b"]
    assert "s" not in found["l"]


def test_of_single_orders_nothing_is_learnt() -> None:
    assert not any(lists(log_of([(f"u{who}", 0, "ab") for who in range(9)])).values())


def test_a_later_order_teaches_nothing_of_an_earlier_moment() -> None:
    """Only the step into an order is learnt from it: none where it is a customer's last."""
    log = log_of([("u", 0, "a"), ("u", 1, "b")])
    steps = Steps.of(log, log.end, HALF_LIFE)
    assert steps.past.toarray()[:, log.items.index("b")].tolist() == [0]


def test_the_whole_past_leads_to_a_candidate() -> None:
    """As the lists say of each product of the past, the more the more often and the later it was bought."""
    days = ((0, ("p000", "p001")), (30, ("p002",)))
    found = [event("Order Completed", f"u:{who}", day * DAY_S, *ids) for who in range(40) for day, ids in days]
    sources = Recommender(table(), bundle("behaviour", learnt(found))).sources
    now, rows = 60 * DAY_S, np.array([0, 1], dtype=np.int32)
    last, orders = np.array([0.0, 30 * DAY_S]), np.array([1.0, 3.0])
    scratch = sources.scratch()
    own = Bought(rows, orders, orders, np.zeros(2), last, 3)
    basket_expert.gather_return(sources, scratch, own, now)
    places = np.arange(scratch.count)
    said = return_details(sources, scratch, own, now, places, np.zeros(scratch.count, dtype=np.float32))[:, -1]
    weights = orders * np.exp2((last - now) / DAY_S / PAST_HALF_LIFE_DAYS)
    weights /= np.linalg.norm(weights)
    indptr, indices, values, from_row, to_row = sources.lists("after")
    near = [slice(indptr[code], indptr[code + 1]) for code in from_row[rows]]
    wanted = [
        sum(
            weight * values[part][to_row[indices[part]] == row].sum()
            for weight, part in zip(weights, near, strict=True)
        )
        for row in scratch.rows[places]
    ]
    assert said.tolist() == pytest.approx(wanted, abs=1e-5)
    assert scratch.rows[places][np.argmax(said)] == 2
    assert said.max() > 0.3


def test_with_and_without_compiled_loops_the_same_is_added_up() -> None:
    random = np.random.default_rng(0)
    n, epoch = 30, 2
    sizes = random.integers(0, 9, n)
    indptr = np.append(0, np.cumsum(sizes))
    indices = random.integers(0, n, indptr[-1]).astype(np.int32)
    values = random.normal(size=indptr[-1]).astype(np.float32)
    from_row = np.where(random.random(n) < 0.9, np.arange(n), -1).astype(np.int32)
    to_row = from_row.copy()
    mark = random.integers(1, 3, n).astype(np.int32)
    slot = (np.cumsum(mark == epoch) - 1).astype(np.int32)
    count = int((mark == epoch).sum())
    at = np.where(np.arange(count) % 2 == 0, np.arange(count) // 2, -1).astype(np.int32)
    anchors, weights = np.arange(n, dtype=np.int32), random.normal(size=n).astype(np.float32)
    call = (indptr, indices, values, from_row, to_row, anchors, weights, epoch, mark, slot, at, -(-count // 2))
    said = led_to(*call)
    assert np.abs(said).max() > 0.5
    assert said == pytest.approx(plain.led_to(*call), abs=1e-5)

"""Labels: what was known then, and what came of it; rewards by metric."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.feedback.labels import Label, labels
from mtp_plugin.feedback.reward import METRICS, contribution, is_final, reward, rewards_by_product
from mtp_plugin.records import ConsentLevel, Outcome, Rung, Slate, SlateEntry, SlateItem, SlateRequest
from mtp_plugin.store.memory import MemoryOutcomes, MemorySlates

WINDOW = 1000.0


def outcome(kind: str, slate: str = "r1", product: str = "a", at: float = 50.0, **more: Any) -> Outcome:
    given: dict[str, Any] = {"profile_id": "a:1", "quantity": 1.0, "value": 0.0, "margin": 0.0, **more}
    key = f"{kind}{slate}{product}{at}{given}".encode()
    return Outcome(outcome_id=key, kind=kind, recommendation_id=slate, at=at, product_id=product, **given)


def entry(name: str, at: float, *owners: str) -> SlateEntry:
    items = tuple(
        SlateItem(product_id=p, position=place, score=1.0 / place, reason_codes=(), origins=("x",), propensity=0.5)
        for place, p in enumerate("ab", 1)
    )
    slate = Slate(
        recommendation_id=name,
        placement="hero",
        strategy="s",
        items=items,
        consent_level=ConsentLevel.FULL,
        created_at=at,
    )
    rung = Rung(
        strategy="s",
        product_ids=("b", "a", "c"),
        scores=(3.0, 2.0, 1.0),
        origins=(1, 2, 3),
        anchors=("", "", ""),
        sources=("x", "y"),
    )
    return SlateEntry(slate=slate, request=SlateRequest(placement="hero", now=at, profile_ids=owners), rungs=(rung,))


def rows(*outcomes: Outcome, now: float = 1e6, **options: Any) -> list[Label]:
    log, store = MemorySlates(), MemoryOutcomes()
    for one in (entry("r1", 10.0, "u:1", "a:1"), entry("r2", 500.0), entry("r3", 900.0, "a:3")):
        log.append(one)
    store.record(outcomes)
    between = log.between(0.0, 1e9, batch=2)
    return list(labels(between, store.of_slates, now=now, window=WINDOW, delay=100.0, **options))


def short(found: list[Label]) -> list[tuple[Any, ...]]:
    return [(r.entry.slate.recommendation_id, r.profile_id, r.product_id, r.seen, r.value) for r in found]


def test_each_product_shown_is_a_row() -> None:
    found = rows(outcome("seen", product=""), outcome("click", product="b"))
    assert short(found)[:2] == [("r1", "u:1", "a", True, 0.0), ("r1", "u:1", "b", True, 1.0)]
    assert [row.seen for row in found] == [True, True, False, False, False, False]
    first = found[0]
    assert (first.position, first.propensity, first.strategy, first.rank, first.origins) == (1, 0.5, "s", 1, ("x",))
    assert [row.positive for row in found[:2]] == [False, True]


def test_visitors_of_a_shared_slate_are_rows_of_their_own() -> None:
    shared = [outcome("seen", "r2", "", profile_id="a:7"), outcome("click", "r2", "b", profile_id="a:8")]
    found = [row for row in short(rows(*shared)) if row[0] == "r2"]
    assert found == [
        ("r2", "a:7", "a", True, 0.0),
        ("r2", "a:7", "b", True, 0.0),
        ("r2", "a:8", "a", True, 0.0),
        ("r2", "a:8", "b", True, 1.0),
    ]


def test_candidates_that_were_not_shown_are_rows_if_asked_for() -> None:
    third = rows(unshown=True)[2]
    assert (third.product_id, third.position, third.propensity, third.rank, third.origins) == (
        "c",
        0,
        0.0,
        2,
        ("x", "y"),
    )


def test_slates_whose_window_is_open_are_left_out() -> None:
    assert {row.entry.slate.recommendation_id for row in rows(now=10.0 + WINDOW + 100)} == {"r1"}
    assert rows(now=10.0 + WINDOW + 99) == []


def test_what_came_after_the_window_is_no_label() -> None:
    late = outcome("click", product="a", at=10.0 + WINDOW + 1)
    assert not any(row.positive or row.seen for row in rows(late))


def test_nothing_that_came_later_changes_a_feature() -> None:
    """But for seen, value and whose it is, a row is the slate's own."""

    def features(found: list[Label]) -> list[tuple[Any, ...]]:
        return [(r.product_id, r.position, r.propensity, r.strategy, r.rank, r.score, r.origins) for r in found]

    assert features(rows()) == features(rows(outcome("click"), outcome("purchase", value=9.0)))


def test_rewards_by_metric() -> None:
    came = [
        outcome("seen", product=""),
        outcome("click"),
        outcome("cart", quantity=3.0, value=30.0),
        outcome("purchase", quantity=2.0, value=20.0, margin=8.0),
        outcome("refund", quantity=-1.0, value=-10.0, margin=-4.0),
        outcome("click", product="b"),
    ]
    assert [reward(came, metric) for metric in METRICS] == [2.0, 1.0, 1.0, 10.0, 4.0]
    assert rewards_by_product(came, "click") == {"a": 1.0, "b": 1.0}
    with pytest.raises(ValueError, match="metric"):
        contribution(came[0], "joy")  # type: ignore[arg-type]


def test_a_reward_is_final_when_window_and_delay_are_over() -> None:
    assert not is_final(10.0, 109.9, 80.0, 20.0)
    assert is_final(10.0, 110.0, 80.0, 20.0)


amounts = st.floats(0.5, 100.0)


@given(st.lists(st.tuples(st.sampled_from(["click", "cart", "purchase"]), amounts), max_size=10))
def test_a_correction_takes_back_exactly_what_was_given(given: list[tuple[str, float]]) -> None:
    came = [outcome(kind, at=float(n), quantity=v, value=v, margin=v / 2) for n, (kind, v) in enumerate(given)]
    back = [outcome(o.kind, at=o.at, quantity=-o.quantity, value=-o.value, margin=-o.margin) for o in came]
    assert all(reward([*came, *back], metric) == 0.0 for metric in METRICS)

"""Loops of popularity are seen: figures by day, what they say, and where it is told."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.feedback.loop import LoopDay, gini, loop_day, troubles
from mtp_plugin.records import ConsentLevel, Outcome, Slate, SlateEntry, SlateItem, SlateRequest
from mtp_plugin.state import State
from mtp_plugin.watching import DAY, loop_days
from mtp_plugin.web.figures import LOOP, StoreFigures

from ..core.shops import mounted, watches

counts = st.lists(st.integers(0, 50), min_size=2, max_size=30)


@given(counts)
def test_gini_is_half_the_relative_mean_difference(given: list[int]) -> None:
    """The definition: the mean absolute difference of all pairs, by twice the mean."""
    values = np.array(given, dtype=float)
    pairs = np.abs(values[:, None] - values[None, :]).mean()
    expected = pairs / (2 * values.mean()) if values.sum() else 0.0
    assert gini(values) == pytest.approx(expected, abs=1e-9)


@given(counts, st.integers(2, 9))
def test_gini_does_not_depend_on_how_much_is_shown(given: list[int], times: int) -> None:
    values = np.array(given, dtype=float)
    assert gini(values * times) == pytest.approx(gini(values), abs=1e-9)
    assert 0.0 <= gini(values) < 1.0


def test_the_figures_of_a_day() -> None:
    found = loop_day("d", [["a", "b"], ["a", "c"], ["a", "gone"]], ["a", "b", "c", "d"], {"c", "d"}, {"a"})
    assert (found.slates, found.shown, found.coverage) == (3, 6, 0.75)
    assert (found.new, found.new_products, found.popular) == (round(1 / 6, 4), 0.5, 0.5)
    assert found.gini == round(gini(np.array([3.0, 1.0, 1.0, 0.0])), 4)
    empty = loop_day("d", [], [], set(), set())
    assert (empty.gini, empty.coverage, empty.new) == (0.0, 0.0, 0.0)


def day(slates: int = 500, **values: float) -> LoopDay:
    usual = {"gini": 0.5, "coverage": 0.6, "new": 0.05, "new_products": 0.05, "popular": 0.3}
    return LoopDay(day="2026-01-02", slates=slates, shown=6 * slates, **usual | values)


@pytest.mark.parametrize(
    ("last", "word"),
    [
        ({}, ""),
        ({"gini": 0.59}, ""),
        ({"gini": 0.62}, "Gini"),
        ({"coverage": 0.41}, ""),
        ({"coverage": 0.39}, "cover"),
        ({"new": 0.011}, ""),
        ({"new": 0.009}, "exploration"),
        ({"gini": 0.9, "coverage": 0.1, "new": 0.0, "slates": 100}, ""),
    ],
)
def test_what_tells_of_a_loop(last: dict[str, float], word: str) -> None:
    found = troubles([day(), day(), day(**last)])  # type: ignore[arg-type]
    assert len(found) == bool(word)
    assert word in "".join(found)


def shown(state: State, number: int, at: float, products: list[str]) -> None:
    items = tuple(
        SlateItem(product_id=name, position=place, score=1.0, reason_codes=()) for place, name in enumerate(products, 1)
    )
    slate = Slate(
        recommendation_id=f"{number:032x}",
        placement="home-hero",
        strategy="best-sellers",
        items=items,
        consent_level=ConsentLevel.NON_PERSONAL,
        created_at=at,
    )
    state.slates.append(SlateEntry(slate=slate, request=SlateRequest(placement="home-hero", now=at)))


def test_the_command_and_the_doctor_tell(tmp_path: Path) -> None:
    """The day before yesterday slates were varied, yesterday they showed the same two products."""
    app, state = mounted(tmp_path, watches(), MTP_NEW_DAYS=3650)
    now = time.time()
    today = now // 86400 * 86400
    for number in range(250):
        shown(state, number, today - 2 * 86400 + 300.0 * number, [f"p{(number + step) % 30:02d}" for step in range(3)])
        shown(state, 1000 + number, today - 86400 + 300.0 * number, ["p01", "p02"])
    state.slates.flush(60)
    before, last, _ = loop_days(state, 3, now)
    assert (before.slates, before.coverage, last.slates) == (250, 1.0, 250)
    assert before.gini < 0.1 < 0.9 < last.gini
    assert last.coverage == round(2 / 30, 4)
    assert before.new == before.new_products == 1.0, "all came within the ten years"
    assert before.popular < 0.2
    state.outcomes.record(
        [
            Outcome(outcome_id=bytes([n]), kind=kind, recommendation_id="r", profile_id="a:1", at=time.time() - 1.0,
                    quantity=quantity, value=value)
            for n, (kind, quantity, value) in enumerate(
                [("click", 1.0, 0.0), ("purchase", 2.0, 40.0), ("purchase", -2.0, -40.0), ("purchase", 1.0, 5.0),
                 ("refund", -1.0, -5.0)]
            )
        ]
    )  # fmt: skip
    answer = json.loads(app.test_cli_runner().invoke(args=["mtp", "feedback", "--days", "3", "--json"]).stdout)
    assert answer["outcomes"] == {"counts": {"click": 1, "purchase": 1, "refund": 1}, "revenue": 0.0, "margin": 0.0}
    assert len(answer["days"]) == 3
    assert any("Gini" in text for text in answer["warnings"])
    assert "gini" in app.test_cli_runner().invoke(args=["mtp", "feedback"]).output
    told = app.test_cli_runner().invoke(args=["mtp", "doctor"]).output
    assert "slates show ever fewer products" in told
    state.close()


def test_prometheus_is_told_of_yesterday_and_its_slates_are_read_once(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, watches(), MTP_NEW_DAYS=3650)
    today = time.time() // DAY * DAY

    def told(figures: StoreFigures) -> dict[str, float]:
        families = {family.name: family.samples for family in figures.collect()}
        (slates,) = families["mtp_loop_slates"]
        return {"slates": slates.value} | {one.labels["figure"]: one.value for one in families["mtp_loop"]}

    before = told(figures := StoreFigures("shop", state))
    assert before.pop("slates") == 0
    assert all(math.isnan(value) for value in before.values())
    for number in range(20):
        shown(state, number, today - DAY + 300.0 * number, ["p01", "p02"])
    state.slates.flush(60)
    assert told(figures)["slates"] == 0, "yesterday was read already"
    after = told(StoreFigures("shop", state))
    (yesterday, _) = loop_days(state, 2)
    assert after == {name: getattr(yesterday, name) for name in ("slates", *LOOP)}
    assert (after["slates"], after["coverage"], after["new"]) == (20, round(2 / 30, 4), 1.0)
    state.close()

"""Experiments in the console: list, figures, parts, days, stopping; and without any, what to do about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.experiments import VIEWED
from mtp_plugin.feedback.orders import PURCHASED
from mtp_plugin.records import EventProduct
from mtp_plugin.track.imported import imported_event

from .conftest import Desk, open_desk

OFFER = {
    "title": "Off the basket",
    "variations": [{"name": "none"}, {"name": "five", "variables": {"percent": 5}}],
    "goal": "conversion",
    "note": "Made up.",
}
DAY = 86400.0


@pytest.fixture(scope="module")
def testing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = open_desk(Path(tmp_path_factory.mktemp("experiments")), experiments={"offer": OFFER, "empty": OFFER})
    state, now, events = desk.shop.state, time.time(), list[Any]()
    row = state.experiments.rows["offer"]
    for number in range(1200):
        variation, at = row.of(f"a:v{number}"), now - (1 + number % 5) * DAY

        def told(name: str, at: float, number: int = number, **more: Any) -> Any:
            return imported_event(
                name, key=f"{name}{number}", timestamp=at, anonymous_id=f"v{number}", user_id="", **more
            )

        properties = {"experiment_id": "offer", "variation_id": str(variation)}
        events.append(told(VIEWED, at, properties=properties, context={"device": ("phone", "desktop")[number % 2]}))
        if number * 7919 % 1000 < (100, 400)[variation]:
            line = (EventProduct(product_id="p001", quantity=1.0, price=20.0),)
            events.append(told(PURCHASED, at + 60, products=line, properties={"order_id": str(number)}))
    state.pipeline.ingest(events)
    yield desk
    state.close()


def test_without_experiments_it_says_how_to_get_some(steady: Desk) -> None:
    page = steady.be("viewer").get("/experiments/").text
    assert "No experiments yet" in page
    assert "MTP_EXPERIMENTS" in page


def test_the_list_has_a_verdict_for_each(testing: Desk) -> None:
    page = testing.be("viewer").get("/experiments/").text
    assert "Ship it" in page
    assert "five is better by conversion" in page
    assert "too early to say anything" in page


def test_one_tells_effects_days_parts_and_variables(testing: Desk) -> None:
    page = testing.be("viewer").get("/experiments/offer?part=device").text
    for words in (
        "Visitors who order",
        "decides",
        "Made up.",
        "As a table",
        "phone",
        "desktop",
        "<code>percent</code> 5",
    ):
        assert words in page, words
    assert "<polygon" in page
    assert "Stop<span" not in page
    empty = testing.get("/experiments/empty").text
    assert "Too few to tell apart" in empty


def test_figures_as_csv(testing: Desk) -> None:
    answer = testing.be("viewer").get("/experiments/offer?format=csv")
    assert answer.mimetype == "text/csv"
    lines = answer.text.strip().splitlines()
    assert lines[0].startswith("metric,variation,control,value,lift,low,high")
    assert len(lines) == 1 + 6


def test_a_merchandiser_stops_a_variation_and_it_is_audited(testing: Desk) -> None:
    assert testing.be("viewer").post("/experiments/offer/stop", variation="five").status_code == 403
    testing.be("merchandiser")
    assert testing.post("/experiments/offer/stop", variation="none").status_code == 400
    assert testing.post("/experiments/offer/stop", variation="five").status_code in (302, 303)
    assert "Show all variations again" in testing.get("/experiments/offer").text
    assert testing.post("/experiments/offer/resume").status_code in (302, 303)
    assert "Show all variations again" not in testing.get("/experiments/offer").text
    actions = [entry.action for entry in testing.shop.state.audit.entries()]
    assert {"experiment.stopped", "experiment.resumed"} <= set(actions)
    assert testing.get("/experiments/nobody").status_code == 404


def test_the_search_finds_them(testing: Desk) -> None:
    assert "Off the basket" in testing.be("viewer").get("/search/?q=basket").text

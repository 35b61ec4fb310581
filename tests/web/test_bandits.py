"""A bandit on a real page: what a browser is shown, sees and clicks is what the policy learns from."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mtp_plugin.attributing import attribute_new
from mtp_plugin.jobs import Jobs
from mtp_plugin.rewarding import PATIENCE, Rewarder
from mtp_plugin.scheduled import standard_jobs
from mtp_plugin.web.doctor import examine

from ..feedback.test_job import see, track
from .shop import Shop, build_shop

BANDITS = {
    "words": {"placement": "home-hero", "about": "creative", "arms": ["One way to say it", "Another way"]},
    "place": {"placement": "home-hero", "about": "product", "arms": 3, "position": 2},
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return build_shop(tmp_path, currency="EUR", bandits=BANDITS)


def later(shop: Shop) -> dict[str, int]:
    """What the policies learn once everything has come in and all windows have closed."""
    state = shop.state
    state.slates.flush()
    attribute_new(state, time.time() + 60)
    rewarder = Rewarder(state.bandits.rows, state.outcomes, state.slates, state.bandit_state, state.cursors)
    return rewarder.run(time.time() + 1800 + PATIENCE + 60)


def test_what_is_seen_and_clicked_is_learnt_from(shop: Shop) -> None:
    browser = shop.browser()
    browser.agree()
    earned, shown = {}, set()
    for _ in range(24):
        answer = browser.get("/mtp/v1/recommendations?placement=home-hero").get_json()
        slate, products = answer["recommendation_id"], [item["product_id"] for item in answer["items"]]
        assert answer["items"][1]["propensity"] < 1
        see(browser, slate, products)
        shown.add(answer["title"])
        if answer["title"] == "Another way":
            track(browser, "Product Clicked", slate, product_id=products[1], position=2)
            earned[products[1]] = earned.get(products[1], 0) + 1
    assert shown == {"One way to say it", "Another way"}
    assert later(shop) == {"words": 24, "place": 24}
    learnt = shop.state.bandits.refresh()
    words = learnt["words"].of(("One way to say it", "Another way"), "").counts
    assert words.rewards.tolist() == [0, sum(earned.values())]
    assert words.tries.sum() == 24
    place = learnt["place"].of(tuple(earned), "").counts
    assert place.rewards.tolist() == list(earned.values())
    assert later(shop) == {"words": 0, "place": 0}


def test_the_words_stand_over_the_block(shop: Shop) -> None:
    browser = shop.browser()
    browser.agree()
    pages = [browser.get("/").text for _ in range(8)]
    assert all("One way to say it" in page or "Another way" in page for page in pages)
    metrics = shop.app.extensions["mtp_web"].metrics.text().decode()
    assert 'mtp_bandit_choices_total{about="product",app="shop",arm="",policy="place"} 8.0' in metrics


def test_who_did_not_agree_is_not_learnt_from(shop: Shop) -> None:
    browser = shop.browser()
    titles = {browser.get("/mtp/v1/recommendations?placement=home-hero").get_json()["title"] for _ in range(10)}
    assert len(titles) == 1, "one is the best so far, for all"
    assert later(shop) == {"words": 0, "place": 0}


def test_an_explanation_has_the_choices(shop: Shop) -> None:
    browser = shop.browser()
    browser.agree()
    answer = browser.get("/mtp/v1/recommendations?placement=home-hero&explain=true").get_json()
    assert [choice["policy"] for choice in answer["choices"]] == ["words", "place"]
    assert answer["choices"][1]["arm"] == answer["items"][1]["product_id"]
    assert "choices" not in browser.get("/mtp/v1/recommendations?placement=home-hero").get_json()


def test_the_doctor_says_when_nothing_can_be_learnt(shop: Shop) -> None:
    def found() -> list[str]:
        with shop.app.app_context():
            return [finding.says for finding in examine(shop.app, shop.state) if finding.subject == "bandits"]

    assert "feedback and bandits" in found()[0]
    jobs = Jobs(standard_jobs(shop.state), shop.state.leases, time.time)
    jobs.run("feedback")
    jobs.run("bandits")
    assert found() == []

"""Bandits in the console: verdict, arms, days, forgetting; and without any, what to do about it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtp_plugin.bandit.learnt import day_of
from mtp_plugin.ports import BanditSum
from mtp_plugin.records import Choice, ConsentLevel, Outcome, Slate, SlateEntry, SlateRequest

from .conftest import Desk, open_desk

BANDITS = {
    "hero": {"placement": "home-hero", "about": "strategy", "arms": ["trending-items", "best-sellers"]},
    "slot": {"placement": "home-hero", "about": "product", "arms": 3},
}


@pytest.fixture
def learning(tmp_path: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path, bandits=BANDITS)
    today = day_of(time.time())
    desk.shop.state.bandit_state.add(
        [
            BanditSum("hero", "", arm, today - age, cell, (n, s)[cell])
            for arm, n, s in (("trending-items", 400.0, 80.0), ("best-sellers", 100.0, 5.0))
            for age in (0, 1)
            for cell in (0, 1)
        ]
        + [BanditSum("slot", "", "p007", today, 0, 3.0)]
    )
    yield desk
    desk.shop.state.close()


def test_without_policies_it_says_how_to_get_some(steady: Desk) -> None:
    page = steady.be("viewer").get("/bandits/").text
    assert "No policies yet" in page
    assert "MTP_BANDITS" in page


def test_the_list_says_who_is_ahead(learning: Desk) -> None:
    page = learning.be("viewer").get("/bandits/").text
    assert "trending-items is ahead of all others." in page
    assert "Nothing to compare yet" in page


def test_arms_come_best_first_with_their_intervals(learning: Desk) -> None:
    page = learning.be("viewer").get("/bandits/hero").text
    assert page.index("trending-items</th>") < page.index("best-sellers</th>")
    assert re.search(r"trending-items</th>.*?20.00 %.*?17.\d\d % – 22.\d\d %.*?788.0", page, re.S)
    assert (
        len(re.findall(r"<td class=\"num\">80 %</td><td class=\"num\">20 %</td><td class=\"num\">500</td>", page)) == 2
    )
    assert "Forget what" not in page, "a viewer only looks"
    table = learning.get("/bandits/hero?format=csv")
    assert table.text.splitlines()[0] == "arm,impressions,rewards,mean,low,high,propensity"
    assert table.text.splitlines()[1].startswith("trending-items,788.0,157.6,")


def test_a_slot_of_candidates_has_those_that_were_seen(learning: Desk) -> None:
    page = learning.be("viewer").get("/bandits/slot").text
    assert "p007</th>" in page
    assert "first 3 candidates" in page


def test_forgetting_takes_an_administrator_and_is_noted(learning: Desk) -> None:
    assert learning.be("merchandiser").post("/bandits/hero/reset").status_code == 403
    assert learning.be(("administrator", "Ada")).post("/bandits/hero/reset").status_code == 303
    assert "has forgotten" in learning.get("/bandits/hero").text
    assert learning.shop.state.bandit_state.sums("hero") == []
    assert len(learning.shop.state.bandit_state.sums("slot")) == 1
    (entry,) = learning.shop.state.audit.latest(1, action="bandit.")
    assert (entry.action, entry.subject, entry.actor) == ("bandit.reset", "bandit:hero", "admin:Ada")


def test_search_finds_policies(learning: Desk) -> None:
    assert "/bandits/slot" in learning.be("viewer").get("/search?q=slot").text


def test_what_is_no_policy_is_not_found(learning: Desk) -> None:
    assert learning.get("/bandits/none").status_code == 404


def test_what_each_arm_would_have_earned(learning: Desk) -> None:
    """1,000 slates seen, half of them of each arm; every fifth of one and every fiftieth of the other was clicked."""
    state, now = learning.shop.state, time.time()
    assert "Nothing to tell from yet" in learning.be("viewer").get("/bandits/hero/judge").text
    outcomes = []
    for number in range(1000):
        arm, every = (("trending-items", 5), ("best-sellers", 50))[number % 2]
        name, at = f"judged-{number}", now - 50_000 + number
        choice = Choice(policy="hero", about="strategy", arm=arm, propensity=0.5)
        slate = Slate(
            recommendation_id=name, placement="home-hero", strategy=arm, items=(), created_at=at,
            consent_level=ConsentLevel.FULL, choices=(choice,),
        )  # fmt: skip
        state.slates.append(SlateEntry(slate=slate, request=SlateRequest(placement="home-hero", now=at)))
        for kind in ("seen", "click")[: 2 if number // 2 % every == 0 else 1]:
            outcomes.append(
                Outcome(
                    outcome_id=f"{kind}{number}".encode(), kind=kind, recommendation_id=name, profile_id=f"a:{number}",
                    at=at + 1, quantity=1.0,
                )
            )  # fmt: skip
    state.outcomes.record(outcomes)
    page = learning.get("/bandits/hero/judge").text
    assert re.search(r"trending-items</th>.*?<strong>Better</strong>.*?(?:0\.19|0\.20)\d\d</td>", page, re.S)
    assert re.search(r"best-sellers</th>.*?<strong>Worse</strong>.*?0\.0(?:1|2)\d\d</td>", page, re.S)
    table = learning.get("/bandits/hero/judge?format=csv").text
    assert [line.split(",")[0] for line in table.splitlines()[1:]] == [
        "trending-items",
        "best-sellers",
        "each as likely",
    ]
    words = ["mtp", "bandits", "judge", "hero", "--always", "trending-items", "--json"]
    said = json.loads(learning.shop.app.test_cli_runner().invoke(args=words).stdout)
    assert said["verdict"]["word"] == "better"
    assert said["units"] == 1000

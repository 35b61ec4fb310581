"""Figures in the console: tiles, trend, groups, funnel, places, CSV of each; nothing of small groups; nothing yet."""

from __future__ import annotations

import csv
import io
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.kpis import counted_at, roll_up
from mtp_plugin.records import ConsentLevel, Context, Outcome, SegmentRef, Slate, SlateEntry, SlateItem, SlateRequest
from mtp_plugin.scheduled import standard_jobs
from mtp_plugin.track.identifiers import time_ordered_id

from .conftest import Desk, open_desk

DAY = 86_400.0


def slate(at: float, number: int, dice: random.Random) -> SlateEntry:
    segment = ("many", "few")[number % 40 == 0]
    who = f"a:{number % 60}" if segment == "many" else "a:1000"
    made = Slate(
        recommendation_id=time_ordered_id(at),
        placement=("home-hero", "home-trending", "=cmd()")[number % 3],
        strategy="best-sellers",
        items=tuple(
            SlateItem(product_id=f"p{place:03}", position=place, score=1.0, reason_codes=(), origins=(), propensity=1.0)
            for place in range(1, 7)
        ),
        consent_level=ConsentLevel.FULL,
        segment=SegmentRef(segment, segment, 1.0),
        created_at=at,
        took_us=dice.randrange(200, 30_000),
    )
    context = Context(device=("mobile", "desktop")[number % 2])
    return SlateEntry(
        slate=made, request=SlateRequest(placement=made.placement, now=at, profile_ids=(who,), context=context)
    )


def outcome(entry: SlateEntry, kind: str, number: int, position: int) -> Outcome:
    value = 40.0 if kind == "purchase" else 0.0
    return Outcome(
        outcome_id=f"{kind:8.8}{number:08d}".encode(),
        kind=kind,
        recommendation_id=entry.slate.recommendation_id,
        profile_id=entry.request.profile_ids[0],
        at=entry.slate.created_at + 60,
        product_id=f"p{position:03}" if kind != "seen" else "",
        position=position if kind != "seen" else 0,
        quantity=1.0,
        value=value,
        margin=value / 4,
        order_id=f"o{number}" if value else "",
    )


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = open_desk(Path(tmp_path_factory.mktemp("figures")), currency="EUR")
    state, now, dice = desk.shop.state, time.time(), random.Random(5)
    for number in range(600):
        entry = slate(now - (number % 20) * DAY - 120, number, dice)
        state.slates.append(entry)
        for kind, share in (("seen", 0.9), ("click", 0.3), ("cart", 0.15), ("purchase", 0.08)):
            if dice.random() > share:
                break
            state.outcomes.record([outcome(entry, kind, number, dice.randrange(1, 7))])
    state.slates.flush()
    roll_up(state, now)
    yield desk
    state.close()


def rows(desk: Desk, query: str) -> list[dict[str, Any]]:
    answer = desk.get(f"/figures/?{query}&format=csv")
    assert answer.content_type.startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_page_says_what_blocks_earn(figures: Desk) -> None:
    page = figures.be("viewer").get("/figures/").text
    for text in (
        "Revenue",
        "Clicks a block seen",
        "From visit to order",
        "Clicks by place in the block",
        "day by day",
    ):
        assert text in page
    assert "fewer than 20 visitors: not told" in page
    assert "€" in page
    assert "polyline" in page


@pytest.mark.parametrize("by", ["segment_id", "placement", "strategy", "device", "consent_level", "experiment"])
def test_every_dimension_measure_and_period_has_a_page(figures: Desk, by: str) -> None:
    figures.be("viewer")
    for measure in ("ctr", "aov", "p95_ms", "slates"):
        assert figures.get(f"/figures/?by={by}&measure={measure}&days=7").status_code == 200
    assert figures.get(f"/figures/?by={by}&days=365&placement=home-hero").status_code == 200
    assert figures.get(f"/figures/?by={by}&days=nonsense&measure=x&placement=y").status_code == 200


def test_tables_add_up(figures: Desk) -> None:
    figures.be("viewer")
    days = rows(figures, "table=days&measure=slates")
    parts = rows(figures, "by=placement")
    assert len(days) == 28
    assert sum(float(day["slates"] or 0) for day in days) == sum(float(part["slates"]) for part in parts) == 600
    assert {part["placement"] for part in parts} == {"home-hero", "home-trending", "'=cmd()"}, "no formulas"
    assert rows(figures, "by=segment_id") == [], "nothing of the few, nor of the rest of all"
    steps = rows(figures, "table=funnel")
    assert [step["step"] for step in steps] == [
        "Visits", "Products viewed", "Blocks seen", "Clicked", "Put into the cart", "Ordered"
    ]  # fmt: skip
    assert float(steps[2]["count"]) > float(steps[3]["count"]) > float(steps[5]["count"]) > 0
    places = rows(figures, "table=positions")
    assert {place["position"] for place in places} == set("123456")
    assert {row["coverage"] for row in rows(figures, "table=variety")} != {""}
    assert len(rows(figures, "table=lines&by=device&measure=coverage")) == 28
    assert figures.get("/figures/?format=csv&table=nonsense").status_code == 404


def test_one_placement_alone(figures: Desk) -> None:
    figures.be("viewer")
    of_all = {part["device"]: float(part["slates"]) for part in rows(figures, "by=device")}
    of_one = {part["device"]: float(part["slates"]) for part in rows(figures, "by=device&placement=home-hero")}
    assert sum(of_all.values()) == 600
    assert sum(of_one.values()) == 200


def test_an_empty_shop_says_what_will_be_here(desk: Desk) -> None:
    page = desk.be("viewer").get("/figures/").text
    assert "No blocks shown in this time" in page
    assert "nothing before" in page


def test_the_page_counts_what_happened_in_the_last_seconds(desk: Desk) -> None:
    """Also where the jobs ran a moment ago, and would not be due yet."""
    state = desk.shop.state
    desk.be("viewer").get("/figures/")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("mtp_plugin.web.admin.pages.kpi.FRESH_S", -1.0)
        for number in (1, 2):
            state.slates.append(slate(time.time() - 5, number * 3, random.Random(number)))
            state.slates.flush()
            desk.get("/figures/")
            assert counted_at(state) > 0
            assert [row["slates"] for row in rows(desk, "by=placement")] == [f"{number}.0"]


def test_the_command_tells_the_same(figures: Desk) -> None:
    run = figures.shop.app.test_cli_runner()
    told = json.loads(run.invoke(args=["mtp", "kpi", "--by", "placement", "--json"]).stdout)
    assert {one["name"]: one["figures"]["slates"] for one in told["groups"]} == {
        "home-hero": 200, "home-trending": 200, "=cmd()": 200
    }  # fmt: skip
    assert told["all"]["figures"]["slates"] == 600
    hidden = json.loads(run.invoke(args=["mtp", "kpi", "--json"]).stdout)
    assert {one["name"]: one.get("hidden", False) for one in hidden["groups"]} == {"many": True, "few": True}
    text = run.invoke(args=["mtp", "kpi", "--by", "device"]).output
    assert "mobile" in text
    assert "fewer than" not in text
    assert run.invoke(args=["mtp", "kpi", "--since", "tomorrow"]).exit_code == 1
    assert run.invoke(args=["mtp", "kpi", "--placement", "nowhere"]).exit_code == 1
    assert run.invoke(args=["mtp", "kpi", "--by", "experiment", "--placement", "home-hero"]).exit_code == 1
    assert run.invoke(args=["mtp", "kpi", "--since", "2001-01-01", "--until", "2001-01-02", "--json"]).exit_code == 0


def test_a_job_that_another_worker_has_is_said_and_free_within_a_minute(figures: Desk) -> None:
    state = figures.shop.state
    assert all(job.lease <= 60.0 for job in standard_jobs(state) if job.every < 60.0), (
        "a killed worker keeps it so long"
    )
    assert state.leases.acquire("kpi", "another", 60.0)
    run = figures.shop.app.test_cli_runner().invoke(args=["mtp", "kpi", "--by", "placement", "--json"])
    state.leases.release("kpi", "another")
    assert "another worker runs the job kpi" in run.stderr
    assert json.loads(run.stdout)["all"]["figures"]["slates"] == 600

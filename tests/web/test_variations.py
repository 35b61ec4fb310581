"""An experiment from the shop's code to its verdict: assignment, exposure, orders, figures, stopping."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import render_template_string

from mtp_plugin.errors import NotFoundError, SettingError
from mtp_plugin.experiment_results import gather, judged, stop_harmful
from mtp_plugin.experiments import VIEWED, LiveExperiments, cursor_of
from mtp_plugin.feedback.orders import PURCHASED
from mtp_plugin.ports import MadeSegment
from mtp_plugin.records import (
    Claim,
    ConsentLevel,
    EventProduct,
    Gate,
    Outcome,
    SegmentRef,
    Slate,
    SlateEntry,
    SlateItem,
    SlateRequest,
)
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.track.imported import imported_event
from tests.servers import wait_until

from .shop import Shop

DAY = 86400.0
OFFER = {
    "variations": [{"name": "none", "variables": {"percent": 0}}, {"name": "five", "variables": {"percent": 5}}],
    "goal": "conversion",
}
Make = Callable[..., Shop]


@pytest.fixture
def shop(make_shop: Make) -> Shop:
    shop = make_shop(experiments={"offer": OFFER, "later": {**OFFER, "since": "2199-01-01"}})

    @shop.app.get("/offer")
    def offer() -> dict[str, Any]:
        seen = shop.mtp.variation("offer")
        shown = render_template_string("{{ mtp_variation('offer').get('percent', 0) }}")
        return {"name": seen.name, "percent": seen.get("percent"), "part": seen.takes_part, "shown": shown}

    @shop.app.get("/later")
    def later() -> dict[str, Any]:
        return {"part": shop.mtp.variation("later").takes_part}

    @shop.app.get("/unknown")
    def unknown() -> dict[str, Any]:
        return {"name": shop.mtp.variation("nobody").name}

    return shop


def exposures(shop: Shop) -> list[Any]:
    return [event for events in shop.state.journal.scan(names=(VIEWED,)) for event in events]


def test_a_visitor_keeps_the_variation_and_is_exposed_once(shop: Shop) -> None:
    browser = shop.browser().agree()
    answers = [browser.get("/offer").json for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["part"]
    assert answers[0]["shown"] == str(answers[0]["percent"])
    wait_until(lambda: len(exposures(shop)) == 1, "the exposure is written")
    (event,) = exposures(shop)
    assert event.properties["experiment_id"] == "offer"
    assert event.properties["variation_name"] == answers[0]["name"]
    assert not browser.get("/later").json["part"]


def test_who_did_not_agree_sees_the_control_and_nothing_is_written(shop: Shop) -> None:
    for browser in (shop.browser(), shop.browser().agree(False)):
        assert browser.get("/offer").json == {"name": "none", "percent": 0, "part": False, "shown": "0"}
    shop.state.close()
    assert exposures(shop) == []


def test_a_page_that_varies_is_not_shared(shop: Shop) -> None:
    assert "private" in shop.browser().agree().get("/offer").headers["Cache-Control"]


def test_an_experiment_that_is_not_there_breaks_no_page(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    assert shop.browser().get("/unknown").json == {"name": ""}
    assert "no experiment 'nobody'" in caplog.text
    shop.app.debug = True
    with pytest.raises(NotFoundError, match="there are offer, later"):
        shop.browser().get("/unknown")


def told(name: str, unit: str, at: float, **more: Any) -> Any:
    return imported_event(name, key=f"{name}{unit}{at}", timestamp=at, anonymous_id=unit, user_id="", **more)


def fill(shop: Shop, visitors: int, buys: tuple[float, float], now: float) -> None:
    """So many exposed visitors, of whom shares by variation order an hour later."""
    events = []
    row = shop.state.experiments.rows["offer"]
    for number in range(visitors):
        unit = f"v{number}"
        variation = row.of(f"a:{unit}")
        at = now - 3 * DAY + number
        properties = {"experiment_id": "offer", "variation_id": str(variation)}
        events.append(told(VIEWED, unit, at, properties=properties))
        if (number * 7919 % 1000) / 1000 < buys[variation]:
            line = (EventProduct(product_id="p001", quantity=1.0, price=20.0),)
            properties = {"order_id": unit, "currency": shop.state.settings.currency}
            events.append(told(PURCHASED, unit, at + 3600, products=line, properties=properties))
    shop.state.pipeline.ingest(events)


def test_the_figures_are_a_recount_and_the_verdict_follows(shop: Shop) -> None:
    now = time.time()
    fill(shop, 1200, (0.1, 0.3), now)
    row = shop.state.experiments.rows["offer"]
    facts = gather(shop.state, row, now)
    result = judged(facts, now)
    by = [[unit for unit, one in facts.units.items() if one.variation == number] for number in (0, 1)]
    assert result.counts == tuple(map(len, by))
    buyers = {event.profile_id for events in shop.state.journal.scan(names=(PURCHASED,)) for event in events}
    shares = [len(buyers.intersection(units)) / len(units) for units in by]
    assert [arm.plain for arm in result.arms["conversion"]] == pytest.approx(shares)
    assert [arm.plain for arm in result.arms["revenue"]] == pytest.approx([20 * share for share in shares])
    assert [arm.plain for arm in result.arms["order-value"]] == pytest.approx([20.0, 20.0])
    assert result.verdict.word == "ship"
    # What had not happened by then is not in it.
    assert judged(facts, now, until=now - 3 * DAY + 600).counts != result.counts


def test_what_a_visitor_did_before_the_exposure_is_no_effect_of_it(shop: Shop) -> None:
    now = time.time()
    line = (EventProduct(product_id="p001", quantity=1.0, price=20.0),)
    currency = {"currency": shop.state.settings.currency}
    shop.state.pipeline.ingest(
        [
            told(PURCHASED, "x", now - 5000, products=line, properties={"order_id": "1", **currency}),
            told(VIEWED, "x", now - 4000, properties={"experiment_id": "offer", "variation_id": "1"}),
            told(PURCHASED, "x", now - 3000, products=line, properties={"order_id": "2", **currency}),
            told("Order Refunded", "x", now - 2000, products=line, properties={"order_id": "2", **currency}),
            told(VIEWED, "y", now - 4000, properties={"experiment_id": "offer", "variation_id": "0"}),
            told(VIEWED, "y", now - 3000, properties={"experiment_id": "offer", "variation_id": "1"}),
            told(VIEWED, "z", now - 3000, properties={"experiment_id": "another", "variation_id": "1"}),
        ]
    )
    table = gather(shop.state, shop.state.experiments.rows["offer"], now).table()
    assert list(table.variation) == [1]
    assert table.mixed == 1
    revenue = table.metrics["revenue"]
    assert revenue.before is not None
    assert (list(revenue.above), list(revenue.before)) == ([0.0], [20.0])


def test_a_slate_that_a_rule_changed_exposes_when_it_is_seen(shop: Shop) -> None:
    now = time.time()
    for number, seen in enumerate((True, False)):
        name, profile_id = f"{number:032x}", f"a:w{number}"
        made = Slate(
            recommendation_id=name,
            placement="home-hero",
            strategy="best-sellers",
            items=(SlateItem(product_id="p001", position=1, score=1.0, reason_codes=()),),
            consent_level=ConsentLevel.FULL,
            segment=SegmentRef(segment_id="s1", name="One", confidence=1.0),
            created_at=now - 100,
        )
        request = SlateRequest(
            placement="home-hero",
            consent_level=ConsentLevel.FULL,
            now=now - 100,
            seed=1,
            profile_ids=(profile_id,),
        )
        shop.state.slates.append(SlateEntry(slate=made, request=request, exposures=(("offer", 1),)))
        if seen:
            shop.state.outcomes.record(
                [
                    Outcome(
                        outcome_id=bytes(15) + b"1",
                        kind="seen",
                        recommendation_id=name,
                        profile_id=profile_id,
                        at=now - 90,
                    )
                ]
            )
    shop.state.slates.flush()
    units = gather(shop.state, shop.state.experiments.rows["offer"], now).units
    assert set(units) == {"a:w0"}
    assert (units["a:w0"].variation, units["a:w0"].segment_id) == (1, "s1")


def test_a_harmful_variation_stops_itself_and_visitors_see_the_control(shop: Shop) -> None:
    now = time.time()
    fill(shop, 1200, (0.4, 0.1), now)
    assert stop_harmful(shop.state, now) == "1 running, stopped: offer: five"
    assert stop_harmful(shop.state, now) == "1 running, stopped: none"
    assert shop.state.cursors.get(cursor_of("offer")) == f"1@{now!r}"
    assert any(entry.action == "experiment.stopped" for entry in shop.state.audit.entries())
    seen = {shop.browser().agree().get("/offer").json["name"] for _ in range(12)}
    assert seen == {"none"}
    shop.state.experiments.resume("offer", now)
    # Of twelve visitors all in the control has a chance of .0002.
    assert {shop.browser().agree().get("/offer").json["name"] for _ in range(12)} == {"none", "five"}


def test_a_stop_is_known_from_the_first_request_on_and_reaches_rules(shop: Shop) -> None:
    shop.state.experiments.stop("offer", 1, time.time())
    now = time.time()
    units = [f"a:{number}" for number in range(40)]
    fresh = LiveExperiments(shop.state.experiments.rows, shop.state.cursors, lambda events: None)
    assert {fresh.assign("offer", unit, now).name for unit in units} == {"none"}
    rule = {
        "rule_id": "warm",
        "name": "Warm",
        "when": {},
        "then": [{"effect": "title", "title": "Five off"}],
        "experiment": {"experiment_id": "offer", "variation": 1},
    }
    shop.state.rulebook.save(read_ruleset(json.dumps({"rules": [rule]}).encode()), by="x", note="", force=True)
    shop.state.pipeline.live.refresh()
    row = shop.state.experiments.rows["offer"]
    unit = next(unit for unit in units if row.of(unit) == 1)

    def title(at: float) -> str:
        request = SlateRequest(
            placement="home-hero", consent_level=ConsentLevel.FULL, now=at, seed=1, profile_ids=(unit,), unit=unit
        )
        return shop.state.pipeline.preview(request)[0].title

    assert title(now) == ""
    # Before the stop it was shown, so slates of then replay as they were.
    assert title(now - DAY) == "Five off"
    shop.state.experiments.resume("offer", now)
    assert title(now) == "Five off"


def test_only_whom_it_is_for_takes_part(make_shop: Make) -> None:
    when = {"context.device": "mobile", "profile.views": {"$gte": 2}}
    shop = make_shop(experiments={"offer": {**OFFER, "when": when}})
    shop.app.add_url_rule("/offer", view_func=lambda: {"part": shop.mtp.variation("offer").takes_part})
    browser = shop.browser().agree()
    phone = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Mobile/15E148"}

    def view(product: str) -> None:
        body = {"event": "Product Viewed", "properties": {"product_id": product}}
        assert browser.post("/mtp/v1/track", json=body).json["accepted"] == 1

    assert not browser.get("/offer", headers=phone).json["part"], "nothing was looked at yet"
    view("p001")
    view("p002")
    assert browser.get("/offer", headers=phone).json["part"]
    assert not browser.get("/offer").json["part"], "not on a phone"
    assert browser.get("/offer").headers["Cache-Control"].startswith("private")
    wait_until(lambda: len(exposures(shop)) == 1, "only who takes part is exposed")


@pytest.mark.parametrize("when", [{"profile.shoe_size": 44}, {"context.device": {"$near": 1}}])
def test_a_condition_that_cannot_be_is_refused(make_shop: Make, when: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="when"):
        make_shop(experiments={"offer": {**OFFER, "when": when}})


def test_a_condition_that_fails_breaks_no_page(make_shop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make_shop(experiments={"offer": {**OFFER, "when": {"profile.views": {"$gte": 0}}}})
    shop.app.add_url_rule("/offer", view_func=lambda: {"part": shop.mtp.variation("offer").takes_part})
    monkeypatch.setattr(shop.state.pipeline, "profile_of", lambda *asked: 1 / 0)
    assert not shop.browser().agree().get("/offer").json["part"]


def test_an_exposure_says_the_segment_of_then(make_shop: Make) -> None:
    shop = make_shop(experiments={"offer": OFFER})
    shop.app.add_url_rule("/offer", view_func=lambda: {"part": shop.mtp.variation("offer").takes_part})
    made = MadeSegment(segment_id="all", name="All", condition={"profile.views": {"$gte": 1}}, enabled=True)
    shop.state.segments.save(made)
    shop.state.pipeline.live.refresh()
    browser = shop.browser().agree()
    browser.post("/mtp/v1/track", json={"event": "Product Viewed", "properties": {"product_id": "p001"}})
    browser.get("/offer")
    wait_until(lambda: len(exposures(shop)) == 1, "the exposure is written")
    assert exposures(shop)[0].properties["segment_id"] == "all"
    units = gather(shop.state, shop.state.experiments.rows["offer"], time.time() + 1).units
    assert [one.segment_id for one in units.values()] == ["all"]


def test_a_ramp_holds_for_rules(make_shop: Make) -> None:
    now = time.time()
    steps = [[f"{datetime.fromtimestamp(now - DAY, UTC):%Y-%m-%d}", 0.2], ["2199-01-01", 1.0]]
    shop = make_shop(experiments={"offer": {**OFFER, "ramp": steps}})
    row = shop.state.experiments.rows["offer"]
    units = [f"a:{number}" for number in range(200)]
    gate = Gate(experiment_id="offer", weights=(0.9, 0.1))
    found = [shop.state.experiments.vary(gate, unit, now) for unit in units]
    assert found == [row.of(unit, now) for unit in units], "the entry says how visitors are divided, not the rule"
    part = sum(number >= 0 for number in found)
    assert 20 <= part <= 60, "a fifth; five standard deviations are 28"


def test_slow_slates_are_a_guardrail(make_shop: Make) -> None:
    shop = make_shop(experiments={"offer": {**OFFER, "guardrails": ["latency"], "stops": True}})
    row, now = shop.state.experiments.rows["offer"], time.time()
    for number in range(600):
        unit, name = f"a:v{number}", f"{number:032x}"
        slow = row.of(unit) == 1
        made = Slate(
            recommendation_id=name, placement="home-hero", strategy="best-sellers", items=(), created_at=now - 100,
            consent_level=ConsentLevel.FULL, took_us=(2_000 + 500 * slow) + number % 700,
        )  # fmt: skip
        request = SlateRequest(placement="home-hero", now=now - 100, profile_ids=(unit,))
        shop.state.slates.append(SlateEntry(slate=made, request=request))
        seen = Outcome(
            outcome_id=number.to_bytes(16, "big"), kind="seen", recommendation_id=name, profile_id=unit, at=now - 50,
            quantity=1.0,
        )  # fmt: skip
        shop.state.outcomes.record([seen])
        told_of = {"properties": {"experiment_id": "offer", "variation_id": str(row.of(unit))}}
        shop.state.pipeline.ingest([told(VIEWED, f"v{number}", now - 90, **told_of)])
    shop.state.slates.flush()
    result = judged(gather(shop.state, row, now), now)
    assert result.of("latency", 1).lift == pytest.approx(500 / 2350, abs=0.05)
    assert result.verdict.word == "stop"
    assert "latency" in result.verdict.why


def test_a_prefetched_page_is_no_exposure(shop: Shop) -> None:
    browser = shop.browser().agree()
    assert browser.get("/offer", headers={"Sec-Purpose": "prefetch"}).json["part"]
    browser.get("/offer")
    wait_until(lambda: len(exposures(shop)) == 1, "the exposure of the page that was looked at is written")


def test_two_devices_of_one_account_are_one_visitor(shop: Shop) -> None:
    now = time.time()
    for number, unit in enumerate(("laptop", "phone")):
        told_of = {"properties": {"experiment_id": "offer", "variation_id": str(number)}}
        shop.state.pipeline.ingest([told(VIEWED, unit, now - 100 + number, **told_of)])
        shop.state.people.claim([Claim(left="u:ada", right=f"a:{unit}", kind="sign-in")], now, "test")
    facts = gather(shop.state, shop.state.experiments.rows["offer"], now)
    assert len(facts.units) == 1
    assert facts.table().mixed == 1


def test_the_commands(shop: Shop) -> None:
    fill(shop, 1200, (0.1, 0.3), time.time())
    run = shop.app.test_cli_runner().invoke

    def asked(*arguments: str) -> dict[str, Any]:
        answer = run(args=["mtp", "experiments", *arguments, "--json"])
        return dict(json.loads(answer.stdout))

    listed = asked("list")["experiments"]
    assert [(one["key"], one["state"]) for one in listed] == [("offer", "running"), ("later", "scheduled")]
    shown = asked("show", "offer")
    assert shown["verdict"]["word"] == "ship"
    assert sum(shown["visitors"].values()) == 1200
    assert shown["days"]
    assert "ship" in run(args=["mtp", "experiments", "show", "offer"]).stdout
    assert asked("show", "offer", "--part", "device")["part"] == "device"
    plan = asked("plan", "conversion", "--effect", "0.2")
    assert plan["visitors"] == 1200
    # 16 (1 - p) / (p e2) for p near .2 is about 1,600.
    assert 1000 < plan["visitors_each"] < 2600 < plan["visitors_each_always"] * 2
    assert asked("stop", "offer", "five")["stopped"] == "five"
    assert asked("list")["experiments"][0]["stopped"] == ["five"]
    assert "error" in asked("stop", "offer", "none")
    assert asked("resume", "offer")["stopped"] == ""
    assert "no experiment" in asked("show", "nobody")["error"]["message"]


def test_servers_read_what_is_tested_and_what_it_says(shop: Shop) -> None:
    now = time.time()
    fill(shop, 1200, (0.1, 0.3), now)
    client, key = shop.app.test_client(), {"Authorization": "Bearer sk_test"}
    listed = client.get("/mtp/v1/experiments", headers=key).json["experiments"]
    assert [(one["key"], one["state"]) for one in listed] == [("offer", "running"), ("later", "scheduled")]
    told = client.get("/mtp/v1/experiments/offer", headers=key).json
    assert told["verdict"]["word"] == "ship"
    assert told["about"] == listed[0]
    assert (told["part"], sum(told["visitors"].values())) == ("segment", 1200)
    assert client.get("/mtp/v1/experiments/nobody", headers=key).status_code == 404
    assert client.get("/mtp/v1/experiments/offer?part=shoes", headers=key).status_code == 400
    for path in ("", "/offer"):
        assert client.get(f"/mtp/v1/experiments{path}").status_code == 401


def test_effects_in_segments_are_drawn_together_everywhere(shop: Shop) -> None:
    """In one segment it helps, in the other it does nothing; page, command and answer say the same of both."""
    now, row, events = time.time(), shop.state.experiments.rows["offer"], []
    for number in range(4000):
        unit, segment = f"v{number}", ("s1", "s2")[number % 2]
        variation, at = row.of(f"a:{unit}"), now - 2 * DAY + number
        properties = {"experiment_id": "offer", "variation_id": str(variation), "segment_id": segment}
        events.append(told(VIEWED, unit, at, properties=properties))
        if (number * 7919 % 1000) / 1000 < (0.4 if variation and segment == "s1" else 0.2):
            line = (EventProduct(product_id="p001", quantity=1.0, price=20.0),)
            paid = {"order_id": unit, "currency": shop.state.settings.currency}
            events.append(told(PURCHASED, unit, at + 3600, products=line, properties=paid))
    shop.state.pipeline.ingest(events)
    asked = shop.app.test_client().get("/mtp/v1/experiments/offer", headers={"Authorization": "Bearer sk_test"}).json
    assert asked["part_visitors"] == {"s1": 2000, "s2": 2000}
    (conversion,) = [one for one in asked["effects"] if one["metric"] == "conversion"]
    first, second = conversion["parts"]["s1"], conversion["parts"]["s2"]
    # Truth is +100 % and nothing; each is drawn towards the other, by how little is known of it.
    assert 0.5 < first["lift"] < 1.2
    assert -0.2 < second["lift"] < 0.3
    assert 0 < second["own_weight"] < 1
    assert first["adjusted_p"] < 0.05 < second["adjusted_p"]
    said = shop.app.test_cli_runner().invoke(args=["mtp", "experiments", "show", "offer"]).stdout
    assert "in s1, 2,000 visitors: +" in said
    assert "certain)" in said

"""A whole shop with the stream, beside the same shop without: what comes of events is the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mtp_plugin.records import Event
from mtp_plugin.signals import event_recorded
from tests.servers import RedisServer
from tests.web.shop import PUBLIC, SECRET, Shop

from .conftest import drain, send, view

pytestmark = pytest.mark.redis

Make = Callable[..., Shop]
ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "ada",
    "messageId": "o1",
    "properties": {"order_id": "o1", "total": 20, "products": [{"product_id": "p001", "price": 10, "quantity": 2}]},
}
CALLS = [
    *(view(number) for number in range(30)),
    *(view(number, f"user{number % 3}", timestamp=f"2026-01-05T12:30:{number:02d}Z") for number in range(30, 50)),
    ORDER,
    {"type": "identify", "userId": "ada", "messageId": "i1", "traits": {"plan": "gold"}},
    {"type": "group", "userId": "ada", "messageId": "g1"},
    {"type": "track", "userId": "ada", "messageId": "wrong"},
]


@pytest.fixture
def shops(make_shop: Make, redis_url: str) -> tuple[Shop, Shop]:
    """One that records at once, and one with the stream."""
    return make_shop(), make_shop(stream_url=redis_url)


def kept(shop: Shop) -> list[dict[str, Any]]:
    """What the journal holds, without what differs from run to run."""
    events = [msgspec.to_builtins(event) for some in shop.state.journal.scan() for event in some]
    for event in events:
        for name in ("event_id", "received_at", "dedupe_key"):
            del event[name]
        if event["timestamp"] > 1.77e9:  # not said by the sender
            del event["timestamp"]
    return events


def pages(shop: Shop, user: str) -> Any:
    """What the profile of an account says, as a server may ask."""
    profile = shop.state.journal.profiles([f"u:{user}"])[0]
    assert profile is not None
    return profile.events, [item.product_id for item in profile.recent], profile.traits


def test_events_of_servers_come_to_the_same(shops: tuple[Shop, Shop]) -> None:
    direct, streamed = shops
    answers = [send(shop, CALLS) for shop in shops]
    assert answers[0] == answers[1], "the sender is told the same"
    assert streamed.state.journal.count() == 0
    assert send(streamed, CALLS) == send(direct, CALLS), "sent again"
    drain(streamed)
    assert kept(direct) == kept(streamed)
    assert len(kept(direct)) == 52
    for user in ("ada", "user0", "user1", "user2"):
        assert pages(direct, user) == pages(streamed, user)


def test_ga4_and_single_calls_go_the_same_way(shops: tuple[Shop, Shop]) -> None:
    body = {
        "client_id": "c1",
        "user_id": "ada",
        "events": [{"name": "view_item", "params": {"items": [{"item_id": "p1"}]}}],
    }
    for shop in shops:
        client = shop.app.test_client()
        assert client.post("/mtp/v1/ga4", json=body, auth=(SECRET, "")).status_code == 200
        assert client.post("/mtp/v1/track", json=view(1), auth=(SECRET, "")).status_code == 200
    assert (shops[0].state.journal.count(), shops[1].state.journal.count()) == (2, 0)
    drain(shops[1])
    assert kept(shops[0]) == kept(shops[1])


def test_what_a_browser_does_is_known_to_its_next_page(shops: tuple[Shop, Shop]) -> None:
    """No worker runs here: a browser does not wait for one, and neither does the shop's own code."""
    shop = shops[1]
    browser = shop.browser().agree()
    browser.view("p003")
    assert "p003" in browser.get("/").text
    with shop.app.app_context():
        assert shop.mtp.track("Product Viewed", {"product_id": "p1"}, user_id="ada").accepted == 1
    assert shop.state.journal.count() == 2
    page = {"event": "Product Viewed", "anonymousId": "b1", "properties": {"product_id": "p1"}}
    told = shop.app.test_client().post(
        "/mtp/v1/track", json=page, auth=(PUBLIC, ""), headers={"Origin": "https://blog.example"}
    )
    assert told.status_code == 200
    lag = shop.state.bus.lag()
    assert lag is not None
    assert lag.events == 0


def test_listeners_and_figures_hear_from_the_worker(make_shop: Make, redis_url: str) -> None:
    shop = make_shop(stream_url=redis_url)
    heard: list[str] = []

    def hear(sender: object, event: Event) -> None:
        heard.append(event.message_id)

    with event_recorded.connected_to(hear, sender=shop.app):
        send(shop, [view(1), view(2)])
        assert not heard
        assert figure(shop, 'mtp_events_total{app="shop",outcome="queued"}') == 2
        assert figure(shop, 'mtp_stream_events{app="shop"}') == 2
        assert figure(shop, 'mtp_stream_workers{app="shop"}') == 0
        send(shop, [view(2)])
        drain(shop)
    assert heard == ["m1", "m2"]
    assert figure(shop, 'mtp_events_total{app="shop",outcome="accepted"}') == 2
    assert figure(shop, 'mtp_events_total{app="shop",outcome="repeated"}') == 1
    assert figure(shop, 'mtp_stream_events{app="shop"}') == 0


def figure(shop: Shop, name: str) -> float:
    text = shop.app.test_client().get("/mtp/metrics", auth=(SECRET, "")).text
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def test_who_was_erased_does_not_come_back(make_shop: Make, redis_url: str) -> None:
    shop = make_shop(stream_url=redis_url)
    send(shop, [view(1), view(2, "ben")])
    drain(shop)
    send(shop, [view(3), view(4, "ben")])
    found = shop.state.subjects.export(["u:ada"], "a test")
    assert [event["message_id"] for event in found["stream"]] == ["m3"], "what waits is told, too"
    request = shop.state.subjects.erase(["u:ada"], "a test", linked=False)
    assert request.steps["stream"] == 1
    drain(shop)
    assert {event["message_id"] for event in kept(shop)} == {"m2", "m4"}


def test_events_put_into_the_stream_during_an_erasure_are_refused_at_its_end(make_shop: Make, redis_url: str) -> None:
    shop = make_shop(stream_url=redis_url)
    send(shop, [view(1)])
    waiting = list(shop.state.bus.find(["u:ada"]))
    shop.state.subjects.erase(["u:ada"], "a test", linked=False)
    shop.state.bus.publish(waiting)  # by a server process that had admitted them just before
    worker = drain(shop)
    assert (worker.tally.events, worker.tally.new) == (1, 0)
    assert kept(shop) == []


def test_full_or_away_is_503_and_to_be_sent_again(make_shop: Make, mortal_redis: RedisServer) -> None:
    shop = make_shop(stream_url=mortal_redis.url, stream_max=10_000)
    for start in range(0, 10_000, 500):
        send(shop, [view(number) for number in range(start, start + 500)])
    client = shop.app.test_client()
    answer = client.post("/mtp/v1/track", json=view(1), auth=(SECRET, ""))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    assert client.get("/mtp/health/ready").get_json()["checks"]["stream"] == "ok"
    mortal_redis.kill()
    assert client.post("/mtp/v1/track", json=view(1), auth=(SECRET, "")).status_code == 503
    ready = client.get("/mtp/health/ready")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "degraded")
    browser = shop.browser().agree()
    browser.view("p003")
    assert "p003" in browser.get("/").text, "browsers do not need the stream"


def test_commands_tell_how_it_stands(make_shop: Make, redis_url: str) -> None:
    shop = make_shop(stream_url=redis_url)

    def run(*words: str) -> Any:
        return json.loads(shop.app.test_cli_runner().invoke(args=["mtp", *words, "--json"]).stdout)

    def found(subject: str) -> list[tuple[str, str]]:
        return [(one["status"], one["says"]) for one in run("doctor")["findings"] if one["subject"] == subject]

    send(shop, [view(1), view(2)])
    assert {name: run("status")[f"stream_{name}"] for name in ("events", "entries", "workers")} == {
        "events": 2,
        "entries": 1,
        "workers": 0,
    }
    assert found("stream") == [("well", "answers"), ("broken", found("stream")[1][1])]
    assert "2 events wait" in found("stream")[1][1]
    assert found("stream's durability")[0][0] == "advice"
    shop.state.bus._client.xadd("mtp:{events}", {"n": 1, "e": b"nothing of ours"})
    assert run("worker", "--until-empty") == {"entries": 2, "events": 2, "new": 2, "taken_over": 0, "dead": 1}
    assert found("stream")[-1] == ("advice", "1 entries could not be recorded")
    [letter] = run("dead-letters")["dead_letters"]
    assert (letter["events"], letter["retried"]) == (1, False)
    assert run("dead-letters", "--retry")["dead_letters"][0]["retried"]
    assert run("dead-letters")["dead_letters"] == []
    assert run("status")["stream_events"] == 1


def test_without_a_stream_the_commands_say_so(make_shop: Make) -> None:
    shop = make_shop()
    for name in ("worker", "dead-letters"):
        told = shop.app.test_cli_runner().invoke(args=["mtp", name])
        assert told.exit_code == 1
        assert "MTP_STREAM_URL" in told.stderr
    assert "stream_events" not in shop.app.test_cli_runner().invoke(args=["mtp", "status", "--json"]).stdout

"""What a mounted shop learns of a request, what of it is kept, and that addresses are not."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from mtp_plugin.records import Context, Place, Signals, TraitOrigin

from .shop import SECRET, build_shop

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)
ADDRESS = "175.16.199.77"
CHANGCHUN = Place(country="CN", region="22", city="Changchun", time_zone="Asia/Harbin", latitude=43.9, longitude=125.3)


class Places:
    def find(self, address):
        return CHANGCHUN if address == ADDRESS else None

    def probe(self):
        return ""


@pytest.fixture
def shop(tmp_path):
    shop = build_shop(tmp_path, urban_cities=("Changchun",), commuting=())
    shop.state.enrichment._places = Places()
    yield shop
    shop.state.close()


def requests_of(shop):
    """The contexts of the slates in the log."""
    shop.state.slates.flush()
    seen = []
    append = shop.state.slates.append

    def watch(entry):
        made = entry() if callable(entry) else entry
        seen.append(made.request.context)
        append(made)

    shop.state.slates.append = watch
    return seen


@pytest.fixture
def visitor(shop):
    return shop.browser().agree()


def open_as(browser, path, **more):
    headers = {"User-Agent": IPHONE, "Accept-Language": "de"} | more.pop("headers", {})
    return browser.get(path, headers=headers, environ_base={"REMOTE_ADDR": ADDRESS}, **more)


def tell(browser, event, **context):
    body = {"batch": [{"type": "track", "event": event, "properties": {"product_id": "p001"}}], "context": context}
    headers = {"User-Agent": IPHONE}
    answer = browser.post("/mtp/v1/batch", json=body, headers=headers, environ_base={"REMOTE_ADDR": ADDRESS})
    assert answer.get_json()["accepted"] == 1


def stored(shop):
    return [event for events in shop.state.journal.scan() for event in events]


def test_a_page_knows_device_place_time_and_what_led_to_it(shop, visitor):
    seen = requests_of(shop)
    open_as(visitor, "/?utm_source=news&utm_medium=mail", headers={"Referer": "https://b.example/x"})
    context = seen[0]
    assert (context.device, context.os, context.browser, context.locale) == ("mobile", "ios", "safari", "de")
    assert (context.country, context.region, context.city, context.urban) == ("CN", "22", "Changchun", True)
    assert (context.time_zone, context.source, context.medium) == ("Asia/Harbin", "news", "mail")
    assert (context.referrer, context.extra) == ("b.example", {})


def test_an_event_keeps_classes_and_the_profile_their_latest(shop, visitor):
    tell(visitor, "Product Viewed", timezone="Asia/Tokyo", page={"referrer": "https://www.google.com/", "path": "/p"})
    event = stored(shop)[-1]
    assert {name: event.context.get(name) for name in ("device", "city", "urban", "time_zone", "source", "medium")} == {
        **{"device": "mobile", "city": "Changchun", "urban": True, "time_zone": "Asia/Tokyo"},
        **{"source": "google", "medium": "organic"},
    }
    assert {"daypart", "weekday"} <= event.context.keys()
    profile = shop.state.journal.profiles([event.profile_id])[0]
    assert profile.traits["city"] == "Changchun"
    assert profile.origins["city"] == TraitOrigin("request", event.timestamp)


def test_the_zone_that_events_told_counts_for_pages_that_cannot_tell(shop, visitor):
    shop.state.enrichment._places = type("Nowhere", (Places,), {"find": lambda self, address: None})()
    seen = requests_of(shop)
    open_as(visitor, "/")
    tell(visitor, "Product Viewed", timezone="Asia/Tokyo")
    open_as(visitor, "/")
    before, after = seen[0], seen[-1]
    assert (before.time_zone, after.time_zone) == ("", "Asia/Tokyo")
    assert (after.hour - before.hour) % 24 in (9, 10)


def test_no_address_and_no_user_agent_is_kept_or_logged(shop, visitor, caplog):
    with caplog.at_level(logging.DEBUG):
        shop.mtp.enricher(lambda signals, found: 1 / 0)
        open_as(visitor, "/")
        tell(visitor, "Product Viewed", ip=ADDRESS, userAgent=IPHONE)
        shop.state.slates.flush()
    assert ADDRESS not in caplog.text
    path = Path(shop.app.instance_path)
    dumped = ""
    for file in path.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            dumped += "\n".join(connection.iterdump()).lower()
    assert dumped
    for hidden in (ADDRESS, ADDRESS.encode().hex(), "applewebkit", b"AppleWebKit".hex()):
        assert hidden not in dumped


def test_below_consent_nothing_of_the_browser_is_read(shop):
    seen = requests_of(shop)
    refusing = shop.browser().agree(False)
    open_as(refusing, "/?utm_source=news", headers={"Sec-GPC": "1"})
    assert seen
    assert all(context == Context(page_type=context.page_type) for context in seen)


def test_a_server_that_asks_is_not_where_its_visitor_is(shop):
    seen = requests_of(shop)
    asked = shop.app.test_client().get(
        "/mtp/v1/recommendations?placement=home-hero&user_id=7",
        auth=(SECRET, ""),
        headers={"User-Agent": IPHONE, "Accept-Language": "de"},
        environ_base={"REMOTE_ADDR": ADDRESS},
    )
    assert asked.status_code == 200
    assert (seen[0].device, seen[0].city, seen[0].locale) == ("", "", "")
    assert seen[0].hour is not None


def test_a_server_hands_on_what_it_was_told(shop):
    context = {
        "userAgent": IPHONE,
        "ip": ADDRESS,
        "timezone": "Europe/Paris",
        "campaign": {"source": "news\x00 a@b.cc"},
    }
    body = {"userId": "7", "event": "Product Viewed", "properties": {"product_id": "p001"}, "context": context}
    answer = shop.app.test_client().post("/mtp/v1/track", json=body, auth=(SECRET, ""))
    assert answer.get_json()["accepted"] == 1
    kept = stored(shop)[-1].context
    assert (kept["device"], kept["city"], kept["time_zone"], kept["source"]) == (
        *("mobile", "Changchun", "Europe/Paris"),
        "news [email]",
    )
    assert ADDRESS not in str(kept)


def test_the_shops_own_enricher(tmp_path):
    shop = build_shop(tmp_path, mount=False)

    @shop.mtp.enricher
    def terminal(signals: Signals, found):
        return {"floor": 2, "device": "kiosk"}

    shop.mtp.init_app(shop.app)
    found = shop.state.enrichment.context(Signals(at=time.time(), user_agent=IPHONE))
    assert (found.device, found.os, found.extra) == ("kiosk", "ios", {"floor": 2})
    assert "terminal" in shop.state.enrichment.names
    shop.state.close()


def test_the_doctor_says_what_is_wrong_with_the_place_database(tmp_path):
    shop = build_shop(tmp_path, place_database=str(tmp_path / "none.mmdb"), weather_url="http://127.0.0.1:9/{latitude}")
    done = shop.app.test_cli_runner().invoke(args=["mtp", "doctor"])
    assert "BROKEN  places: the place database" in done.stdout
    assert "is not there" in done.stdout
    assert "MTP_PLACE_DATABASE" in done.stdout
    assert "ok      weather" in done.stdout
    assert shop.browser().get("/").status_code == 200
    shop.state.close()

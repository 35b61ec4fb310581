"""What each enricher makes of what it sees."""

from __future__ import annotations

import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import SettingError
from mtp_plugin.profile.enrich.arrival import ArrivalEnricher
from mtp_plugin.profile.enrich.browser import BrowserEnricher, device
from mtp_plugin.profile.enrich.clock import ClockEnricher
from mtp_plugin.profile.enrich.place import PlaceEnricher
from mtp_plugin.records import Place, Signals

from .test_contract import NOON

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {WEBKIT} Version/18.0 Mobile/15E148 Safari/604.1"
PIXEL = f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {BLINK} Chrome/130.0.0.0 Mobile Safari/537.36"
GALAXY_TAB = f"Mozilla/5.0 (Linux; Android 14; SM-X710) {BLINK} SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/17.0 Safari/605.1.15"
FIRE_TV = f"Mozilla/5.0 (Linux; Android 9; AFTKA) {BLINK} Silk/108.4.6 like Chrome/108.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "kind", "system", "browser"),
    [
        (IPHONE, "mobile", "ios", "safari"),
        (PIXEL, "mobile", "android", "chrome"),
        (GALAXY_TAB, "tablet", "android", "samsung"),
        (FIREFOX, "desktop", "linux", "firefox"),
        (EDGE, "desktop", "windows", "edge"),
        (MAC, "desktop", "macos", "safari"),
        (FIRE_TV, "tv", "android", "amazon-silk"),
        ("", None, None, None),
        ("nonsense", None, None, None),
    ],
)
def test_browser(user_agent, kind, system, browser):
    said = BrowserEnricher().enrich(Signals(at=NOON, user_agent=user_agent), {})
    assert (said.get("device"), said.get("os"), said.get("browser")) == (kind, system, browser)


def test_a_tool_has_no_device():
    assert device("curl/8.5") == ""


@pytest.mark.parametrize(
    ("zone", "hour", "daypart", "weekday"),
    [
        ("", 13, "afternoon", "wednesday"),
        ("America/New_York", 7, "morning", "wednesday"),
        ("Pacific/Auckland", 1, "night", "thursday"),
        ("Asia/Kathmandu", 17, "afternoon", "wednesday"),
        ("No/Where", 13, "afternoon", "wednesday"),
        ("../../etc/passwd", 13, "afternoon", "wednesday"),
    ],
)
def test_the_clock_is_the_visitors_where_its_zone_is_known(zone, hour, daypart, weekday):
    said = ClockEnricher("Europe/Berlin").enrich(Signals(at=NOON), {"time_zone": zone})
    assert (said["hour"], said["daypart"], said["weekday"]) == (hour, daypart, weekday)
    assert said["time_zone"] == (zone if "/" in zone and not zone.startswith(("No", ".")) else "")


def test_what_the_browser_says_of_its_zone_is_better_than_its_place():
    clock = ClockEnricher("UTC")
    assert clock.enrich(Signals(at=NOON, time_zone="Asia/Tokyo"), {"time_zone": "Europe/Paris"})["hour"] == 21


@pytest.mark.parametrize(
    ("zone", "commuting"),
    [("America/New_York", True), ("Europe/Berlin", False), ("Europe/Moscow", False), ("Asia/Yekaterinburg", True)],
)
def test_commuting_hours_are_the_visitors(zone, commuting):
    clock = ClockEnricher("UTC", Settings().commuting)
    assert clock.at(NOON, zone)["commuting"] is commuting
    saturday = NOON + 3 * 86400
    assert clock.at(saturday, zone)["commuting"] is False


def test_days_of_commuting_may_go_around_the_week():
    clock = ClockEnricher("UTC", ("sat-thu 12:00-12:30", "fri 00:00-23:59"))
    days = [clock.at(NOON + day * 86400)["commuting"] for day in range(7)]
    assert all(days)
    assert not clock.at(NOON + 1800)["commuting"]


@pytest.mark.parametrize("wrong", ["always", "mon 25-26", "mon-fri 7:00-9:30", ["mon-fri 07:00-09:30", "x"]])
def test_commuting_hours_that_are_none_stop_the_start(wrong):
    with pytest.raises(SettingError, match=r"MTP_COMMUTING.*mon-fri 07:00-09:30"):
        Settings.read({"MTP_COMMUTING": wrong})


LONDON = Place(country="GB", region="ENG", city="London", city_id=2643743, time_zone="Europe/London")


@pytest.mark.parametrize(
    ("options", "place", "urban"),
    [
        ({}, LONDON, None),
        ({}, Place(country="GB"), None),
        ({"urban_cities": ["gb/london"]}, LONDON, True),
        ({"urban_cities": ["London"]}, LONDON, True),
        ({"urban_cities": ["2643743"]}, LONDON, True),
        ({"urban_cities": ["Paris"]}, LONDON, False),
        ({"urban_cities": ["Paris"]}, Place(country="GB"), None),
        ({"population": {"2643743": 8_961_989}}, LONDON, True),
        ({"population": {"gb/london": 90_000}}, LONDON, False),
        ({"population": {"gb/london": 90_000}, "urban_population": 50_000}, LONDON, True),
        ({"population": {"1": 5}}, LONDON, False),
        ({}, Place(country="US", city="Milton", density=2000.0), True),
        ({}, Place(country="US", city="Milton", density=200.0), False),
    ],
)
def test_urban_by_population_or_by_list(options, place, urban):
    assert PlaceEnricher(**options).urban(place) is urban


def test_population_must_be_positive():
    with pytest.raises(ValueError, match="urban_population"):
        PlaceEnricher(urban_population=0)


@pytest.mark.parametrize(
    ("referrer", "search", "said"),
    [
        ("", "", {}),
        ("https://shop.example/a", "", {}),
        ("https://www.google.de/", "", {"referrer": "www.google.de", "source": "google", "medium": "organic"}),
        ("https://l.facebook.com/x", "", {"referrer": "l.facebook.com", "source": "facebook", "medium": "social"}),
        ("https://t.co/x", "", {"referrer": "t.co", "source": "x", "medium": "social"}),
        ("https://b.example/?q=1", "", {"referrer": "b.example", "source": "b.example", "medium": "referral"}),
        ("", "utm_source=n&utm_medium=m&utm_campaign=c", {"source": "n", "medium": "m", "campaign": "c"}),
        ("", "?gclid=abc&q=mug", {"source": "google", "medium": "cpc"}),
        ("https://www.google.com/", "gclid=abc", {"referrer": "www.google.com", "source": "google", "medium": "cpc"}),
        ("http://[x", "q=mug", {}),
    ],
)  # fmt: skip
def test_arrival(referrer, search, said):
    assert (
        ArrivalEnricher().enrich(Signals(at=NOON, referrer=referrer, search=search, host="shop.example:443"), {})
        == said
    )

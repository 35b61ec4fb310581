"""All enrichers together, those of the shop among them."""

from __future__ import annotations

import logging

import pytest

from mtp_plugin.config import Settings
from mtp_plugin.profile.enrich.chain import Enrichment, OwnEnricher
from mtp_plugin.profile.enrich.null import NoPlaces
from mtp_plugin.profile.enrich.standard import standard_enrichers
from mtp_plugin.records import Place, Signals

from .test_contract import NOON, Sunny
from .test_enrichers import IPHONE, LONDON

KYOTO = Place(country="JP", city="Kyoto", latitude=35.0, longitude=135.7, time_zone="Asia/Tokyo")


class InLondon(NoPlaces):
    def find(self, address):
        return LONDON if address == "81.2.69.142" else None


def enrichment(*functions, **settings):
    own = [OwnEnricher(function.__name__, function) for function in functions]
    return Enrichment(standard_enrichers(Settings(**settings), Sunny(), {}, own), InLondon())


def test_everything_at_once():
    found = enrichment(urban_cities=("London",)).context(
        Signals(at=NOON, user_agent=IPHONE, place=KYOTO), page_type="home"
    )
    assert (found.page_type, found.device, found.os, found.country, found.city) == (
        "home",
        "mobile",
        "ios",
        "JP",
        "Kyoto",
    )
    assert (found.hour, found.daypart, found.time_zone, found.urban) == (21, "evening", "Asia/Tokyo", False)
    assert (found.weather, found.temperature, found.extra) == ("clear", 21.5, {})


def test_what_the_shop_says_of_the_place_counts_for_clock_and_weather():
    def terminal(signals, found):
        return {"city": "Zürich", "time_zone": "Asia/Tokyo", "latitude": 47.4, "longitude": 8.5, "floor": 2}

    found = enrichment(terminal).context(Signals(at=NOON))
    assert (found.city, found.hour, found.weather, found.extra) == ("Zürich", 21, "clear", {"floor": 2})


def test_what_fails_or_says_nonsense_is_left_out(caplog):
    def fails(signals, found):
        raise RuntimeError("out of order")

    def nonsense(signals, found):
        return {
            "hour": "noon",
            "urban": "very",
            "page_type": "home",
            "a b": 1,
            "x": [1],
            "y": None,
            "z": "w" * 300,
            3: 4,
        }

    def nothing(signals, found):
        return None

    made = enrichment(fails, nonsense, nothing)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            found = made.context(Signals(at=NOON), page_type="cart")
    assert (found.hour, found.urban, found.page_type, found.extra) == (12, None, "cart", {"page_type": "home"})
    assert made.failures == {"fails": 5}
    assert [record.message for record in caplog.records] == [
        f"the enricher fails failed ({count} times so far), going on without it" for count in (1, 2, 4)
    ]


def test_no_more_than_a_few_names_are_taken():
    def talkative(signals, found):
        return {f"n{i}": i for i in range(500)}

    assert len(enrichment(talkative).context(Signals(at=NOON)).extra) == 20


def test_only_a_callable_enriches():
    with pytest.raises(TypeError, match="callable"):
        OwnEnricher("x", 3)


def test_an_event_keeps_classes_and_neither_weather_nor_address():
    kept = enrichment(commuting=()).of_event(Signals(at=NOON, user_agent=IPHONE), "81.2.69.142")
    assert kept == {
        **{"device": "mobile", "os": "ios", "browser": "safari", "daypart": "afternoon", "weekday": "wednesday"},
        **{"country": "GB", "region": "ENG", "city": "London", "time_zone": "Europe/London"},
    }

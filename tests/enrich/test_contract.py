"""What every enricher keeps to; they are found, so that none can be forgotten."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtp_plugin.config import Settings
from mtp_plugin.profile import enrich
from mtp_plugin.profile.enrich import chain
from mtp_plugin.profile.enrich.null import NoPlaces
from mtp_plugin.profile.enrich.weather import WeatherEnricher
from mtp_plugin.records import Place, Reading, Signals

NOON = 1_700_049_600.0  # Wednesday, 15 November 2023, 12:00 UTC


class Sunny:
    def now(self, latitude, longitude):
        return Reading("clear", 21.5)

    def probe(self):
        return ""


def found_classes():
    """Every class of the package that enriches."""
    for module in pkgutil.iter_modules(enrich.__path__, f"{enrich.__name__}."):
        for thing in vars(importlib.import_module(module.name)).values():
            ours = isinstance(thing, type) and thing.__module__ == module.name and hasattr(thing, "enrich")
            if ours and not getattr(thing, "_is_protocol", False):
                yield thing


MADE = {
    "ClockEnricher": lambda made: made("Europe/Berlin", Settings().commuting),
    "WeatherEnricher": lambda made: made(Sunny()),
    "OwnEnricher": lambda made: made("own", lambda signals, found: {"region": "BY", "vip": True, "bad": object()}),
}
CLASSES = list(found_classes())


@pytest.fixture(params=CLASSES, ids=lambda kind: kind.__name__)
def enricher(request):
    return MADE.get(request.param.__name__, lambda made: made())(request.param)


texts = st.text(max_size=60)
places = st.builds(
    Place,
    country=texts,
    region=texts,
    city=texts,
    city_id=st.integers(0, 10**7),
    time_zone=texts | st.sampled_from(["Europe/Paris", "../etc/passwd", "Asia/Kathmandu"]),
    latitude=st.none() | st.floats(-90, 90),
    longitude=st.none() | st.floats(-180, 180),
    density=st.none() | st.floats(0, 1e5),
)
signals = st.builds(
    Signals,
    at=st.floats(0, 4e9),
    user_agent=texts | st.sampled_from(["Mozilla/5.0 (iPhone) Mobile", "curl/8.5", "x" * 100_000]),
    time_zone=texts | st.sampled_from(["America/New_York", "/etc/passwd", "Europe/\x00"]),
    referrer=texts | st.sampled_from(["https://www.google.de/", "http://[x", "android-app://com.slack/"]),
    host=texts,
    search=texts | st.sampled_from(["utm_source=a&utm_campaign=%00%ff", "gclid=1", "utm_=&&&=="]),
    place=st.none() | places,
)


def test_all_are_found():
    assert {"BrowserEnricher", "PlaceEnricher", "NullEnricher", "WeatherEnricher"} <= {
        kind.__name__ for kind in CLASSES
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signals=signals)
def test_it_says_what_a_context_can_hold(enricher, signals):
    said = enricher.enrich(signals, {"latitude": 52.5, "longitude": 13.4})
    assert said == enricher.enrich(signals, {"latitude": 52.5, "longitude": 13.4})
    context = chain.Enrichment([enricher], NoPlaces()).context(signals)
    assert set(context.extra) <= {"vip"}
    for name, value in said.items():
        if value not in ("", None):
            assert chain._fits(name, value), (name, value)


def test_of_nothing_it_says_nothing(enricher):
    said = enricher.enrich(Signals(at=NOON), {})
    if not isinstance(enricher, chain.OwnEnricher):
        assert set(said) <= {"hour", "daypart", "weekday", "commuting", "time_zone"}


def test_it_has_a_name_and_says_whether_it_is_of_the_moment(enricher):
    assert enricher.name.isidentifier()
    assert enricher.live is isinstance(enricher, (chain.OwnEnricher, WeatherEnricher))

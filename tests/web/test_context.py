"""What is read of a request, and that nothing is where nothing may be."""

from __future__ import annotations

import pytest
from flask import Flask

from mtp_plugin.config import Settings
from mtp_plugin.profile.enrich.browser import device
from mtp_plugin.profile.enrich.chain import Enrichment
from mtp_plugin.profile.enrich.null import NoPlaces, NoWeather
from mtp_plugin.profile.enrich.standard import standard_enrichers
from mtp_plugin.records import ConsentLevel, Context
from mtp_plugin.web.context import build_context

NOON_UTC = 1_700_049_600.0  # Wednesday, 15 November 2023, 12:00


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1", "mobile"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/130 Mobile Safari/537.36", "mobile"),
        ("Mozilla/5.0 (Linux; Android 14; SM-X710) Chrome/130 Safari/537.36", "tablet"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) Mobile/15E148", "tablet"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "desktop"),
        ("curl/8.5", ""),
        ("", ""),
    ],
)
def test_device(user_agent: str, expected: str) -> None:
    assert device(user_agent) == expected


def context(level: ConsentLevel, zone: str = "UTC", path: str = "/", **headers: str) -> Context:
    sent = {name.replace("_", "-"): text for name, text in headers.items()}
    enrichment = Enrichment(standard_enrichers(Settings(time_zone=zone), NoWeather(), {}), NoPlaces())
    with Flask("x").test_request_context(path, headers=sent):
        return build_context(level, NOON_UTC, enrichment, page_type="home")


def test_time_is_the_shops() -> None:
    there = context(ConsentLevel.CONTEXTUAL, "Pacific/Auckland")
    here = context(ConsentLevel.CONTEXTUAL)
    assert (here.daypart, here.weekday) == ("afternoon", "wednesday")
    assert (there.daypart, there.weekday) == ("night", "thursday")


def test_where_from() -> None:
    read = context(
        ConsentLevel.FULL,
        path="/?utm_campaign=spring",
        Referer="https://news.example/a?b",
        Accept_Language="de-CH,de;q=0.9",
        User_Agent="Mozilla/5.0 Firefox/140",
    )
    assert (read.referrer, read.campaign, read.locale, read.device) == ("news.example", "spring", "de-CH", "desktop")
    assert context(ConsentLevel.FULL, Referer="http://localhost/x").referrer == ""
    assert context(ConsentLevel.FULL, Referer="http://[x").referrer == ""


def test_the_slate_for_everybody_knows_the_page_alone() -> None:
    read = context(
        ConsentLevel.NON_PERSONAL,
        path="/?utm_campaign=spring",
        Referer="https://news.example/",
        Accept_Language="de",
        User_Agent="Mozilla/5.0 (iPhone)",
    )
    assert read == Context(page_type="home")

"""From persona to segment to another front page: what `make demo` promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo_store import create_app
from demo_store.personas import PERSONAS
from tests.demo.conftest import BROWSER
from tests.demo.html import Page
from tests.demo.test_personas import agree

VISITORS = 1_000
"""Enough that each persona has company above the floor of twenty; the demo has three thousand."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("segments")
    app = create_app({"TESTING": True, "DEMO_INSTANCE": str(Path(folder)), "WTF_CSRF_ENABLED": False})
    answer = app.test_cli_runner().invoke(args=["demo", "build", "--visitors", str(VISITORS)])
    assert answer.exit_code == 0, answer.output
    yield app
    app.extensions["mtp"].close()


def visit(shop: Flask, persona: str) -> FlaskClient:
    client = shop.test_client()
    client.environ_base["HTTP_USER_AGENT"] = BROWSER
    agree(client)
    client.post(f"/account/as/{persona}")
    return client


def block(html: str, placement: str) -> list[str]:
    part = html[html.index(f'data-mtp-placement="{placement}"') :]
    return Page(part[: part.index("</section>")]).having("data-mtp-item")


def test_personas_fall_into_segments_with_front_pages_of_their_own(built: Flask) -> None:
    segments, heroes, trends = {}, {}, {}
    for persona in PERSONAS:
        client = visit(built, persona)
        home = client.get("/").text
        sheet = client.get("/inspector").text
        page = Page(sheet)
        assert page.problems == []
        (segments[persona],) = page.having("data-segment")
        assert "What sets it apart" in sheet
        assert re.search(r"Sure by.*?\d+%", sheet, re.DOTALL)
        heroes[persona], trends[persona] = block(home, "home-hero"), block(home, "home-trending")
    assert len(set(segments.values())) >= 6, segments
    assert len({tuple(names) for names in heroes.values()}) == len(PERSONAS)
    for one in PERSONAS:
        for other in PERSONAS:
            if segments[one] != segments[other]:
                assert trends[one] != trends[other], (one, other)


def test_who_did_not_agree_is_in_no_segment(built: Flask) -> None:
    client = built.test_client()
    client.environ_base["HTTP_USER_AGENT"] = BROWSER
    client.post("/account/as/flora")
    assert "None: the slates below were made without one" in client.get("/inspector").text
    answer = client.get("/mtp/v1/recommendations?placement=home-trending", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.json is not None
    assert answer.json["segment"] is None


def test_a_segments_slate_by_its_id(built: Flask) -> None:
    """The same for all who ask, other than everybody's, and what may be kept is said."""
    state = built.extensions["mtp"]
    client = built.test_client()
    plain = client.get("/mtp/v1/recommendations?placement=home-trending").json
    assert plain is not None
    for segment in state.pipeline.live.get().segments.all():
        url = f"/mtp/v1/recommendations?placement=home-trending&segment_id={segment.segment_id}"
        one, other = client.get(url), visit(built, "vera").get(url)
        assert one.json is not None
        assert other.json is not None
        assert one.json["segment"] == {"segment_id": segment.segment_id, "name": segment.name, "confidence": 1.0}
        ids = [item["product_id"] for item in one.json["items"]]
        assert ids == [item["product_id"] for item in other.json["items"]]
        assert ids != [item["product_id"] for item in plain["items"]]

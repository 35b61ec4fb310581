"""Every error has one shape, pinned in ``golden/web/errors.json``, and tells nothing of the inside."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask import got_request_exception as signal

from mtp_plugin.errors import UnavailableError

from .shop import Shop

CASES = json.loads((Path(__file__).parents[1] / "golden/web/errors.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden(steady_shop: Shop, case: dict[str, Any]) -> None:
    method, path, headers, body = case["request"]
    answer = steady_shop.app.test_client().open(path, method=method, headers=headers, data=body)
    assert answer.get_json() == {"error": case["error"]}
    assert answer.status_code == case["status"]
    assert answer.content_type == "application/json"
    assert "no-store" in answer.headers["Cache-Control"]
    assert ("Allow" in answer.headers) == (case["status"] == 405)


def test_too_large_as_sent_and_as_decompressed(make_shop: Callable[..., Shop]) -> None:
    browser = make_shop(body_max_kb=1).browser()
    bodies = [(b" " * 1025, {}), (gzip.compress(b" " * 10_000_000), {"Content-Encoding": "gzip"})]
    for body, headers in bodies:
        answer = browser.post("/mtp/v1/batch", data=body, headers=headers, content_type="application/json")
        assert answer.status_code == 413
        assert answer.get_json()["error"]["code"] == "too-large"
        assert "1 kB" in answer.get_json()["error"]["message"]
    fits = browser.post("/mtp/v1/batch", data=b'{"batch": []}'.ljust(1024), content_type="application/json")
    assert fits.status_code != 413


def test_a_gzip_that_is_cut_off(shop: Shop) -> None:
    whole = gzip.compress(b'{"batch": []}')
    for body, status in ((whole, 200), (whole[:-9], 400)):
        answer = shop.browser().post(
            "/mtp/v1/batch", data=body, headers={"Content-Encoding": "gzip"}, content_type="application/json"
        )
        assert answer.status_code == status


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'"\\ud800"', b"[" * 20_000, b"null", b"[]", b"1e999"])
@pytest.mark.parametrize("route", ["track", "batch", "ga4", "recommendations", "privacy/consent"])
def test_bodies_that_are_nothing(steady_shop: Shop, route: str, body: bytes) -> None:
    answer = steady_shop.browser().post(f"/mtp/v1/{route}", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.get_json()["error"]) == {"code", "message", "field"}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/plain;charset=UTF-8", None])
def test_types_that_events_may_have(steady_shop: Shop, content_type: str | None) -> None:
    answer = steady_shop.browser().post("/mtp/v1/batch", data=b'{"batch": []}', content_type=content_type)
    assert answer.status_code == 200, answer.text


def test_what_nobody_expected_is_logged_and_not_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*args: object) -> None:
        raise RuntimeError("password=hunter2")

    heard: list[BaseException] = []

    def hear(app: Flask, exception: BaseException) -> None:
        heard.append(exception)

    monkeypatch.setattr(shop.state.pipeline, "recommend", explode)
    with signal.connected_to(hear, shop.app), caplog.at_level(logging.ERROR):
        answer = shop.browser().get("/mtp/v1/recommendations?placement=home-hero")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text + str(answer.headers)
    assert answer.get_json()["error"]["code"] == "internal"
    assert "hunter2" in caplog.text
    assert len(heard) == 1


def test_a_store_that_is_away_is_503_and_the_client_comes_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise UnavailableError("postgresql://user:hunter2@db/shop is away")

    browser = shop.browser().agree()
    with monkeypatch.context() as patch:
        patch.setattr(shop.state.journal, "record", away)
        answer = browser.post(
            "/mtp/v1/track",
            json={"event": "Product Viewed", "messageId": "m1", "properties": {"product_id": "canary-ada"}},
        )
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert answer.get_json()["error"]["code"] == "unavailable"
        assert "hunter2" not in answer.text
    for accepted in (1, 0, 0):
        again = browser.post(
            "/mtp/v1/track",
            json={"event": "Product Viewed", "messageId": "m1", "properties": {"product_id": "canary-ada"}},
        )
        assert again.status_code == 200
        assert shop.state.journal.count() == 1, accepted


def test_profiles_that_are_away_leave_a_slate_for_everybody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise UnavailableError("away")

    browser = shop.browser().agree()
    browser.view("canary-ada")
    monkeypatch.setattr(shop.state.journal, "profiles", away)
    answer = browser.get("/mtp/v1/recommendations?placement=home-hero")
    assert answer.status_code == 200
    assert answer.get_json()["items"]
    assert "mtp-card" in browser.get("/").text


def test_ours_end_where_the_prefix_ends(shop: Shop) -> None:
    for path in ("/mtpx", "/nope/mtp/", "/mtp"):
        assert not shop.app.test_client().get(path).is_json
    assert shop.app.test_client().post("/").status_code == 405
    assert not shop.app.test_client().post("/").is_json


@pytest.mark.parametrize("micros", ["²", "9" * 400, "-1", True, {}, 1e300, 10**30, None])
def test_times_that_are_none_do_not_break_the_answer(shop: Shop, micros: object) -> None:
    event = {"name": "view_item", "params": {"items": [{"item_id": "p001"}]}, "timestamp_micros": micros}
    answer = shop.browser().agree().post("/mtp/v1/ga4", json={"timestamp_micros": micros, "events": [event]})
    assert answer.status_code in (200, 400)
    assert "error" in answer.text

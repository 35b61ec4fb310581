"""Who a request counts as, and what that lets it do."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from typing import Any

import pytest

from mtp_plugin.records import ConsentLevel
from mtp_plugin.web.keys import is_one_of
from mtp_plugin.web.sender import current_sender, own_sender

from .shop import BLOG, PUBLIC, SECRET, Shop

TRACK = "/mtp/v1/track"


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "path", "kind"),
    [
        ({}, TRACK, "anonymous"),
        ({"Origin": "http://localhost"}, TRACK, "browser"),
        ({"Origin": "https://localhost"}, TRACK, "browser"),
        ({"Origin": "http://localhost:80"}, TRACK, "browser"),
        ({"Origin": "http://localhost:8080"}, TRACK, "anonymous"),
        ({"Origin": "http://evil.example"}, TRACK, "anonymous"),
        ({"Origin": "http://localhost.evil.example"}, TRACK, "anonymous"),
        ({"Origin": "null"}, TRACK, "anonymous"),
        ({"Origin": "http://[bad"}, TRACK, "anonymous"),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://shop.example"}, TRACK, "browser"),
        ({"Sec-Fetch-Site": "none"}, TRACK, "browser"),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, TRACK, "anonymous"),
        ({"Sec-Fetch-Site": "cross-site"}, TRACK, "anonymous"),
        ({"Sec-Fetch-Site": "same-origin"} | basic("staging"), TRACK, "browser"),
        (basic(SECRET), TRACK, "server"),
        ({"Authorization": f"Bearer {SECRET}"}, TRACK, "server"),
        (basic(PUBLIC) | {"Origin": BLOG}, TRACK, "other-origin"),
        ({"Origin": BLOG}, f"{TRACK}?writeKey={PUBLIC}", "other-origin"),
        ({"Origin": BLOG}, f"{TRACK}?write_key={PUBLIC}", "other-origin"),
    ],
)
def test_kinds(steady_shop: Shop, headers: dict[str, str], path: str, kind: str) -> None:
    with steady_shop.app.test_request_context(path, method="POST", headers=headers, data=b"{}"):
        assert current_sender().kind == kind


def test_a_key_in_the_body(shop: Shop) -> None:
    for key, headers, kind in ((PUBLIC, {"Origin": BLOG}, "other-origin"), (SECRET, {}, "server")):
        body = f'{{"writeKey": "{key}", "batch": []}}'.encode()
        for data, encoding in ((body, {}), (gzip.compress(body), {"Content-Encoding": "gzip"})):
            with shop.app.test_request_context(TRACK, method="POST", headers=headers | encoding, data=data):
                assert current_sender().kind == kind


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        (basic("sk_wrong"), "", 401),
        (basic(SECRET + "x"), "", 401),
        ({"Authorization": "Bearer nonsense"}, "", 401),
        ({"Authorization": "nonsense"}, "", 401),
        ({}, f"?writeKey={SECRET}", 401),
        ({}, f"?writeKey={PUBLIC}", 403),
        ({"Origin": "https://other.example"}, f"?writeKey={PUBLIC}", 403),
        ({"Origin": BLOG + ".evil.example"}, f"?writeKey={PUBLIC}", 403),
    ],
)
def test_keys_that_are_refused(steady_shop: Shop, headers: dict[str, str], query: str, status: int) -> None:
    answer = steady_shop.app.test_client().post(TRACK + query, json={"event": "x"}, headers=headers)
    assert answer.status_code == status
    assert answer.get_json()["error"]["message"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_a_cookie_alone_makes_a_browser(shop: Shop) -> None:
    browser = shop.browser().agree()
    plain = browser.client.post(TRACK, json={"event": "Product Viewed", "properties": {"product_id": "p001"}})
    assert plain.get_json()["accepted"] == 1


def test_another_sites_page_gains_nothing_by_the_cookie(shop: Shop) -> None:
    browser = shop.browser().agree()
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site, "Origin": "https://user-content.localhost"}
        answer = browser.post(
            TRACK, json={"event": "Product Viewed", "properties": {"product_id": "p001"}}, headers=headers
        )
        assert answer.get_json()["accepted"] == 0
        slate = browser.get("/mtp/v1/recommendations?placement=home-hero", headers=headers)
        assert slate.get_json()["consent_level"] == "non-personal"
        assert "Access-Control-Allow-Origin" not in slate.headers


def test_claims_of_a_browser_are_not_believed(shop: Shop) -> None:
    ada, ben = shop.browser().agree(), shop.browser().agree()
    victim = (ada.cookie("mtp_visitor") or "").split(".")[0]
    for claim in ({"anonymousId": victim}, {"userId": "ada"}, {"anonymousId": victim, "userId": "ada"}):
        body = claim | {"event": "Product Viewed", "properties": {"product_id": "canary-ben"}}
        ben.post(TRACK, json=body)
    assert not list(shop.state.journal.events_of(f"a:{victim}"))
    assert not list(shop.state.journal.events_of("u:ada"))


def test_a_server_names_a_user(shop: Shop) -> None:
    body = {"userId": "ada", "event": "Product Viewed", "properties": {"product_id": "p005"}}
    answer = shop.app.test_client().post(TRACK, json=body, headers=basic(SECRET))
    assert answer.get_json()["accepted"] == 1
    assert [event.user_id for event in shop.state.journal.events_of("u:ada")] == ["ada"]


class TestOtherOrigins:
    """Pages of other origins, by CORS."""

    def preflight(self, shop: Shop, origin: str) -> Any:
        return shop.app.test_client().options(
            "/mtp/v1/batch", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )

    def test_preflight_of_a_listed_origin(self, shop: Shop) -> None:
        answer = self.preflight(shop, BLOG)
        assert answer.headers["Access-Control-Allow-Origin"] == BLOG
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in answer.headers["Vary"]

    def test_preflight_of_any_other(self, shop: Shop) -> None:
        answer = self.preflight(shop, "https://evil.example")
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]

    def test_an_answer_may_be_read(self, shop: Shop) -> None:
        answer = shop.app.test_client().get(f"/mtp/v1/blocks/home-hero?writeKey={PUBLIC}", headers={"Origin": BLOG})
        assert answer.headers["Access-Control-Allow-Origin"] == BLOG
        assert answer.status_code == 200

    def test_a_block_has_whole_addresses(self, shop: Shop) -> None:
        path = f"/mtp/v1/blocks/home-hero?writeKey={PUBLIC}"
        there = shop.app.test_client().get(path, headers={"Origin": BLOG}).text
        here = shop.app.test_client().get(path.partition("?")[0], headers={"Sec-Fetch-Site": "same-origin"}).text
        addresses = re.findall(r'(?:href|src)="([^"]*)"', there)
        assert addresses
        assert all(address.startswith("http://localhost/") for address in addresses)
        assert re.findall(r'(?:href|src)="(/[^"]*)"', here)

    def test_an_error_may_be_read(self, shop: Shop) -> None:
        answer = shop.app.test_client().get(f"/mtp/v1/blocks/nope?writeKey={PUBLIC}", headers={"Origin": BLOG})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (404, BLOG)

    def test_slates_are_not_personal(self, shop: Shop) -> None:
        browser = shop.browser().agree()
        answer = browser.get(
            f"/mtp/v1/recommendations?placement=home-hero&writeKey={PUBLIC}",
            headers={"Origin": BLOG, "Sec-Fetch-Site": "cross-site"},
        )
        assert answer.get_json()["consent_level"] == "non-personal"

    def test_signals_of_the_browser_are_stronger_than_the_page(self, shop: Shop) -> None:
        for name in ("Sec-GPC", "User-Agent"):
            value = "1" if name == "Sec-GPC" else "Googlebot/2.1 (+http://www.google.com/bot.html)"
            headers = {"Origin": BLOG, name: value}
            with shop.app.test_request_context(f"{TRACK}?writeKey={PUBLIC}", method="POST", headers=headers):
                assert current_sender().consent is ConsentLevel.NON_PERSONAL


class TestOwnCode:
    """``mtp.track`` in the shop's own code."""

    def test_in_a_request_it_is_the_visitor(self, shop: Shop) -> None:
        browser = shop.browser().agree()
        browser.get("/sign-in/ada")
        names = ("mtp_visitor", "mtp_consent", "session")
        cookies = "; ".join(f"{name}={browser.cookie(name)}" for name in names)
        with shop.app.test_request_context("/", headers={"Cookie": cookies}):
            sender = own_sender(shop.state)
        assert (sender.kind, sender.profile_id, sender.consent) == ("shop", "u:ada", ConsentLevel.FULL)

    def test_outside_it_is_whom_the_shop_names_unless_refused(self, shop: Shop) -> None:
        with shop.app.app_context():
            assert own_sender(shop.state, "ada").consent is ConsentLevel.FULL
            assert own_sender(shop.state).consent is ConsentLevel.NON_PERSONAL
        browser = shop.browser()
        browser.get("/sign-in/ada")
        browser.agree(False)
        with shop.app.app_context():
            assert own_sender(shop.state, "ada").consent is ConsentLevel.NON_PERSONAL


def test_keys_are_compared_whole() -> None:
    assert is_one_of("a", ["b", "a"])
    assert not is_one_of("a", [])
    assert not is_one_of("", ["a"])
    assert not is_one_of("ä", ["a"])

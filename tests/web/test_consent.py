"""The consent form and its JSON twin."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import render_template_string

from .shop import Shop

CONSENT = "/mtp/v1/privacy/consent"


def test_the_banner_works_without_javascript(shop: Shop) -> None:
    browser = shop.browser()
    page = browser.get("/?a=b%20c&d=%C3%A9").text
    action = re.search(r'action="([^"]+)"', page)
    where = re.search(r'name="next" value="([^"]+)"', page)
    assert action
    assert where
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = browser.post(action[1], data={"choice": "granted", "next": unescape(where[1])}, headers=accept)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?a=b%20c&d=%C3%A9")
    after = browser.get("/").text
    assert "mtp-consent" not in after
    assert 'data-consent="full"' in after


def test_a_mind_can_be_changed(shop: Shop) -> None:
    shop.app.add_url_rule("/privacy", view_func=lambda: render_template_string("{{ mtp_consent(always=True) }}"))
    browser = shop.browser().agree()
    page = browser.get("/privacy").text
    assert 'value="denied"' in page
    assert 'name="next" value="/privacy"' in page


def test_the_script_sends_the_form_and_asks_for_json(shop: Shop) -> None:
    answer = shop.browser().post(CONSENT, data={"choice": "granted"}, headers={"Accept": "application/json"})
    told = answer.get_json()
    purposes, regime = told.pop("purposes"), told.pop("regime")
    assert told == {"consent_level": "full", "choice": True, "policy_version": "1", "gpc": False}
    assert purposes == {"functional": True, "analytics": True, "personalisation": True, "advertising": False}
    assert regime == "opt-in"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/ok\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "evil",
        "",
        " //evil.example",
        "/\x00",
        "///evil.example",
        "/[//evil",
    ],
)
def test_nobody_is_sent_elsewhere(steady_shop: Shop, target: str) -> None:
    answer = steady_shop.browser().post(CONSENT, data={"choice": "denied", "next": target})
    assert answer.status_code == 303
    assert re.fullmatch(r"/(%5B//evil)?", answer.headers["Location"])


@pytest.mark.parametrize("target", ["/", "/a/b?c=d&e=%2F#f", "/p/1"])
def test_a_path_of_this_site_is_returned_to(steady_shop: Shop, target: str) -> None:
    answer = steady_shop.browser().post(CONSENT, data={"choice": "denied", "next": target})
    assert answer.headers["Location"] == target


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://user-content.localhost"},
    ],
)
def test_other_sites_may_not_choose(steady_shop: Shop, headers: dict[str, str]) -> None:
    answer = steady_shop.browser().post(CONSENT, data={"choice": "granted"}, headers=headers)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("body", [{"choice": "granted"}, {}, {"choice": None}, {"choice": True, "x": 1}, [], "x"])
def test_a_choice_is_true_or_false(steady_shop: Shop, body: object) -> None:
    answer = steady_shop.browser().post(CONSENT, json=body)
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_a_form_says_granted_or_denied(shop: Shop) -> None:
    answer = shop.browser().post(CONSENT, data={"choice": "yes"})
    assert answer.status_code == 400
    assert answer.get_json()["error"]["field"] == "choice"


def test_a_signed_in_customer_is_on_record_by_account(shop: Shop) -> None:
    browser = shop.browser()
    browser.get("/sign-in/ada")
    browser.agree()
    browser.agree(False)
    decisions = [one for one in shop.state.consents.of("u:ada") if one.purpose == "personalisation"]
    assert [(one.granted, one.status) for one in decisions] == [(True, "granted"), (False, "revoked")]


def test_gpc_is_announced_at_the_root(shop: Shop) -> None:
    answer = shop.app.test_client().get("/.well-known/gpc.json")
    assert answer.get_json()["gpc"] is True
    assert answer.content_type == "application/json"


@pytest.mark.parametrize("choice", [True, False])
def test_a_plugin_that_is_off_sets_no_cookies(make_shop: Callable[..., Shop], choice: bool) -> None:
    shop = make_shop(enabled=False)
    for body in ({"json": {"choice": choice}}, {"data": {"choice": "granted" if choice else "denied"}}):
        answer = shop.browser().post(CONSENT, **body)
        assert answer.status_code in (200, 303)
        assert "Set-Cookie" not in answer.headers

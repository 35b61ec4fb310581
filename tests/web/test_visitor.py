"""Cookies come only with permission, are signed, and go when it is taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from mtp_plugin.config import Settings
from mtp_plugin.records import ConsentLevel
from mtp_plugin.web.cookies import Cookies
from mtp_plugin.web.visitor import Visitor, current_visitor

from .shop import Shop

PAGES = ("/", "/plain", "/mtp/v1/recommendations?placement=home-hero", "/mtp/v1/blocks/home-hero", "/mtp/widget.js")


def cookies_of(response: TestResponse) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in response.headers.getlist("Set-Cookie")}


def test_nothing_is_set_before_permission(shop: Shop) -> None:
    browser = shop.browser()
    for page in PAGES:
        assert not cookies_of(browser.get(page)), page
    answer = browser.view("p001")
    assert answer["accepted"] == 0
    assert answer["dropped"][0]["reason"]
    assert shop.state.journal.count() == 0
    assert browser.cookie("mtp_visitor") is None


def test_agreeing_gives_an_id_and_the_next_page_knows_it(shop: Shop) -> None:
    browser = shop.browser()
    given = cookies_of(browser.post("/mtp/v1/privacy/consent", json={"choice": True}))
    assert set(given) == {"mtp_visitor", "mtp_consent"}
    for line in given.values():
        assert {"HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=15552000"} <= set(line.split("; "))
        assert "Secure" not in line
    value = browser.cookie("mtp_visitor")
    assert not cookies_of(browser.get("/")), "an id that is known is not given again"
    browser.view("p001")
    assert browser.cookie("mtp_visitor") == value
    (profile_id,) = [name for names in shop.state.journal.profile_ids() for name in names]
    assert profile_id == f"a:{value.split('.')[0]}"  # type: ignore[union-attr]


def test_https_cookies_are_secure(shop: Shop) -> None:
    response = shop.browser().post(
        "/mtp/v1/privacy/consent",
        json={"choice": True},
        base_url="https://localhost",
        headers={"Origin": "https://localhost"},
    )
    assert all("; Secure" in line for line in cookies_of(response).values())
    assert len(cookies_of(response)) == 2


def test_refusing_deletes_the_id_and_keeps_the_choice(shop: Shop) -> None:
    browser = shop.browser().agree()
    known = browser.cookie("mtp_visitor")
    browser.agree(False)
    assert browser.cookie("mtp_visitor") is None
    assert browser.get("/mtp/v1/privacy/consent").get_json()["consent_level"] == "non-personal"
    assert browser.view("p001")["accepted"] == 0
    decisions = shop.state.consents.of(f"a:{known.split('.')[0]}")  # type: ignore[union-attr]
    assert [one.granted for one in decisions if one.purpose == "personalisation"] == [True, False]


def test_a_refusal_by_somebody_unknown_is_kept_under_no_name(shop: Shop) -> None:
    browser = shop.browser().agree(False)
    assert browser.cookie("mtp_visitor") is None
    assert browser.cookie("mtp_consent") is not None


def test_an_opt_out_shop_begins_at_full(make_shop: Callable[..., Shop]) -> None:
    browser = make_shop(regime="opt-out").browser()
    assert set(cookies_of(browser.get("/"))) == {"mtp_visitor"}
    assert browser.view("p001")["accepted"] == 1
    assert not cookies_of(browser.get("/plain")), "a page that does not ask who is visiting stays as it is"


@pytest.mark.parametrize("regime", ["opt-in", "opt-out"])
def test_global_privacy_control_counts_as_a_refusal_until_there_is_a_choice(
    make_shop: Callable[..., Shop], regime: str
) -> None:
    browser, header = make_shop(regime=regime).browser(), {"Sec-GPC": "1"}
    page = browser.get("/", headers=header)
    assert not cookies_of(page)
    assert "mtp-consent" not in page.text
    held = browser.get("/mtp/v1/privacy/consent", headers=header).get_json()
    assert (held["consent_level"], held["choice"], held["gpc"]) == ("non-personal", None, True)
    browser.agree()
    assert browser.get("/mtp/v1/privacy/consent", headers=header).get_json()["consent_level"] == "full"


def test_a_new_policy_asks_again(make_shop: Callable[..., Shop]) -> None:
    old, new = make_shop(), make_shop(policy_version="2")
    browser = old.browser().agree()
    assert "mtp-consent" not in browser.get("/").text
    other = new.browser()
    for name in ("mtp_visitor", "mtp_consent"):
        other.client.set_cookie(name, browser.cookie(name) or "")
    assert other.get("/mtp/v1/privacy/consent").get_json()["choice"] is None
    assert "mtp-consent" in other.get("/").text


@pytest.mark.parametrize("change", ["", "x", "a" * 32, "{}.forged", "é", "\x00", "." * 400])
def test_a_forged_cookie_is_as_none(steady_shop: Shop, change: str) -> None:
    browser = steady_shop.browser().agree()
    browser.client.set_cookie("mtp_visitor", change)
    browser.client.set_cookie("mtp_consent", change)
    assert browser.get("/mtp/v1/privacy/consent").get_json()["consent_level"] == "contextual"
    assert browser.get("/").status_code == 200


def test_a_choice_is_not_an_id_nor_the_other_way_round() -> None:
    cookies = Cookies(Settings(), ["k"])
    signed = cookies._signer.sign("ab" * 16).decode()
    assert cookies.visitor_id(signed) == "ab" * 16
    assert cookies.choice(signed) is None
    choice = cookies._serializer.dumps({"choice": True, "policy_version": "1", "time": 0})
    assert cookies.choice(choice) is True
    assert cookies.visitor_id(choice) == ""


@pytest.mark.parametrize("value", [[], {}, {"choice": 1, "policy_version": "1", "time": 0}, "true", None])
def test_a_signed_choice_of_another_shape_is_none(value: object) -> None:
    cookies = Cookies(Settings(), ["k"])
    assert cookies.choice(cookies._serializer.dumps(value)) is None


def test_keys_rotate(make_shop: Callable[..., Shop]) -> None:
    old = make_shop()
    browser = old.browser().agree()
    cookies = Cookies(Settings(), ["a key of the tests", "a newer key"])
    known = cookies.visitor_id(browser.cookie("mtp_visitor"))
    assert known
    assert cookies.choice(browser.cookie("mtp_consent")) is True
    assert Cookies(Settings(), ["a newer key"]).visitor_id(browser.cookie("mtp_visitor")) == ""


def test_an_id_lives_as_long_as_its_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = Cookies(Settings(cookie_days=1), ["k"])
    signed = cookies._signer.sign("ab" * 16).decode()
    then = cookies._signer.get_timestamp()
    monkeypatch.setattr(cookies._signer, "get_timestamp", lambda: then + 86_400)
    assert cookies.visitor_id(signed) == "ab" * 16
    monkeypatch.setattr(cookies._signer, "get_timestamp", lambda: then + 86_402)
    assert cookies.visitor_id(signed) == ""


def test_a_user_cannot_be_named_to_look_like_a_visitor() -> None:
    visitor = Visitor("ab" * 16, "a:" + "cd" * 16, ConsentLevel.FULL, True, gpc=False, bot=False)
    assert visitor.profile_ids == ("u:a:" + "cd" * 16, "a:" + "ab" * 16)


def test_below_full_nobody_is_anybody(shop: Shop) -> None:
    browser = shop.browser().agree()
    browser.get("/sign-in/ada")
    headers = {"Cookie": f"mtp_visitor={browser.cookie('mtp_visitor')}; session={browser.cookie('session')}"}
    with shop.app.test_request_context("/", headers=headers):
        visitor = current_visitor()
        assert visitor is current_visitor()
        assert (visitor.level, visitor.profile_ids) == (ConsentLevel.CONTEXTUAL, ())


def test_two_applications_keep_their_visitors_apart(make_shop: Callable[..., Shop]) -> None:
    first, second = make_shop(), make_shop()
    second.app.secret_key = "ignored: keys are read when the plugin is mounted"
    browser = first.browser().agree()
    browser.view("p003")
    assert (first.state.journal.count(), second.state.journal.count()) == (1, 0)
    assert first.app.extensions["mtp_web"] is not second.app.extensions["mtp_web"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [(7, "7"), (" ada ", "ada"), ("", ""), (None, ""), ("x" * 500, ""), ("a\nb", "")],
)
def test_what_the_user_loader_may_give(shop: Shop, given: object, expected: str) -> None:
    shop.mtp.user_loader(lambda: given)
    browser = shop.browser().agree()
    cookies = "; ".join(f"{name}={browser.cookie(name)}" for name in ("mtp_visitor", "mtp_consent"))
    with shop.app.test_request_context("/", headers={"Cookie": cookies}):
        assert current_visitor().user_id == expected

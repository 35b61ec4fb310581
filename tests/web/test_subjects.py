"""Visitors ask for their data themselves: signed in, by their cookie, or by a receipt; nobody else can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .shop import SECRET, Browser, Shop

SUBJECT, REQUESTS = "/mtp/v1/privacy/subject", "/mtp/v1/privacy/requests"
SERVER = {"Authorization": f"Bearer {SECRET}", "User-Agent": "a server of the shop"}


def known(shop: Shop) -> Browser:
    browser = shop.browser().agree()
    browser.view("p001")
    return browser


def profile_ids(shop: Shop) -> list[str]:
    return [name for names in shop.state.journal.profile_ids() for name in names]


def test_one_reads_ones_own_data_and_nobody_elses(shop: Shop) -> None:
    one, other = known(shop), known(shop)
    found = one.get(SUBJECT).get_json()
    assert [event["products"][0]["product_id"] for event in found["events"]["events"]] == ["p001"]
    assert len(found["consents"]) == 3
    assert len(found["ids"]) == 1
    assert other.get(SUBJECT).get_json()["ids"] != found["ids"]
    assert other.get(f"{SUBJECT}?anonymous_id={found['ids'][0][2:]}").status_code == 403
    assert shop.browser().get(SUBJECT).status_code == 401
    cross = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert one.get(SUBJECT, headers=cross).status_code == 403
    assert one.post(REQUESTS, json={"kind": "erase"}, headers=cross).status_code == 403
    assert one.get(SUBJECT).headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(("kind", "begins"), [("html", "<!doctype html>"), ("text", "ids")])
def test_it_can_be_read_by_people(shop: Shop, kind: str, begins: str) -> None:
    answer = known(shop).get(f"{SUBJECT}?format={kind}")
    assert answer.text.startswith(begins)
    assert "p001" in answer.text
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"


def test_erasing_oneself(shop: Shop) -> None:
    browser = known(shop)
    cookie = browser.client.get_cookie("mtp_visitor")
    answer = browser.client.delete(SUBJECT, headers={"Sec-Fetch-Site": "same-origin", "User-Agent": "Mozilla/5.0 F"})
    told = answer.get_json()
    assert (told["kind"], told["steps"]["events"], told["finished_at"]) == ("erase", 1, 0.0)
    assert profile_ids(shop) == []
    assert browser.cookie("mtp_visitor") is None, "the id is gone"
    assert browser.get("/mtp/v1/privacy/consent").get_json()["consent_level"] == "non-personal"
    assert browser.view("p002")["accepted"] == 0

    shop.state.subjects.resume()
    (done,) = browser.get(f"{REQUESTS}?receipt={told['receipt']}").get_json()["requests"]
    assert done["finished_at"] > 0
    assert "events" not in browser.get(f"{SUBJECT}?receipt={told['receipt']}").get_json()["events"]

    assert cookie is not None
    browser.client.set_cookie("mtp_visitor", cookie.value)  # an old copy of the cookie does not bring the id back
    assert browser.view("p003")["accepted"] == 0


def test_a_new_yes_after_an_erasure_begins_anew(shop: Shop) -> None:
    browser = known(shop)
    browser.get("/sign-in/ada")
    browser.view("p001")
    assert browser.post(REQUESTS, json={"kind": "erase"}).get_json()["steps"]["events"] == 2
    browser.agree()
    assert browser.view("p005")["accepted"] == 1
    assert profile_ids(shop) == ["u:ada"]


@pytest.mark.parametrize("kind", ["restrict", "object"])
def test_what_is_kept_is_no_longer_used(shop: Shop, kind: str) -> None:
    browser = known(shop)
    browser.get("/sign-in/ben")
    browser.view("p001")
    told = browser.post(REQUESTS, json={"kind": kind}).get_json()
    assert told["steps"]["suppress"] == 2
    assert "u:ben" in profile_ids(shop)
    level = "/mtp/v1/recommendations?placement=home-hero&user_id=ben"
    assert shop.app.test_client().get(level, headers=SERVER).get_json()["consent_level"] == "non-personal"
    shop.state.subjects.resume()
    lifted = browser.post(REQUESTS, json={"kind": "lift", "receipt": told["receipt"]}).get_json()
    assert lifted["steps"]["lift"] == 2
    assert browser.agree().view("p002")["accepted"] == 1


def test_a_form_goes_back_to_its_page(shop: Shop) -> None:
    browser = known(shop)
    answer = browser.post(REQUESTS, data={"kind": "erase", "next": "/account?done=1"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?done=1")
    assert profile_ids(shop) == []
    assert known(shop).post(REQUESTS, data={"kind": "dance"}).status_code == 400
    assert known(shop).post(REQUESTS, data={"kind": "erase", "next": "//evil.example"}).headers["Location"] == "/"


def test_servers_name_the_visitor(shop: Shop) -> None:
    server = shop.app.test_client()
    track = {"userId": "carl", "event": "Product Viewed", "properties": {"product_id": "p001"}}
    server.post("/mtp/v1/track", json=track, headers=SERVER)
    assert server.get(f"{SUBJECT}?user_id=carl", headers=SERVER).get_json()["ids"] == ["u:carl"]
    assert server.get(SUBJECT, headers=SERVER).status_code == 400
    changed = {"kind": "rectify", "user_id": "carl", "traits": {"city": "Ulm"}}
    assert server.post(REQUESTS, json=changed, headers=SERVER).get_json()["steps"]["rectify"]["changed"] == 1
    assert server.post(REQUESTS, json={"kind": "erase", "user_id": "carl"}, headers=SERVER).status_code == 200
    answer: dict[str, Any] = server.post("/mtp/v1/track", json=track, headers=SERVER).get_json()
    assert answer["accepted"] == 0
    assert answer["dropped"][0]["reason"] == "suppressed"
    assert profile_ids(shop) == []


@pytest.mark.parametrize("receipt", ["nonsense", "WyJhOjEiXQ.aaaaaa.bbbb"])
def test_a_forged_receipt_proves_nothing(shop: Shop, receipt: str) -> None:
    assert shop.browser().get(f"{SUBJECT}?receipt={receipt}").status_code == 401


def test_a_refusal_leaves_a_receipt_for_what_is_still_there(shop: Shop) -> None:
    browser = known(shop)
    receipt = browser.post("/mtp/v1/privacy/consent", json={"choice": False}).get_json()["receipt"]
    assert browser.cookie("mtp_visitor") is None
    assert len(profile_ids(shop)) == 1, "a refusal alone erases nothing unless the shop says so"
    assert browser.post(REQUESTS, json={"kind": "erase", "receipt": receipt}).status_code == 200
    assert profile_ids(shop) == []


def test_revoking_erases_where_the_shop_says_so(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(erase_on_revoke=True)
    browser = known(shop)
    assert len(profile_ids(shop)) == 1
    browser.agree(False)
    assert profile_ids(shop) == []


def test_choice_by_purpose_strings_and_states(shop: Shop) -> None:
    consent = "/mtp/v1/privacy/consent"
    browser = shop.browser()
    told = browser.post(consent, json={"purposes": {"functional": True, "personalisation": False}}).get_json()
    assert (told["consent_level"], told["purposes"]["functional"], told["choice"]) == ("contextual", True, False)
    assert browser.get(consent).get_json()["consent_level"] == "contextual", "the cookie holds every purpose"
    told = browser.post(consent, json={"consent_mode": {"personalization_storage": "granted"}}).get_json()
    assert (told["consent_level"], told["purposes"]["functional"]) == ("full", True)
    (decision,) = [one for names in [profile_of(browser)] for one in shop.state.consents.of(names)]
    assert (decision.source, decision.status) == ("consent-mode", "granted")
    assert decision.proof == "consent-mode:personalization_storage=granted"
    sample = "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA"
    told = browser.post(consent, json={"tcf": sample, "source": "onetrust"}).get_json()
    assert told["consent_level"] == "contextual", "storing is allowed, a profile is not"
    assert shop.state.audit.latest(1)[0].details["source"] == "onetrust"
    assert shop.state.audit.verify() == []


def profile_of(browser: Browser) -> str:
    value = browser.cookie("mtp_visitor")
    assert value
    return f"a:{value.split('.')[0]}"


@pytest.mark.parametrize(
    "body",
    [{"purposes": {}}, {"purposes": {"x": True}}, {"tcf": "x"}, {"consent_mode": {}}, {"consent_mode": {"a": "yes"}},
     {"choice": True, "tcf": "x"}, {"source": "x"}],
)  # fmt: skip
def test_what_decides_nothing_is_refused(steady_shop: Shop, body: dict[str, Any]) -> None:
    answer = steady_shop.browser().post("/mtp/v1/privacy/consent", json=body)
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_the_form_takes_a_choice_by_purpose(shop: Shop) -> None:
    browser = shop.browser()
    page = browser.get("/").text
    assert page.count('name="purpose"') == 3
    assert "checked>" not in page, "nothing is ticked beforehand"
    browser.post("/mtp/v1/privacy/consent", data={"choice": "chosen", "purpose": ["functional"]})
    told = browser.get("/mtp/v1/privacy/consent").get_json()
    assert (told["consent_level"], told["choice"]) == ("contextual", False)
    assert "mtp-consent" not in browser.get("/").text


def test_regimes_follow_the_place(make_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch) -> None:
    from mtp_plugin.web import visitor

    shop = make_shop(regimes={"US-CA": "opt-out"})
    browser = shop.browser()
    assert browser.get("/mtp/v1/privacy/consent").get_json()["regime"] == "opt-in"
    monkeypatch.setattr(visitor, "current_regime", lambda state: "opt-out")
    told = browser.get("/mtp/v1/privacy/consent").get_json()
    assert (told["regime"], told["consent_level"]) == ("opt-out", "full")
    signalled = shop.browser().get("/mtp/v1/privacy/consent", headers={"Sec-GPC": "1"})
    assert signalled.get_json()["purposes"]["advertising"] is False
    assert signalled.get_json()["consent_level"] == "non-personal"
    assert "Set-Cookie" not in signalled.headers

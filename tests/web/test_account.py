"""A refusal follows the account to every device that is signed in."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mtp_plugin.errors import UnavailableError
from mtp_plugin.ports import ConsentDecision

from .shop import Browser, Shop

CONSENT = "/mtp/v1/privacy/consent"
RECENT = "/mtp/v1/recommendations?placement=recently-viewed"


def signed_in(shop: Shop) -> Browser:
    browser = shop.browser()
    browser.get("/sign-in/ada")
    return browser


def record(shop: Shop, granted: bool, decided_at: float) -> None:
    decision = ConsentDecision(
        subject_id="u:ada", purpose="personalisation", granted=granted, policy_version="1", decided_at=decided_at,
        source="banner",
    )  # fmt: skip
    shop.state.consents.append(decision)


def level(browser: Browser) -> Any:
    return browser.get(CONSENT).get_json()["consent_level"]


def track_from_the_shop(shop: Shop) -> None:
    shop.app.add_url_rule("/own", view_func=lambda: str(shop.mtp.track("Product Viewed", VIEWED).accepted))


VIEWED = {"product_id": "canary-ada"}


def test_a_refusal_elsewhere_holds_here(shop: Shop) -> None:
    track_from_the_shop(shop)
    here = signed_in(shop).agree()
    here.view("canary-ada")
    assert "canary-ada" in here.get(RECENT).text
    assert here.get("/own").text == "1"
    kept = shop.state.journal.count()
    record(shop, False, time.time() + 5)
    assert level(here) == "non-personal"
    assert "canary-ada" not in here.get(RECENT).text
    assert here.view("p001")["accepted"] == 0
    assert here.get("/own").text == "0"
    assert shop.state.journal.count() == kept
    assert here.cookie("mtp_visitor") is None


def test_only_the_latest_decision_counts_and_only_if_newer(shop: Shop) -> None:
    record(shop, False, time.time() - 60)
    here = signed_in(shop).agree()
    assert level(here) == "full"
    record(shop, False, time.time() + 5)
    record(shop, True, time.time() + 6)
    assert level(here) == "full"


def test_somebody_else_on_the_device_is_asked_for_nothing(shop: Shop) -> None:
    record(shop, False, time.time() + 5)
    assert level(shop.browser().agree()) == "full"


@pytest.mark.parametrize("path", ["/", RECENT, "/mtp/v1/blocks/home-hero", CONSENT])
def test_a_record_that_cannot_be_read_leaves_the_page(shop: Shop, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    here = signed_in(shop).agree()
    here.view("canary-ada")
    cookie = here.cookie("mtp_visitor")

    def away(subject_id: str) -> list[ConsentDecision]:
        raise UnavailableError("away")

    monkeypatch.setattr(shop.state.consents, "of", away)
    answer = here.get(path)
    assert answer.status_code == 200
    assert "contextual" in answer.text or path.endswith("home-hero")
    assert "canary-ada" not in answer.text
    body = {"event": "Product Viewed", "properties": VIEWED}
    assert here.post("/mtp/v1/track", json=body).status_code == 503, "sent again, not lost"
    assert here.cookie("mtp_visitor") == cookie

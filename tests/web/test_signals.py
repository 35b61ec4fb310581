"""What a shop hears, with its application as the sender."""

from __future__ import annotations

from typing import Any

from blinker import Signal

from mtp_plugin.signals import consent_changed, event_recorded, slate_served

from .shop import Shop


class Ear:
    """Keeps what one signal said."""

    def __init__(self, signal: Signal, shop: Shop) -> None:
        self.heard: list[dict[str, Any]] = []
        signal.connect(self.hear, shop.app)

    def hear(self, sender: object, **said: Any) -> None:
        self.heard.append(said)


def test_events_are_told_once(shop: Shop) -> None:
    ear, browser = Ear(event_recorded, shop), shop.browser().agree()
    body = {"event": "Product Viewed", "messageId": "m1", "properties": {"product_id": "p001"}}
    for _ in range(2):
        browser.post("/mtp/v1/track", json=body)
    (said,) = ear.heard
    assert said["event"].name == "Product Viewed"
    assert [product.product_id for product in said["event"].products] == ["p001"]


def test_slates_are_told_whichever_way_they_go(shop: Shop) -> None:
    ear, browser = Ear(slate_served, shop), shop.browser()
    browser.get("/mtp/v1/recommendations?placement=home-hero")
    browser.get("/mtp/v1/blocks/home-hero")
    browser.get("/")
    placements = [said["slate"].placement for said in ear.heard]
    assert placements == ["home-hero", "home-hero", "recently-viewed", "home-hero"]


def test_choices_are_told(shop: Shop) -> None:
    ear, browser = Ear(consent_changed, shop), shop.browser().agree()
    browser.agree(False)
    personal = [said["decision"] for said in ear.heard if said["decision"].purpose == "personalisation"]
    assert [decision.granted for decision in personal] == [True, False]
    assert {said["decision"].policy_version for said in ear.heard} == {"1"}

"""What is found out about one request stays with it, also where requests share an application context."""

from __future__ import annotations

from .shop import BLOG, PUBLIC, Shop

CONSENT = "/mtp/v1/privacy/consent"


def test_requests_in_one_application_context_do_not_meet(shop: Shop) -> None:
    ada, ben = shop.browser().agree(), shop.browser()
    with shop.app.app_context():
        assert ada.get(CONSENT).get_json()["consent_level"] == "full"
        assert ada.view("p001")["accepted"] == 1
        page = ben.get("/")
        assert 'data-consent="contextual"' in page.text
        assert "Set-Cookie" not in page.headers
        assert ben.get(CONSENT).get_json()["choice"] is None
        assert ben.view("p002")["accepted"] == 0
    assert ben.cookie("mtp_visitor") is None


def test_a_choice_in_one_application_context_is_one_visitors(shop: Shop) -> None:
    ada, ben = shop.browser(), shop.browser()
    with shop.app.app_context():
        ada.agree()
        assert "Set-Cookie" not in ben.get("/").headers
        ben.agree(False)
        assert ada.get(CONSENT).get_json()["consent_level"] == "full"
        assert ben.get(CONSENT).get_json()["consent_level"] == "non-personal"


def test_headers_in_one_application_context_are_one_answers(shop: Shop) -> None:
    client = shop.app.test_client()
    with shop.app.app_context():
        read = client.get(f"/mtp/v1/blocks/home-hero?writeKey={PUBLIC}", headers={"Origin": BLOG})
        assert read.headers["Access-Control-Allow-Origin"] == BLOG
        assert "Access-Control-Allow-Origin" not in client.get("/mtp/v1/blocks/home-hero").headers
        shop.browser().get("/")
        assert "Vary" not in client.get("/plain").headers

"""Browsing as somebody: an account of one's own with a simulated past, used only with permission."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from demo_store.loyalty import CARDS, card
from demo_store.personas import PERSONAS
from demo_store.whereabouts import HOMES, MOBILE
from mtp_plugin.records import Event
from tests.demo.html import Page

CONSENT = "/mtp/v1/privacy/consent"


def agree(client: FlaskClient) -> None:
    answer = client.post(CONSENT, data={"choice": "granted", "next": "/"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303


def user_of(client: FlaskClient) -> str:
    with client.session_transaction() as session:
        return str(session.get("account", ""))


def events_of(app: Flask, profile_id: str) -> list[Event]:
    return list(app.extensions["mtp"].journal.events_of(profile_id))


def parts(client: FlaskClient, slates: str) -> list[str]:
    """The parts of the inspector's sheet."""
    return Page(f"<h1></h1>{client.get(f'/inspector?part=1&slates={slates}').text}").having("data-part")


def slates_served(app: Flask) -> int:
    """How many slates are in the log."""
    app.extensions["mtp"].slates.flush()
    with sqlite3.connect(Path(app.instance_path) / "mtp.sqlite") as database:
        return int(database.execute("SELECT count(*) FROM mtp_slate").fetchone()[0])


def test_a_persona_brings_its_past(client: FlaskClient, shop: Flask) -> None:
    agree(client)
    assert client.post("/account/as/flora", data={"next": "/"}).location == "/"
    user = user_of(client)
    events = events_of(shop, f"u:{user}")
    assert len(events) > 10
    assert {event.source for event in events} == {"simulated", "crm:loyalty"}
    page = Page(client.get("/inspector").text)
    assert page.problems == []
    assert "Plants" in page.text
    assert "simulated past" in page.text
    assert "Browsing as Flora" in page.text


def test_the_inspector_tells_of_the_request_and_where_each_trait_came_from(client: FlaskClient) -> None:
    agree(client)
    client.post("/account/as/vera")
    text = " ".join(Page(client.get("/inspector").text).text.split())
    for part in (
        "This request",
        "desktop · linux · chrome",
        "New York, NY, US, urban (simulated)",
        "in America/New_York",
    ):
        assert part in text
    for trait in ("gold crm:loyalty", "35-44 crm:loyalty", "mobile request"):
        assert trait in text


def test_who_does_not_agree_is_told_of_no_profile_and_no_trait(client: FlaskClient) -> None:
    client.post("/account/as/vera")
    text = Page(client.get("/inspector").text).text
    assert "crm:loyalty" not in text
    assert "Loyalty" not in text


def test_every_account_has_one_card_and_every_kind_a_home() -> None:
    assert set(HOMES) == set(MOBILE) == set(CARDS) == set(PERSONAS)
    assert card("shopper-1-7") == card("shopper-1-7") == {**card("shopper-1-7"), "customer": "shopper-1-7"}


def test_each_browser_gets_its_own_copy(client: FlaskClient, shop: Flask) -> None:
    client.post("/account/as/flora")
    other = shop.test_client()
    other.post("/account/as/flora")
    assert user_of(client) != user_of(other)


def test_without_permission_nobodys_past_is_used(client: FlaskClient) -> None:
    client.post("/account/as/flora")
    page = Page(client.get("/account").text)
    assert page.problems == []
    assert "have not agreed" in page.text
    assert "It takes a yes" in client.get("/inspector").text


def test_being_nobody_again(client: FlaskClient) -> None:
    client.post("/account/as/vera")
    page = Page(client.get("/").text)
    assert "Browsing as Vera" in page.text
    assert [button["formaction"] for button in page.all("button") if "aria-pressed" in button] == ["/account/as/vera"]
    assert client.post("/account/out", data={"next": "//evil.example"}).location == "/"
    assert user_of(client) == ""
    assert client.post("/account/as/nobody").status_code == 404


def test_a_past_shapes_the_front_page(client: FlaskClient, shop: Flask) -> None:
    def hero() -> list[str]:
        html = client.get("/").text
        block = html[html.index('data-mtp-placement="home-hero"') :]
        return Page(block[: block.index("</section>")]).having("data-mtp-item")

    agree(client)
    before = hero()
    client.post("/account/as/milo")
    after = hero()
    assert before != after
    products = shop.extensions["tarn"].catalogue.products
    assert any(products[name].attributes["range"] == "shoes" for name in after)


def test_one_persons_past_does_not_follow_into_the_next(client: FlaskClient, shop: Flask) -> None:
    agree(client)
    client.get("/")
    first = client.get_cookie("mtp_visitor")
    client.post("/account/as/niko")
    client.get("/")
    second = client.get_cookie("mtp_visitor")
    assert first
    assert second
    assert first.value != second.value


def test_the_inspector_shows_only_ones_own_slates(client: FlaskClient, shop: Flask) -> None:
    agree(client)
    client.post("/account/as/vera")
    mine = Page(client.get("/").text).having("data-mtp-slate")
    assert "block-home-hero" in parts(client, mine[0])
    stranger = shop.test_client()
    stranger.environ_base["HTTP_USER_AGENT"] = client.environ_base["HTTP_USER_AGENT"]
    agree(stranger)
    assert parts(stranger, mine[0]) == ["consent", "context", "profile", "segment"]


def test_the_inspector_tells_what_the_next_page_would_hold(client: FlaskClient, shop: Flask) -> None:
    agree(client)
    client.post("/account/as/vera")
    page = client.get("/")
    served, slates = Page(page.text).having("data-mtp-item")[:8], Page(page.text).having("data-mtp-slate")
    before = client.get(f"/inspector?part=1&slates={slates[0]}").text
    assert "changed since this page" not in before
    for product in shop.extensions["tarn"].catalogue.by_category["plants"][:6]:
        client.post(
            "/mtp/v1/track",
            json={"type": "track", "event": "Product Viewed", "properties": {"product_id": product.product_id}},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
    logged = slates_served(shop)
    after = client.get(f"/inspector?part=1&slates={slates[0]}").text
    assert "changed since this page" in after
    assert slates_served(shop) == logged, "what the inspector asks for counts as served to nobody"
    links = [link["href"] for link in Page(f"<h1></h1>{after[after.index('block-home-hero') - 20 :]}").all("a")]
    assert links[:8] != [f"/products/{name}" for name in served]
    following = Page(client.get("/").text).having("data-mtp-item")[:8]
    assert links[:8] == [f"/products/{name}" for name in following]


def test_what_the_shop_believes_can_be_corrected(client: FlaskClient, shop: Flask) -> None:
    agree(client)
    client.post("/account/as/greta")
    page = Page(client.get("/account").text)
    assert page.problems == []
    (town,) = (field for field in page.all("input") if field.get("name") == "city")
    assert town["value"] == "Zell am See"
    answer = client.post("/account/data/correct", data={"city": "Graz", "age_band": ""}, follow_redirects=True)
    assert "Corrected. Receipt" in answer.text
    (profile,) = shop.extensions["mtp"].journal.profiles([f"u:{user_of(client)}"])
    assert (profile.traits["city"], profile.traits.get("age_band")) == ("Graz", None)
    shop.test_cli_runner().invoke(args=["mtp", "jobs", "run", "traits"])
    (profile,) = shop.extensions["mtp"].journal.profiles([f"u:{user_of(client)}"])
    assert profile.traits.get("age_band") is None, "the loyalty card does not bring back what was taken away"
    assert "Choose an age" in client.post("/account/data/correct", data={"age_band": "7"}, follow_redirects=True).text


def test_a_visitor_without_an_account_corrects_by_their_cookie(client: FlaskClient, shop: Flask) -> None:
    assert "Correct it" not in client.get("/account").text, "there is nothing to correct"
    agree(client)
    for product in shop.extensions["tarn"].catalogue.by_category["plants"][:2]:
        client.get(f"/products/{product.product_id}")
        client.post(
            "/mtp/v1/track",
            json={"type": "track", "event": "Product Viewed", "properties": {"product_id": product.product_id}},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
    assert "Correct it" in client.get("/account").text
    assert "Corrected" in client.post("/account/data/correct", data={"city": "Bonn"}, follow_redirects=True).text
    (town,) = (field for field in Page(client.get("/account").text).all("input") if field.get("name") == "city")
    assert town["value"] == "Bonn"
    stranger = shop.test_client()
    stranger.environ_base["HTTP_USER_AGENT"] = client.environ_base["HTTP_USER_AGENT"]
    assert "Corrected" not in stranger.post("/account/data/correct", data={"city": "X"}, follow_redirects=True).text


def test_the_account_says_why(client: FlaskClient) -> None:
    agree(client)
    client.post("/account/as/flora")
    page = Page(client.get("/account").text)
    assert page.problems == []
    assert "Plants" in page.text
    assert "Why this?" in page.text
    assert "simulated" in page.text
    assert [button["value"] for button in page.all("button") if button.get("name") == "choice"] == ["granted", "denied"]


def test_the_account_has_a_block_of_its_own(client: FlaskClient) -> None:
    """Before anything was learnt the next rung answers."""
    agree(client)
    client.post("/account/as/flora")
    page = Page(client.get("/account").text)
    assert page.having("data-mtp-placement") == ["account-next"]
    assert page.having("data-mtp-strategy")[0] in ("recommended-for-you", "best-sellers")
    assert len(page.having("data-mtp-item")) == 8

"""A visitor walks through the demo store in Chromium; what they did is found in the database, the profile and the
next slate."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from mtp_plugin.profile.read import affinities

from .demo_shop import Store, be

pytestmark = pytest.mark.browser


def hero(page: Page) -> list[str]:
    """Products of the front page's own block."""
    cards = page.locator('[data-mtp-placement="home-hero"] [data-mtp-item]').all()
    return [str(card.get_attribute("data-mtp-item")) for card in cards]


def pay(page: Page) -> None:
    for label, text in {
        "E-mail": "you@example.org", "Full name": "Ada Lund", "Street and number": "Lake Road 4", "Postcode": "1234",
        "Town": "Tarnby", "Card number": "4242 4242 4242 4242", "Expiry (MM/YY)": "12/39",
    }.items():  # fmt: skip
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name=re.compile("Order for")).click()


def test_from_the_first_page_to_the_order(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(store.url)
    before = hero(page)
    assert len(before) == 8
    assert {cookie["name"] for cookie in page.context.cookies()} <= {"session"}
    assert store.events() == []

    page.locator(".mtp-consent button[value=granted]").click()
    expect(page.locator(".mtp-consent")).to_have_count(0)

    page.get_by_role("navigation", name="Departments").get_by_role("link", name="Home").click()
    page.get_by_role("link", name="Lamps", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lamps")

    page.get_by_label("Search the shop").fill("desk lamp")
    page.get_by_label("Search the shop").press("Enter")
    searched = store.wait_for("Products Searched")
    assert searched.properties["query"] == "desk lamp"
    assert searched.properties["results"] == int(str(page.locator("main").get_attribute("data-mtp-results")))

    page.locator(".grid .card:not(:has-text('Sold out')) .cover").first.click()
    shown = page.locator("[data-mtp-product]")
    product_id = str(shown.get_attribute("data-mtp-product"))
    viewed = store.wait_for("Product Viewed")
    assert [line.product_id for line in viewed.products] == [product_id]
    assert viewed.products[0].price == float(str(shown.get_attribute("data-mtp-price")))

    page.get_by_role("button", name="Put in the basket").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Basket")
    added = store.wait_for("Product Added")
    assert [line.product_id for line in added.products] == [product_id]
    assert product_id not in [card.get_attribute("data-mtp-item") for card in page.locator("[data-mtp-item]").all()], (
        "what is in the basket is not recommended"
    )

    page.get_by_role("link", name="Check out").click()
    pay(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ada.")
    ordered = store.wait_for("Order Completed")
    assert [line.product_id for line in ordered.products] == [product_id]
    assert ordered.properties["order_id"] == page.url.rsplit("/", 1)[1]

    profile = store.profile()
    assert profile.orders == 1
    assert [purchase.product_id for purchase in profile.purchases] == [product_id]
    settings = store.state.settings
    liked = affinities(profile, "category", time.time(), settings.half_life_days * 86400)
    assert next(iter(liked)) == "Home > Lamps"

    page.goto(store.url)
    after = hero(page)
    assert after != before
    products = store.app.extensions["tarn"].catalogue.products

    def lamps(names: list[str]) -> int:
        return sum(products[name].attributes["range"] == "lamps" for name in names)

    assert lamps(after) > lamps(before)


def test_seen_and_clicked(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(store.url)
    page.locator(".mtp-consent button[value=granted]").click()
    expect(page.locator(".mtp-consent")).to_have_count(0)
    page.reload()
    block = page.locator('[data-mtp-placement="home-hero"]')
    slate = str(block.get_attribute("data-mtp-slate"))
    block.scroll_into_view_if_needed()
    block.locator("[data-mtp-item]").last.scroll_into_view_if_needed()
    seen = store.wait_for("Product List Viewed", lambda event: event.recommendation_id == slate)
    assert [line.product_id for line in seen.products] == hero(page)
    card = block.locator("[data-mtp-item]").nth(2)
    product_id = card.get_attribute("data-mtp-item")
    card.get_by_role("link").click()
    clicked = store.wait_for("Product Clicked")
    assert clicked.recommendation_id == slate
    assert [(line.product_id, line.position) for line in clicked.products] == [(product_id, 3)]


def test_the_inspector_follows_without_a_reload(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1440, "height": 900})
    be(page, store, "Flora")
    page.goto(store.url)
    page.get_by_role("link", name="Inspector").first.click()
    sheet = page.get_by_role("dialog", name="Inspector")
    expect(sheet).to_contain_text("Consent: full")
    expect(sheet).to_contain_text("simulated past")
    profile, block = sheet.locator("[data-part=profile]"), sheet.locator("[data-part=block-home-hero]")
    expect(profile).to_contain_text("Plants")
    expect(block.locator(".slate li")).to_have_count(8)
    expect(block.locator(".origins .tag").first).to_be_visible()
    assert [line.inner_text() for line in block.locator(".what a").all()] == [
        card.inner_text() for card in page.locator("[data-mtp-placement=home-hero] .mtp-link").all()
    ]
    before = profile.locator("p").first.inner_text()

    other = page.context.new_page()
    for address in ("/products/glint-task-lamp", "/products/vigil-desk-lamp", "/products/aurora-task-lamp"):
        other.goto(store.url + address)
        store.wait_for("Product Viewed", lambda event, name=address: name.endswith(event.products[0].product_id))
    page.bring_to_front()
    expect(profile.locator("p").first).not_to_have_text(before, timeout=15_000)
    expect(profile.get_by_role("link", name="Glint Task Lamp: view")).to_have_count(1)
    expect(block).to_contain_text("changed since this page")
    expect(block.locator(".by", has_text="new").first).to_be_visible()

    sheet.get_by_role("button", name="Close the inspector").click()
    expect(page.locator("dialog.sheet")).to_be_hidden()


def test_without_javascript(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(java_script_enabled=False)
    page.goto(store.url)
    page.locator(".mtp-consent button[value=granted]").click()
    assert page.locator(".mtp-consent").count() == 0
    page.goto(f"{store.url}/shop/mugs?show=stock")
    page.locator(".shelf .cover").first.click()
    page.get_by_role("button", name="Put in the basket").click()
    page.get_by_role("link", name="Check out").click()
    pay(page)
    assert "Thank you, Ada." in page.content()
    assert store.wait_for("Order Completed").source != "simulated"


def test_a_no_is_a_no(store: Store, visit: Callable[..., Page]) -> None:
    page = visit()
    page.goto(store.url)
    page.locator(".mtp-consent button[value=denied]").click()
    expect(page.locator(".mtp-consent")).to_have_count(0)
    page.goto(f"{store.url}/shop/mugs?show=stock")
    page.locator(".shelf .cover").first.click()
    page.get_by_role("button", name="Put in the basket").click()
    page.get_by_role("link", name="Check out").click()
    pay(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ada.")
    assert "mtp_visitor" not in {cookie["name"] for cookie in page.context.cookies()}
    assert store.events() == []


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_is_wider_than_the_window(store: Store, visit: Callable[..., Page], width: int) -> None:
    page = visit(viewport={"width": width, "height": 900})
    for address in ("/", "/shop/lamps", "/products/glint-task-lamp", "/search?q=mug", "/account", "/inspector"):
        page.goto(store.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_dark_and_light_are_a_switch(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(color_scheme="light", viewport={"width": 1280, "height": 900})
    page.goto(store.url)
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(colour) != light
    page.wait_for_load_state("networkidle")
    page.goto(f"{store.url}/about")
    assert page.evaluate(colour) != light
    page.get_by_role("button", name="Light colours").click()
    assert page.evaluate(colour) == light


def test_choosing_a_colour_shows_it(store: Store, visit: Callable[..., Page]) -> None:
    products = store.app.extensions["tarn"].catalogue.products
    product = next(p for p in products.values() if len(p.colors) > 1 and len(p.variants) == len(p.colors))
    page = visit()
    page.goto(store.url + product.url)
    large = page.locator("[data-large]")
    first = large.get_attribute("src")
    other = next(name for name in product.colors if name.lower() not in str(large.get_attribute("alt")))
    page.get_by_role("radio", name=other).check()
    assert large.get_attribute("src") != first
    assert other.lower() in str(large.get_attribute("alt"))


def test_suggestions_by_keyboard(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(store.url)
    box = page.get_by_role("combobox", name="Search the shop")
    box.press_sequentially("mug", delay=20)
    expect(page.get_by_role("option").first).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Mugs")


def test_filters_show_at_once_beside_the_list_and_together_on_a_phone(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(f"{store.url}/shop/mugs")
    page.get_by_role("checkbox", name=re.compile("^On sale")).check()
    page.wait_for_url("**/shop/mugs?*show=sale*")
    expect(page.get_by_role("checkbox", name=re.compile("^On sale"))).to_be_checked()
    page.get_by_role("link", name=re.compile("On sale")).click()
    page.wait_for_url(re.compile(r"/shop/mugs(\?(?!.*show=).*)?$"))

    phone = visit(viewport={"width": 390, "height": 844})
    phone.goto(f"{store.url}/shop/mugs")
    phone.locator("summary", has_text="Filters").click()
    phone.get_by_role("checkbox", name=re.compile("^On sale")).check()
    phone.get_by_role("checkbox", name=re.compile("^In stock")).check()
    phone.get_by_role("button", name="Show").click()
    phone.wait_for_url("**show=*show=*")


def test_from_persona_to_segment_to_another_slate(store: Store, visit: Callable[..., Page]) -> None:
    """Each kind of shopper sees a segment in the inspector, how sure it is, what sets it apart, and other products."""
    found = {}
    for persona in ("Flora", "Milo", "Vera"):
        page = visit(viewport={"width": 1440, "height": 900})
        be(page, store, persona)
        page.goto(store.url)
        products = hero(page)
        page.get_by_role("link", name="Inspector").first.click()
        sheet = page.locator('[data-part="segment"]')
        expect(sheet.locator("[data-segment]")).to_be_visible()
        expect(sheet).to_contain_text("Sure by")
        expect(sheet).to_contain_text("What sets it apart")
        found[persona] = (str(sheet.locator("[data-segment]").get_attribute("data-segment")), tuple(products))
    assert len({segment for segment, _ in found.values()}) >= 2, found
    assert len({products for _, products in found.values()}) == 3

"""What a visitor does in Chromium is found in the shop's database: every event that docs/tracker.md names."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .real_shop import RealShop, Served

pytestmark = pytest.mark.browser

HELD = "fetch('/mtp/v1/privacy/consent').then(answer => answer.json())"
DOCS = Path(__file__).parents[2] / "docs" / "tracker.md"


class Visit:
    """A browser page in a shop whose visitor has agreed."""

    def __init__(self, shop: RealShop, served: Served, page: Any) -> None:
        self.shop, self.served, self.page = shop, served, page
        self.base = f"http://127.0.0.1:{served.port}"

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def agree(self) -> None:
        self.go("/search?q=")
        if self.page.locator(".mtp-consent").count():
            self.page.click("button[value=granted]")
        self.page.wait_for_selector(".mtp-consent", state="detached")
        self.until("mtp.track('Agreed')")

    def until(self, so: str) -> None:
        """Wait for a JavaScript expression to hold; a page under a strict policy evaluates none by itself."""
        deadline = time.monotonic() + 20
        while not self.page.evaluate(so):
            assert time.monotonic() < deadline, f"never came: {so}"
            self.page.wait_for_timeout(20)

    def wait_for_part(self, part: str) -> None:
        """Until the script has loaded one of its parts, and a moment more, in which it runs."""
        loaded = 'performance.getEntriesByType("resource").map(entry => entry.name).join()'
        self.until(f'{loaded}.includes("widget-{part}.js")')
        self.page.wait_for_timeout(50)

    def granted(self) -> list[int]:
        """Every choice in the consent log, in order."""
        with closing(sqlite3.connect(self.shop.database)) as database:
            asked = "SELECT granted FROM mtp_consent WHERE purpose = 'personalisation' ORDER BY id"
            return [row[0] for row in database.execute(asked)]

    def google(self, states: str, command: str = "update") -> None:
        """A consent manager tells the data layer."""
        self.page.evaluate(f"gtag('consent', '{command}', {states})")

    def until_held(self, choice: str) -> None:
        """Until the server holds this choice."""
        self.until(f"{HELD}.then(held => held.choice === {choice})")

    def names(self, name: str) -> list[list[str]]:
        """The products of each such event."""
        return [[line["product_id"] for line in event.get("products", [])] for event in self.shop.events(name)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[RealShop]:
    made = RealShop(tmp_path)
    yield made
    made.close()


@pytest.fixture
def visit(chromium: Any, shop: RealShop) -> Iterator[Visit]:
    with Served(shop.app) as served:
        context = chromium.new_context(viewport={"width": 1200, "height": 800})
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and "load resource" not in m.text else 0)
        visit = Visit(shop, served, page)
        visit.agree()
        yield visit
        context.close()
        assert wrong == []


def test_a_page_and_its_product(visit: Visit) -> None:
    visit.go("/p/p003?utm_campaign=autumn&token=secret")
    (page,) = visit.shop.wait("Page Viewed", path="/p/p003")
    assert page["properties"]["search"] == "?utm_campaign=autumn"
    (view,) = visit.shop.wait("Product Viewed")
    assert view["products"][0] == {**view["products"][0], "product_id": "p003", "price": 21.5}
    assert view["properties"]["currency"] == "EUR"
    assert view["profile_id"].startswith("a:")


def test_a_slate_seen_and_a_click_in_it(visit: Visit) -> None:
    visit.go("/")
    block = visit.page.locator(".mtp-block")
    slate = block.get_attribute("data-mtp-slate")
    ids = [card.get_attribute("data-mtp-item") for card in block.locator("[data-mtp-item]").all()]
    (seen,) = visit.shop.wait("Product List Viewed")
    assert (seen["recommendation_id"], seen["properties"]["list_id"]) == (slate, "home-hero")
    assert [(line["product_id"], line["position"]) for line in seen["products"]] == list(
        zip(ids, range(1, 7), strict=True)
    )
    visit.page.click("[data-mtp-position='4'] a")
    (click,) = visit.shop.wait("Product Clicked")
    assert (click["recommendation_id"], click["properties"]["list_id"]) == (slate, "home-hero")
    assert [(line["product_id"], line["position"]) for line in click["products"]] == [(ids[3], 4)]


def test_a_list_of_the_shops_own_and_a_click_in_it(visit: Visit) -> None:
    visit.go("/lamps")
    (seen,) = visit.shop.wait("Product List Viewed", list_id="lamps")
    assert [line["product_id"] for line in seen["products"]] == ["p005", "p006"]
    visit.page.click("[data-mtp-item=p006] a")
    (click,) = visit.shop.wait("Product Clicked", list_id="lamps")
    assert [(line["product_id"], line["position"]) for line in click["products"]] == [("p006", 2)]
    assert not click.get("recommendation_id")


def test_into_the_cart_and_out_of_it(visit: Visit) -> None:
    visit.go("/p/p003")
    visit.page.click("#remove")
    visit.shop.wait("Product Removed")
    visit.page.fill("[name=quantity]", "3")
    visit.page.click("form button >> nth=0")
    (added,) = visit.shop.wait("Product Added")
    assert [(line["product_id"], line["quantity"]) for line in added["products"]] == [("p003", 3.0)]
    assert visit.names("Product Removed") == [["p003"]]


def test_a_search_and_what_it_found(visit: Visit) -> None:
    visit.go("/search?q=blue+lamp")
    visit.shop.wait("Products Searched", query="blue lamp", results=7)


# ---------------------------------------------------------------------------------------------------- filters

RED = [{"type": "brand", "value": "Acme"}, {"type": "colour", "value": "red"}]


def test_filters_in_the_address_count_when_they_change(visit: Visit) -> None:
    visit.go("/lamps")
    visit.page.click("#red")
    (first,) = visit.shop.wait("Product List Filtered")
    assert first["properties"] == {
        "list_id": "lamps", "category": "Lamps", "filters": RED, "sorts": [{"type": "order", "value": "price"}],
    }  # fmt: skip
    visit.page.reload()
    visit.until("mtp.track('Reloaded')")
    visit.shop.wait("Reloaded")
    visit.page.click("#all")
    visit.shop.wait("Product List Filtered", filters=[], sorts=[])
    visit.page.check("[name=brand]")
    visit.page.click("form button >> nth=0")
    visit.shop.wait("Product List Filtered", filters=RED[:1])
    visit.page.go_back()
    visit.until("mtp.track('Back')")
    visit.shop.wait("Back")
    assert len(visit.shop.events("Product List Filtered")) == 3
    assert "mine" not in str(visit.shop.events("Product List Filtered"))


def test_filters_of_a_form_that_leads_nowhere(visit: Visit) -> None:
    visit.page.add_init_script("addEventListener('submit', event => event.preventDefault())")
    visit.go("/chairs")
    visit.wait_for_part("engage")
    visit.page.check("[value=Bolt]")
    visit.page.select_option("select", "price")
    both = [{"type": "brand", "value": "Acme"}, {"type": "brand", "value": "Bolt"}]
    visit.shop.wait(
        "Product List Filtered", list_id="chairs", filters=both, sorts=[{"type": "order", "value": "price"}]
    )
    assert len(visit.shop.events("Product List Filtered")) == 1, "two choices in a second are one change"


# ------------------------------------------------------------------------------------------- time and depth


def test_how_long_and_how_far_a_product_was_looked_at(visit: Visit) -> None:
    visit.go("/p/p003")
    visit.wait_for_part("engage")
    visit.page.wait_for_timeout(1100)
    visit.page.mouse.wheel(0, 800)
    visit.until("scrollY >= 800")
    visit.page.wait_for_timeout(300)
    visit.go("/search?q=")
    (looked,) = [event for event in visit.shop.wait("Page Engaged") if event.get("products")]
    assert [line["product_id"] for line in looked["products"]] == ["p003"]
    assert looked["properties"]["seconds"] >= 1
    assert 30 < looked["properties"]["scroll"] < 100
    assert looked["context"]["page"]["path"] == "/p/p003"


# ------------------------------------------------------------------------------------------ pages without loading


@pytest.mark.parametrize("native", [True, False])
def test_a_page_that_changes_without_loading(visit: Visit, native: bool) -> None:
    if not native:
        visit.page.add_init_script("Object.defineProperty(window, 'navigation', {value: undefined})")
    visit.go("/app/p001")
    visit.shop.wait("Product Viewed")
    visit.page.wait_for_selector("[data-mtp-block] .mtp-card")
    slate = "document.querySelector('[data-mtp-slate]').dataset.mtpSlate"
    before = visit.page.evaluate(slate)
    visit.page.wait_for_timeout(1100)
    visit.page.evaluate("visit('/app/p002')")
    visit.shop.wait("Page Viewed", path="/app/p002", title="p002")
    visit.shop.wait("Product Viewed", count=2)
    (left,) = visit.shop.wait("Page Engaged", product_id="p001")
    assert left["context"]["page"]["path"] == "/app/p001"
    visit.until(f"{slate} !== '{before}'")

    visit.page.evaluate("visit('/app/p002?ref=x', 'replaceState')")
    visit.page.evaluate("visit('/app/p002?ref=x#reviews')")
    visit.page.evaluate("mtp.track('Tidied')")
    visit.shop.wait("Tidied")
    visit.page.evaluate("history.go(-2)")
    visit.shop.wait("Product Viewed", count=3)
    visit.shop.wait("Page Viewed", count=2, path="/app/p001")
    assert visit.names("Product Viewed") == [["p001"], ["p002"], ["p001"]]
    paths = [event["properties"]["path"] for event in visit.shop.events("Page Viewed")]
    assert paths == ["/search", "/app/p001", "/app/p002", "/app/p001"]


def test_a_page_gone_back_to_is_a_page_again(visit: Visit) -> None:
    visit.go("/p/p001")
    visit.shop.wait("Product Viewed")
    visit.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    visit.shop.wait("Product Viewed", count=2)
    visit.shop.wait("Page Viewed", count=2, path="/p/p001")


# --------------------------------------------------------------------------------------------------- offline


def test_what_happens_offline_is_sent_afterwards(visit: Visit) -> None:
    visit.go("/p/p003")
    visit.shop.wait("Product Viewed")
    visit.page.context.set_offline(True)
    visit.page.click("#remove")
    visit.page.evaluate("for (let i = 0; i < 150; i++) mtp.track('Many', {i})")
    visit.page.wait_for_timeout(200)
    assert visit.shop.events("Product Removed") == []
    visit.page.context.set_offline(False)
    kept = [event["properties"]["i"] for event in visit.shop.wait("Many", count=100)]
    assert kept == list(range(50, 150)), "the newest hundred are kept"


def sent(asked: list[str]) -> int:
    return sum("/v1/batch" in line for line in asked)


def unreachable(visit: Visit) -> None:
    """A product is taken out of the cart while the shop cannot be reached, and the page is left for nowhere."""
    visit.go("/p/p003")
    visit.shop.wait("Product Viewed")
    with visit.served.away() as asked:
        with visit.page.expect_event("requestfailed", lambda request: request.url.endswith("/v1/batch")):
            visit.page.click("#remove")
        before = sent(asked)
        with visit.page.expect_event("framenavigated"), pytest.raises(Exception, match="ERR_EMPTY_RESPONSE"):
            visit.go("/")
        # A page that goes away tries once more: that try must have failed too before the shop is back.
        deadline = time.monotonic() + 20
        while sent(asked) == before:
            assert time.monotonic() < deadline, "the page went without a last try"
            visit.page.wait_for_timeout(20)


def test_what_cannot_be_sent_outlives_its_page(visit: Visit) -> None:
    unreachable(visit)
    assert visit.names("Product Removed") == []
    visit.go("/search?q=")
    visit.shop.wait("Product Removed")
    assert visit.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert visit.names("Product Removed") == [["p003"]]


def test_without_permission_it_is_forgotten(visit: Visit) -> None:
    unreachable(visit)
    visit.page.context.clear_cookies()
    visit.go("/search?q=")
    assert visit.page.evaluate("[mtp.track('X'), sessionStorage.length]") == [False, 0]
    visit.agree()
    visit.shop.wait("Agreed", count=2)
    assert visit.names("Product Removed") == []


def test_a_refusal_forgets_what_was_not_sent(visit: Visit) -> None:
    visit.go("/p/p003")
    visit.shop.wait("Product Viewed")
    visit.page.context.set_offline(True)
    visit.until("!navigator.onLine")
    visit.page.click("#remove")
    visit.page.evaluate("dispatchEvent(new Event('pagehide'))")
    assert visit.page.evaluate("sessionStorage.mtp_unsent.includes('Product Removed')")
    visit.page.evaluate("mtp.consent('non-personal')")
    assert visit.page.evaluate("sessionStorage.length") == 0
    visit.page.context.set_offline(False)
    visit.agree()
    visit.shop.wait("Agreed", count=2)
    assert visit.names("Product Removed") == []


# ------------------------------------------------------------------------------------------------ the data layer


def test_the_data_layer_before_and_after(visit: Visit) -> None:
    visit.go("/layer")
    (view,) = visit.shop.wait("Product Viewed")
    assert view["products"][0] == {
        **view["products"][0], "product_id": "p001", "price": 9.5, "variant_id": "blue", "position": 3,
    }  # fmt: skip
    (seen,) = visit.shop.wait("Product List Viewed", list_id="gifts")
    assert [line["product_id"] for line in seen["products"]] == ["p001", "p002"]
    visit.page.evaluate(
        """() => {
            const items = [{item_id: "p002", quantity: 2, item_list_id: "gifts"}];
            dataLayer.push({event: "select_item", ecommerce: {items}});
            dataLayer.push({event: "add_to_cart", ecommerce: {items}}, {event: "remove_from_cart", ecommerce: {items}});
            gtag("event", "view_search_results", {search_term: "mug", results: 3});
            gtag("event", "view_cart", {items}); gtag("event", "begin_checkout", {items});
            dataLayer.push({event: "purchase", ecommerce: {transaction_id: "1", items}});
            dataLayer.push({event: "newsletter", email: "ada@example.org"}, {event: "toString"});
        }"""
    )
    visit.shop.wait("Product Clicked", list_id="gifts")
    visit.shop.wait("Products Searched", query="mug", results=3)
    for name in ("Product Added", "Product Removed", "Cart Viewed", "Checkout Started"):
        assert visit.shop.wait(name)[0]["products"][0]["quantity"] == 2.0
    visit.page.evaluate("mtp.track('Last')")
    visit.shop.wait("Last")
    assert {"Order Completed", "newsletter", "purchase"} & {event["name"] for event in visit.shop.events()} == set()
    assert all(len(visit.shop.events(name)) == 1 for name in ("Product Viewed", "Product Clicked", "Product Added"))


def test_attributes_go_before_the_data_layer(visit: Visit) -> None:
    visit.go("/layer-marked")
    visit.shop.wait("Product List Viewed", list_id="gifts")
    assert visit.names("Product Viewed") == [["p001"]]


GRANT = "{analytics_storage: 'granted', personalization_storage: 'granted'}"
DENY = GRANT.replace("granted", "denied")


def test_consent_mode_on_the_shops_own_pages_is_kept_by_the_server(visit: Visit) -> None:
    visit.page.context.clear_cookies()
    before = visit.granted()
    visit.go("/permitted")
    visit.google(GRANT, "default")
    visit.page.wait_for_timeout(200)
    assert visit.page.evaluate("mtp.track('X')") is False, "a default is no choice, and this shop asks first"
    visit.google(GRANT)
    visit.until("mtp.track('Granted')")
    visit.shop.wait("Granted")
    visit.shop.wait("Product Viewed", count=1)
    visit.page.reload()
    visit.google(GRANT)
    visit.until("mtp.track('Again')")
    assert visit.granted()[len(before) :] == [1], "what the server knows already is not told again"
    visit.google(DENY)
    assert visit.page.evaluate("mtp.track('X')") is False
    visit.until_held("false")
    assert "mtp_visitor" not in {cookie["name"] for cookie in visit.page.context.cookies()}


def replay(visit: Visit) -> None:
    """The next page, on which the consent manager says again what it has stored, and is answered."""
    visit.go("/permitted")
    visit.google(DENY, "default")
    with visit.page.expect_event("requestfinished", lambda request: request.url.endswith("/v1/privacy/consent")):
        visit.google(GRANT)
    visit.page.wait_for_timeout(200)


def test_a_replayed_grant_does_not_undo_a_refusal_made_on_our_page(visit: Visit) -> None:
    visit.go("/permitted")
    visit.google(GRANT)
    visit.until("mtp.track('Granted')")
    visit.go("/privacy")
    visit.page.click("button[value=denied]")
    visit.until_held("false")
    before = visit.granted()
    replay(visit)
    assert visit.page.evaluate("mtp.track('X')") is False
    assert visit.page.evaluate(f"{HELD}.then(held => held.choice)") is False
    assert visit.granted() == before
    # Who then changes their mind in the consent manager is heard.
    visit.google(DENY)
    visit.page.wait_for_timeout(200)
    visit.google(GRANT)
    visit.until("mtp.track('Changed')")
    visit.until_held("true")


def test_a_replayed_grant_does_not_undo_a_refusal_made_on_another_device(visit: Visit, chromium: Any) -> None:
    account = {"name": "account", "value": "ada", "url": visit.base}
    visit.page.context.add_cookies([account])
    visit.go("/permitted")
    visit.google(GRANT)
    visit.until("mtp.track('Granted')")
    phone = chromium.new_context()
    phone.add_cookies([account])
    page = phone.new_page()
    page.goto(visit.base + "/search?q=")
    page.click("button[value=denied]")
    visit.until_held("false")
    phone.close()
    before = visit.granted()
    assert before[-1] == 0
    replay(visit)
    assert visit.page.evaluate("mtp.track('X')") is False
    assert visit.granted() == before


def test_a_refusal_right_after_a_grant_is_what_the_server_holds(visit: Visit) -> None:
    visit.page.context.clear_cookies()
    before = visit.granted()
    held: list[Any] = []
    visit.page.route("**/v1/privacy/consent", lambda route: route.continue_() if held else held.append(route))
    visit.go("/permitted")
    visit.google(GRANT)
    visit.page.wait_for_timeout(100)
    visit.google(DENY)
    visit.page.wait_for_timeout(300)
    held[0].continue_()
    visit.until_held("false")
    visit.page.wait_for_timeout(300)
    visit.until_held("false")
    assert visit.granted() == before, "the grant was never told"


def test_either_permission_denied_is_a_refusal(visit: Visit) -> None:
    visit.go("/permitted")
    visit.google("{analytics_storage: 'denied'}")
    assert visit.page.evaluate("mtp.track('X')") is False
    visit.until_held("false")
    assert visit.granted()[-1] == 0


# -------------------------------------------------------------------------------------------------- the page itself


def test_every_event_that_the_docs_name_is_found_here() -> None:
    table = DOCS.read_text(encoding="utf-8").partition("| event | when | properties |")[2].partition("\n\n")[0]
    named = {
        name for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }
    here = Path(__file__).read_text(encoding="utf-8")
    assert len(named) >= 8
    assert [name for name in named if f'wait("{name}"' not in here] == []

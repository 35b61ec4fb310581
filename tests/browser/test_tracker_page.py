"""What ``docs/tracker.md`` shows, put into real pages as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from .test_widget import Visit
from .widget_shop import WidgetShop, served

pytestmark = pytest.mark.browser

PAGE = (Path(__file__).parents[2] / "docs" / "tracker.md").read_text(encoding="utf-8")
MARKED, PLACES, ELSEWHERE = re.findall(r"^```html\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visit]:
    shop = WidgetShop()
    shop.app.add_url_rule("/marked", "marked", lambda: shop.page(MARKED))
    shop.app.add_url_rule("/places", "places", lambda: shop.page(PLACES))
    with served(shop) as base:
        context = chromium.new_context(viewport={"width": 1200, "height": 800})
        yield Visit(shop, base, context.new_page())
        context.close()


def properties(visit: Visit, name: str) -> dict[str, Any]:
    visit.wait(lambda: visit.named(name))
    told: dict[str, Any] = visit.named(name)[0]["properties"]
    return told


def test_what_the_page_shows_works(visit: Visit) -> None:
    visit.go("/marked?level=full&brand=Acme")
    viewed = properties(visit, "Product Viewed")
    assert (viewed["product_id"], viewed["price"], viewed["currency"]) == ("watch-38", 180, "EUR")
    seen = properties(visit, "Product List Viewed")
    assert (seen["list_id"], [product["product_id"] for product in seen["products"]]) == ("lamps", ["lamp-2"])
    filtered = properties(visit, "Product List Filtered")
    assert filtered["filters"] == [{"type": "brand", "value": "Acme"}]
    visit.page.click("text=Add to cart")
    added = properties(visit, "Product Added")
    assert (added["product_id"], added["quantity"]) == ("watch-38", 1)


def test_places_are_filled(visit: Visit) -> None:
    visit.go("/places?level=full")
    visit.page.wait_for_selector("mtp-block .mtp-card")
    visit.page.wait_for_selector("[data-mtp-block] .mtp-card")
    assert visit.page.locator("[data-mtp-block='product-similar'] .mtp-card").count() == 8
    assert visit.page.locator("mtp-block .mtp-card").count() == 6
    assert visit.page.locator("text=New this week").count() == 0, "the link stood in for the block"


def test_a_page_of_another_origin(visit: Visit) -> None:
    blog = WidgetShop(csp=False)
    blog.app = Flask("blog")
    blog.app.add_url_rule("/", "post", lambda: ELSEWHERE.replace("https://shop.example", visit.base))
    with served(blog) as address:
        visit.shop.allowed = [address]
        visit.page.goto(address)
        visit.page.wait_for_selector("[data-mtp-block='home-hero'] .mtp-card")
        assert visit.page.locator("text=The whole shop").count() == 0
        assert visit.page.evaluate("getComputedStyle(document.querySelector('.mtp-cards')).display") == "grid"
        assert visit.page.evaluate("localStorage.length") == 0, "nothing is kept below full"

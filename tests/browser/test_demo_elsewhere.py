"""The widget on a page of another origin: blocks with the public key, events only with the reader's word."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from demo_store.elsewhere import WRITE_KEY

from .demo_shop import Store

pytestmark = pytest.mark.browser


def there(store: Store) -> str:
    return store.url.replace("127.0.0.1", "localhost")


def test_from_the_shop_to_the_page_elsewhere_and_back(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(store.url)
    page.get_by_role("link", name="On a page of another origin").click()
    page.wait_for_url(f"{there(store)}/elsewhere")
    blocks = page.locator(".mtp-block")
    expect(blocks).to_have_count(2)
    pictures = page.locator(".mtp-media img")
    assert all(str(picture.get_attribute("src")).startswith(store.url) for picture in pictures.all())
    expect(pictures.first).to_have_js_property("naturalWidth", 400)
    assert page.context.cookies(there(store)) == []
    assert store.events() == []
    page.locator(".mtp-link").first.click()
    page.wait_for_url(f"{store.url}/products/*")
    expect(page.locator("[data-mtp-product]")).to_have_count(1)


def test_events_with_the_readers_word(store: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    page.goto(f"{there(store)}/elsewhere")
    page.get_by_role("button", name="Let it tell the shop what I look at").click()
    page.wait_for_url("**/elsewhere?events=yes")
    expect(page.locator(".mtp-block")).to_have_count(2)
    page.locator(".mtp-link").first.click()
    page.wait_for_url(f"{store.url}/products/*")
    clicked = store.wait_for("Product Clicked")
    assert page.url.endswith(f"/products/{clicked.products[0].product_id}")
    assert clicked.user_id == ""


@pytest.mark.parametrize(("origin", "key", "status"), [
    ("https://not-listed.example", WRITE_KEY, 403), ("", f"{WRITE_KEY}x", 401),
])  # fmt: skip
def test_no_block_for_others(front: Store, visit: Callable[..., Page], origin: str, key: str, status: int) -> None:
    answer = visit().request.get(
        f"{front.url}/mtp/v1/blocks/category-top?writeKey={key}",
        headers={"Origin": origin or there(front), "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status == status

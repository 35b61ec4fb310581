"""axe-core on every page of the demo store, in light and dark, and on what opens over a page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .demo_shop import PAGES, Store, agree, be, fill_basket

pytestmark = pytest.mark.browser
BAD = {"serious", "critical"}


def violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical, with the element it found it at."""
    # Without preload: axe would fetch style sheets of another origin, which their server does not let pages read.
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [
        f"{page.url} {rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for rule in found
        if rule["impact"] in BAD
        for node in rule["nodes"][:3]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page(front: Store, visit: Callable[..., Page], theme: str) -> None:
    page = visit(color_scheme=theme, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.goto(front.url)
    found = violations(page)  # with the question for consent over it
    be(page, front, "Flora")
    fill_basket(page, front)
    for address in PAGES:
        page.goto(front.url + address)
        found += violations(page)
    page.goto(f"{front.url}/checkout")
    page.get_by_role("button", name=re.compile("Order for")).click()
    expect(page.get_by_role("alert")).to_be_focused()
    found += violations(page)
    assert found == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone(front: Store, visit: Callable[..., Page], theme: str) -> None:
    page = visit(color_scheme=theme, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    agree(page, front)
    found = []
    for address in ("/", "/shop/lamps", "/products/glint-task-lamp"):
        page.goto(front.url + address)
        found += violations(page)
    page.goto(f"{front.url}/shop/lamps")
    page.locator("summary", has_text="Filters").click()
    found += violations(page)
    assert found == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_opens(front: Store, visit: Callable[..., Page], theme: str) -> None:
    page = visit(color_scheme=theme, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    be(page, front, "Niko")
    page.locator(".menu summary").click()
    found = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("combobox").press_sequentially("lamp")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    found += violations(page)
    page.keyboard.press("Escape")
    page.locator(".mtp-why summary").first.click()
    found += violations(page)
    page.get_by_role("link", name="Inspector").first.click()
    expect(page.get_by_role("dialog").locator("[data-part=block-home-hero]")).to_be_visible()
    found += violations(page)
    assert found == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_elsewhere(front: Store, visit: Callable[..., Page], theme: str) -> None:
    page = visit(color_scheme=theme, viewport={"width": 1280, "height": 900})
    page.goto(front.url.replace("127.0.0.1", "localhost") + "/elsewhere")
    expect(page.locator(".mtp-block").first).to_be_visible()
    assert violations(page) == []

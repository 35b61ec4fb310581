"""The demo store by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .demo_shop import Store, agree, be

pytestmark = pytest.mark.browser
WIDE = {"width": 1280, "height": 900}


def tab_to(page: Page, selector: str, most: int = 80) -> None:
    """Press Tab until what has the focus fits *selector*; each stop on the way must show that it has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """(selector) => {
                const at = document.activeElement;
                const ring = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                const shown = [at, at.nextElementSibling].some((element) => element && (
                    ring(getComputedStyle(element)) || ring(getComputedStyle(element, "::after"))
                ));
                return {fits: at.matches(selector), shown, what: at.outerHTML.slice(0, 120)};
            }""",
            selector,
        )
        assert focused["shown"], f"no focus ring on {focused['what']}"
        if focused["fits"]:
            return
    raise AssertionError(f"{selector} is not reached by {most} tabs")


def test_skipping_to_the_content(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    page.goto(front.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_menu(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    page.goto(front.url)
    tab_to(page, ".nav a[href='/shop/table']")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Table")


def test_the_question_for_consent(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    page.goto(f"{front.url}/about")
    tab_to(page, ".mtp-answer[value=denied]")
    tab_to(page, ".mtp-answer[value=granted]", 1)
    page.keyboard.press("Enter")
    expect(page.locator(".mtp-consent")).to_have_count(0)


def test_filters_keep_the_place(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    page.goto(f"{front.url}/shop/mugs")
    loaded = page.evaluate("performance.timeOrigin")
    tab_to(page, "input[name=show][value=sale]")
    page.keyboard.press("Space")
    page.wait_for_url("**/shop/mugs?*show=sale*")
    box = page.locator("input[name=show][value=sale]")
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    expect(page.get_by_role("link", name=re.compile("On sale"))).to_be_visible()
    assert page.evaluate("performance.timeOrigin") == loaded, "the list changes in place"
    count = page.locator(".total").inner_text()

    page.go_back()
    expect(page.locator("input[name=show][value=sale]")).not_to_be_checked()
    page.go_forward()
    expect(page.locator(".total")).to_have_text(count)
    page.reload()
    expect(page.locator("input[name=show][value=sale]")).to_be_checked()
    expect(page.locator(".total")).to_have_text(count)

    page.goto(f"{front.url}/shop/mugs")
    tab_to(page, ".rest > summary")
    page.keyboard.press("Enter")
    tab_to(page, ".rest input", 1)


def test_suggestions(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    page.goto(front.url)
    tab_to(page, "#q")
    box = page.get_by_role("combobox", name="Search the shop")
    box.press_sequentially("mug", delay=20)
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(chosen).to_have_count(1)
    assert chosen.get_attribute("id") == box.get_attribute("aria-activedescendant")
    page.keyboard.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("mug")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("“mug”")


def test_a_carousel(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE, reduced_motion="reduce")
    agree(page, front)
    page.goto(f"{front.url}/shop/lamps")
    block = page.locator("[data-mtp-placement=category-top]")
    cards = block.locator(".mtp-cards")
    expect(block.get_by_role("button", name="Previous")).to_be_hidden()
    tab_to(page, "[data-mtp-placement=category-top] .mtp-next")
    for _ in range(8):
        if not block.locator(".mtp-next").is_visible():
            break
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
    expect(block.locator(".mtp-next")).to_be_hidden()
    expect(block.locator(".mtp-previous")).to_be_focused()
    assert cards.evaluate("list => list.scrollLeft") > 0
    # A link that the focus goes to is scrolled into view.
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(block.locator(":focus")).to_be_in_viewport()


def test_why_these(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    be(page, front, "Flora")
    tab_to(page, ".mtp-why > summary")
    page.keyboard.press("Enter")
    reasons = page.locator("[data-mtp-placement=home-hero] .mtp-reasons")
    expect(reasons.locator("li").first).to_be_visible()
    tab_to(page, ".mtp-reasons a", 1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Privacy and preferences")


def test_becoming_somebody(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    agree(page, front)
    page.goto(f"{front.url}/shop/plants")
    tab_to(page, ".menu > summary")
    page.keyboard.press("Enter")
    expect(page.locator(".menu .personas")).to_be_visible()
    tab_to(page, ".menu button", 1)
    page.keyboard.press("Escape")
    expect(page.locator(".menu .personas")).to_be_hidden()
    expect(page.locator(".menu > summary")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, ".menu button[formaction$=milo]")
    page.keyboard.press("Enter")
    expect(page.locator(".menu > summary")).to_have_text("Browsing as Milo")
    assert page.url == f"{front.url}/shop/plants"


def test_correcting_what_the_shop_believes(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport=WIDE)
    be(page, front, "Greta")
    page.goto(f"{front.url}/account")
    tab_to(page, "#believed-city")
    page.keyboard.press("Control+A")
    page.keyboard.type("Graz")
    tab_to(page, "form.correct button", 2)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Corrected.")).to_be_visible()
    expect(page.locator("#believed-city")).to_have_value("Graz")


def test_the_inspector(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1440, "height": 900})
    be(page, front, "Vera")
    tab_to(page, "[data-inspector]")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Inspector")
    expect(sheet.get_by_role("button", name="Close the inspector")).to_be_focused()
    expect(sheet.locator("[data-part=block-home-hero]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.sheet")).to_be_hidden()
    expect(page.locator("[data-inspector]")).to_be_focused()


def test_the_inspector_on_a_phone_holds_the_focus(front: Store, visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    be(page, front, "Vera")
    page.get_by_role("link", name="Inspector").first.click()
    expect(page.get_by_role("dialog").locator("[data-part=profile]")).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.sheet")).to_be_hidden()

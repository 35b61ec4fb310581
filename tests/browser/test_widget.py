"""``mtp.js`` in a real Chromium, against real pages under a strict Content-Security-Policy."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .widget_shop import STATIC, WidgetShop, served

pytestmark = pytest.mark.browser

SECOND = 1000


class Visit:
    """A shop, its address, and one browser page in it."""

    def __init__(self, shop: WidgetShop, base: str, page: Any) -> None:
        self.shop, self.base, self.page = shop, base, page

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def leave(self) -> None:
        """Go to a page that sends nothing, and be there: whatever was to be sent on leaving has been."""
        self.go("/plain?level=non-personal")

    def stop_the_clock(self) -> None:
        """From now on the page's time moves only by ``clock.run_for``."""
        self.page.clock.install(time=0)
        self.page.clock.pause_at(SECOND)

    def pass_time(self, seconds: int, until: Callable[[], object] = lambda: False) -> None:
        """Let the page's stopped time run second by second, answers arriving in between."""
        for _ in range(seconds):
            if until():
                return
            self.page.clock.run_for(SECOND)
            self.page.wait_for_timeout(15)

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.shop.events if event.get("event") == name]

    def wait(self, condition: Callable[[], object]) -> None:
        """Until it is so; a deadline ends a test that would hang, it measures nothing."""
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"never came; there are {self.shop.events}"
            self.page.wait_for_timeout(20)

    def posts(self) -> int:
        return self.shop.requests.count("POST /mtp/v1/batch")


@pytest.fixture
def shop() -> WidgetShop:
    return WidgetShop()


@pytest.fixture
def visit(chromium: Any, shop: WidgetShop) -> Iterator[Visit]:
    with served(shop) as base:
        context = chromium.new_context(viewport={"width": 1200, "height": 800})
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        # A Content-Security-Policy violation is an error in the console, too.
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and "load resource" not in m.text else 0)
        yield Visit(shop, base, page)
        context.close()
        assert wrong == []


# --------------------------------------------------------------------------------------------------- capture


def test_a_product_page_sends_one_page_and_one_view(visit):
    visit.go("/p/p1?level=full&utm_campaign=autumn#top")
    visit.wait(lambda: len(visit.shop.events) >= 2)
    visit.leave()
    page, view = sorted(visit.shop.events, key=lambda event: event["type"])
    assert (page["type"], page["properties"]["path"]) == ("page", "/p/p1")
    assert page["context"]["page"]["search"] == "?level=full&utm_campaign=autumn"
    assert page["context"]["page"]["url"] == visit.base + "/p/p1"
    assert (view["type"], view["event"]) == ("track", "Product Viewed")
    assert view["properties"] == {"product_id": "p1", "price": 129, "currency": "EUR"}
    assert page["messageId"] != view["messageId"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", view["timestamp"])


def test_on_its_own_origin_the_cookie_says_who_it_is_and_the_body_does_not(visit):
    visit.page.context.add_cookies([{"name": "choice", "value": "granted", "url": visit.base}])
    visit.go("/p/p1")
    visit.wait(lambda: visit.shop.bodies)
    body = visit.shop.bodies[0]
    assert (body["cookie"], body["type"]) == ("choice=granted", "application/json")
    assert "writeKey" not in body
    assert not {"anonymousId", "userId"} & set(body["batch"][0])
    assert visit.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_a_slate_is_seen_once_when_half_of_it_is_in_view(visit):
    def show(share):
        """Scroll until this share of the slate is in view, and give the observer the frames it needs."""
        visit.page.evaluate(
            """share => {
                const box = document.querySelector(".mtp-block").getBoundingClientRect();
                scrollBy({top: box.top - innerHeight + share * box.height, behavior: "instant"});
                return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));
            }""",
            share,
        )

    visit.go("/p/p1?level=full")
    visit.wait(lambda: visit.named("Product Viewed"))
    visit.page.evaluate("mtp.track('Marker')")
    visit.wait(lambda: visit.named("Marker"))
    show(0.4)
    visit.page.evaluate("mtp.track('Marker')")
    visit.wait(lambda: len(visit.named("Marker")) == 2)
    assert visit.named("Product List Viewed") == []
    for share in (0.6, 0, 0.6, 1):
        show(share)
    visit.leave()
    (seen,) = visit.named("Product List Viewed")
    assert seen["properties"]["list_id"] == "product-similar"
    assert seen["properties"]["recommendation_id"] == "slate-product-similar-1"
    assert seen["properties"]["products"] == [
        {"product_id": f"p{number % 12}", "position": number} for number in range(1, 13)
    ]


def test_a_slate_taller_than_two_windows_can_be_seen(visit):
    visit.page.set_viewport_size({"width": 390, "height": 400})
    visit.go("/gallery?level=full")
    visit.page.evaluate("scrollTo({top: 500, behavior: 'instant'})")
    visit.wait(lambda: [e for e in visit.named("Product List Viewed") if e["properties"]["list_id"] == "home-hero"])


def test_a_click_says_position_and_slate_though_the_page_goes_away(visit):
    visit.go("/gallery?level=full")
    visit.page.click(".mtp-grid [data-mtp-position='3'] a")
    visit.page.wait_for_url("**/p/p2")
    visit.wait(lambda: visit.named("Product Clicked"))
    (click,) = visit.named("Product Clicked")
    assert click["properties"] == {
        "product_id": "p2",
        "position": 3,
        "list_id": "home-hero",
        "recommendation_id": "slate-home-hero-0",
    }


def test_a_click_beside_a_link_is_none(visit):
    visit.go("/gallery?level=full")
    visit.page.click(".mtp-title >> nth=0")
    visit.page.click(".mtp-why summary >> nth=0")
    visit.leave()
    assert visit.named("Product Clicked") == []


def test_adding_takes_the_product_of_the_page_and_the_quantity_of_the_form(visit):
    visit.go("/p/p4?level=full")
    visit.page.fill("[name=quantity]", "3")
    visit.page.click("#add button")
    visit.page.wait_for_url("**/cart")
    visit.wait(lambda: visit.named("Product Added"))
    (added,) = visit.named("Product Added")
    assert added["properties"] == {"product_id": "p4", "quantity": 3}


def test_removing_by_a_button(visit):
    visit.go("/p/p4?level=full")
    visit.page.click("#remove")
    visit.wait(lambda: visit.named("Product Removed"))
    visit.leave()
    (removed,) = visit.named("Product Removed")
    assert removed["properties"] == {"product_id": "p3", "quantity": 1}


def test_adding_from_a_card_names_its_slate(visit):
    visit.go("/gallery?level=full")
    visit.page.evaluate(
        "document.querySelector('.mtp-list [data-mtp-position=\"2\"]')"
        ".insertAdjacentHTML('beforeend', '<button id=quick data-mtp-add=p2>Add</button>')"
    )
    visit.page.evaluate("document.querySelector('#quick').click()")
    visit.wait(lambda: visit.named("Product Added"))
    (added,) = visit.named("Product Added")
    assert added["properties"] == {
        "product_id": "p2",
        "quantity": 1,
        "position": 2,
        "list_id": "cart-complete",
        "recommendation_id": "slate-cart-complete-1",
    }


def test_a_search_says_what_and_how_many(visit):
    visit.go("/search?level=full")
    visit.wait(lambda: visit.named("Products Searched"))
    assert visit.named("Products Searched")[0]["properties"] == {"query": "blue lamp", "results": 0}


def test_the_shops_own_script_tracks_and_pages(visit):
    visit.go("/plain?level=full")
    assert visit.page.evaluate("mtp.track('Coupon Entered', {coupon_id: 'x'})") is True
    assert visit.page.evaluate("mtp.page('Step 2', {step: 2})") is True
    visit.wait(lambda: len(visit.shop.events) >= 3)
    assert visit.named("Coupon Entered")[0]["properties"] == {"coupon_id": "x"}
    (step,) = [event for event in visit.shop.events if event.get("name") == "Step 2"]
    assert (step["properties"]["step"], step["properties"]["path"]) == (2, "/plain")


# --------------------------------------------------------------------------------------------------- sending


def test_events_of_a_second_travel_together_and_ten_at_once(visit):
    visit.stop_the_clock()
    visit.go("/plain?level=full")
    visit.page.evaluate("mtp.track('One'); mtp.track('Two')")
    visit.page.clock.run_for(0.9 * SECOND)
    visit.page.wait_for_timeout(50)
    assert visit.posts() == 0
    visit.page.clock.run_for(0.2 * SECOND)
    visit.wait(lambda: visit.shop.bodies)
    assert [event.get("event") for event in visit.shop.bodies[0]["batch"]] == [None, "One", "Two"]
    visit.page.evaluate("for (let i = 0; i < 10; i++) mtp.track('Many')")
    visit.wait(lambda: len(visit.named("Many")) == 10)
    assert len(visit.shop.bodies) == 2


def test_a_batch_that_failed_comes_again_with_the_same_ids(visit):
    visit.stop_the_clock()
    visit.shop.statuses = [503, 429]
    visit.go("/plain?level=full")
    visit.pass_time(600, until=lambda: visit.shop.events)
    assert [event["type"] for event in visit.shop.events] == ["page"]
    assert visit.shop.tried == [[visit.shop.events[0]["messageId"]]] * 3


def test_retries_end(visit):
    visit.stop_the_clock()
    visit.shop.statuses = [500] * 50
    visit.go("/plain?level=full")
    visit.pass_time(600, until=lambda: visit.posts() == 5)
    visit.pass_time(100)
    visit.leave()
    assert visit.shop.tried.count(visit.shop.tried[0]) == 5


def test_a_batch_that_was_refused_is_let_go(visit):
    visit.stop_the_clock()
    visit.shop.statuses = [400] * 50
    visit.go("/plain?level=full")
    visit.pass_time(600, until=lambda: visit.posts() == 1)
    visit.pass_time(30)
    visit.leave()
    assert visit.shop.tried.count(visit.shop.tried[0]) == 1


def test_a_browser_without_keepalive_uses_a_beacon(visit):
    visit.page.add_init_script("delete Request.prototype.keepalive")
    visit.go("/plain?level=full")
    visit.page.evaluate("mtp.track('Last words')")
    visit.leave()
    visit.wait(lambda: visit.named("Last words"))
    assert len(visit.named("Last words")) == 1


def test_pages_of_other_origins_send_a_key_and_an_id_of_their_own(chromium, visit):
    other = WidgetShop(csp=False)
    with served(other) as elsewhere:
        visit.shop.allowed = [elsewhere]
        visit.page.context.add_cookies([{"name": "choice", "value": "granted", "url": visit.base}])
        visit.page.goto(f"{elsewhere}/elsewhere?home={visit.base}")
        visit.page.wait_for_selector(".mtp-card")
        visit.wait(lambda: visit.shop.bodies)
        body = visit.shop.bodies[0]
        kept = visit.page.evaluate("localStorage.mtp_visitor")
        assert (body["writeKey"], body["cookie"], body["type"]) == ("pk_blog", None, "text/plain")
        assert body["batch"][0]["anonymousId"] == kept
        assert other.events == []


# --------------------------------------------------------------------------------------------------- consent


@pytest.mark.parametrize("level", ["contextual", "non-personal"])
def test_below_full_consent_nothing_is_sent_or_kept(visit, level):
    visit.go(f"/p/p1?level={level}")
    visit.page.evaluate("scrollTo({top: 5000, behavior: 'instant'})")
    visit.page.wait_for_timeout(100)
    visit.page.evaluate("document.querySelector('.mtp-link').addEventListener('click', e => e.preventDefault())")
    visit.page.click(".mtp-link >> nth=0")
    visit.page.click("#remove")
    assert visit.page.evaluate("[mtp.track('X'), mtp.page()]") == [False, False]
    assert visit.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    visit.leave()
    assert visit.posts() == 0


def test_a_script_without_a_level_keeps_silent(visit):
    html = '<!doctype html><script src="/mtp/widget.js"></script>'
    visit.page.route("**/plain*", lambda route: route.fulfill(body=html, content_type="text/html"))
    visit.go("/plain")
    assert visit.page.evaluate("mtp.track('X')") is False


def test_agreeing_needs_no_reload_and_events_flow(visit):
    visit.go("/inject?banner=1")
    visit.page.wait_for_selector(".mtp-card")
    visit.page.evaluate("window.same = true")
    visit.page.evaluate("document.addEventListener('mtp:consent', e => { window.told = e.detail })")
    visit.page.click("button[value=granted]")
    visit.wait(lambda: visit.named("Product List Viewed"))
    assert visit.page.evaluate("[window.same, window.told]") == [True, "full"]
    assert visit.page.locator(".mtp-consent").count() == 0
    assert [event["type"] for event in visit.shop.events].count("page") == 1
    assert visit.shop.requests.count("GET /mtp/v1/blocks/home-hero") == 2


def test_refusing_takes_the_banner_away_and_sends_nothing(visit):
    visit.go("/gallery?banner=1")
    visit.page.click("button[value=denied]")
    visit.page.wait_for_selector(".mtp-consent", state="detached")
    assert visit.page.evaluate("mtp.track('X')") is False
    visit.leave()
    assert visit.posts() == 0
    assert visit.page.context.cookies()[0]["value"] == "denied"


def test_a_choice_that_fails_is_sent_as_a_form(visit):
    def by_form_only(route):
        return route.abort() if "json" in route.request.headers["accept"] else route.continue_()

    visit.page.route("**/v1/privacy/consent", by_form_only)
    visit.go("/plain?banner=1&a=b")
    with visit.page.expect_navigation():
        visit.page.evaluate("document.querySelector('button[value=granted]').click()")
    assert visit.page.url.endswith("/plain?banner=1&a=b")
    assert visit.page.context.cookies()[0]["value"] == "granted"


def test_the_banner_works_without_javascript(chromium, shop):
    with served(shop) as base:
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(base + "/gallery?banner=1")
        page.click("button[value=denied]")
        page.wait_for_url("**/gallery?banner=1")
        assert context.cookies()[0]["value"] == "denied"
        assert page.locator(".mtp-consent").count() == 0
        assert page.locator(".mtp-step:visible").count() == 0
        context.close()


# ---------------------------------------------------------------------------------------------------- blocks


def test_a_place_is_filled_with_the_servers_own_fragment(visit):
    visit.go("/inject?level=full")
    visit.page.wait_for_selector(".mtp-card")
    with visit.shop.app.test_request_context("/mtp/v1/blocks/home-hero?level=contextual"):
        served_html = visit.shop.block("home-hero", 6, "grid")
    assert visit.page.locator("[data-mtp-block] > .mtp-block").count() == 1
    assert visit.page.locator("[data-mtp-block] .mtp-card").count() == served_html.count('class="mtp-card"') == 6
    visit.wait(lambda: visit.named("Product List Viewed"))


def test_an_empty_answer_is_no_block_and_a_later_one_is(visit):
    visit.shop.blocks["home-hero"] = ""
    visit.go("/inject")
    visit.page.wait_for_selector("[data-mtp-block][hidden]", state="attached")
    del visit.shop.blocks["home-hero"]
    visit.page.evaluate("mtp.refresh()")
    visit.page.wait_for_selector(".mtp-card")


def test_a_fragment_put_in_by_the_shop_is_watched_and_works(visit):
    visit.go("/plain?level=full")
    visit.page.evaluate(
        """async () => {
            const answer = await fetch("/mtp/v1/blocks/home-trending?limit=12&category=carousel");
            document.querySelector("main").insertAdjacentHTML("beforeend", await answer.text());
        }"""
    )
    visit.page.wait_for_selector(".mtp-next:visible")
    visit.wait(lambda: visit.named("Product List Viewed"))


@pytest.mark.parametrize("width", [390, 820, 1440])
@pytest.mark.parametrize("path", ["/gallery", "/inject?layout=grid", "/inject?layout=carousel", "/inject?layout=list"])
def test_nothing_jumps(visit, width, path):
    visit.page.set_viewport_size({"width": width, "height": 900})
    visit.page.add_init_script(
        """window.shift = 0;
        new PerformanceObserver(list => { for (const entry of list.getEntries()) window.shift += entry.value })
            .observe({type: "layout-shift", buffered: true});"""
    )
    visit.go(path)
    visit.page.wait_for_selector(".mtp-card")
    visit.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert visit.page.evaluate("window.shift") == 0
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# -------------------------------------------------------------------------------------------------- keyboard


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_carousel_buttons_vanish_at_the_ends_and_hand_the_focus_on(visit, direction):
    visit.page.emulate_media(reduced_motion="reduce")
    visit.page.add_init_script(
        f"document.addEventListener('DOMContentLoaded', () => {{ document.documentElement.dir = '{direction}' }})"
    )
    visit.go("/gallery")
    back, on = visit.page.locator(".mtp-previous"), visit.page.locator(".mtp-next")
    on.wait_for(state="visible")
    assert not back.is_visible()
    on.focus()
    for _ in range(12):
        if not on.is_visible():
            break
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_timeout(60)
    assert back.is_visible()
    assert not on.is_visible()
    assert back.evaluate("element => element === document.activeElement")


def test_every_card_is_one_stop_and_the_reasons_open_by_keyboard(visit):
    visit.go("/gallery")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert visit.page.locator(".mtp-reasons >> nth=0").is_visible() is False
    visit.page.keyboard.press("Enter")
    assert visit.page.locator(".mtp-reasons >> nth=0").is_visible()
    stops = []
    for _ in range(4):
        visit.page.keyboard.press("Tab")
        stops.append(visit.page.evaluate("document.activeElement.textContent"))
    assert stops == ["Your preferences", "Field Watch 38", "Desk Lamp, Brass", "Stoneware Mug"]
    ring = visit.page.evaluate("getComputedStyle(document.activeElement, '::after').outlineStyle")
    assert ring == "solid"


# ------------------------------------------------------------------------------------------- the file itself


def test_the_script_is_at_most_five_kilobytes_gzipped():
    assert len(gzip.compress((STATIC / "mtp.js").read_bytes(), 9)) <= 5 * 1024


def test_the_types_name_what_the_global_has(visit):
    visit.go("/plain")
    typed = re.findall(r"^  (\w+)\(", (STATIC / "mtp.d.ts").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(typed) == sorted(visit.page.evaluate("Object.keys(mtp)"))

"""``mtp.js`` in a real Chromium, against real pages under a strict Content-Security-Policy."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mtp_plugin.web.assets import PARTS

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


def waiting(visit, path):
    """Open a page whose blocks are still on their way; gives what lets them go on."""
    held = []
    visit.page.route("**/v1/blocks/*", lambda route: held.append(route))
    visit.go(path)
    visit.wait(lambda: held)
    return held[0]


@pytest.mark.parametrize("element", ["", "&element=1"])
@pytest.mark.parametrize("layout", ["grid", "carousel", "list"])
def test_the_skeleton_is_as_high_as_the_block(visit, layout, element):
    held = waiting(visit, f"/inject?layout={layout}&limit=4{element}")
    place = visit.page.locator("[data-mtp-block], mtp-block")
    before = place.bounding_box()
    shown = place.evaluate("element => getComputedStyle(element, '::before').backgroundImage")
    assert shown.startswith("repeating-linear-gradient")
    assert before["height"] > 200
    held.continue_()
    visit.page.wait_for_selector(".mtp-card")
    assert place.bounding_box()["height"] == pytest.approx(before["height"], abs=1)
    assert place.evaluate("element => getComputedStyle(element, '::before').content") == "none"


def test_the_fallback_stands_until_the_block_comes_and_when_none_does(visit):
    held = waiting(visit, "/inject?element=1")
    link = visit.page.get_by_role("link", name="All products")
    assert link.is_visible()
    high = visit.page.locator("mtp-block").bounding_box()["height"]
    held.abort()
    visit.page.wait_for_selector("mtp-block[data-mtp-loaded]")
    assert link.is_visible()
    assert visit.page.locator("mtp-block").bounding_box()["height"] < high / 4
    visit.page.unroute_all()
    visit.page.evaluate("mtp.refresh()")
    visit.page.wait_for_selector(".mtp-card")
    assert link.count() == 0
    visit.shop.blocks["home-hero"] = ""
    visit.page.evaluate("mtp.refresh()")
    link.click()
    visit.page.wait_for_url("**/plain")


def test_a_place_is_filled_anew_when_it_asks_for_something_else(visit):
    visit.go("/inject?element=1")
    visit.page.wait_for_selector("[data-mtp-item=p0]")
    visit.page.evaluate("document.querySelector('mtp-block').setAttribute('limit', 3)")
    visit.wait(lambda: visit.page.locator(".mtp-card").count() == 3)
    visit.go("/inject")
    visit.page.wait_for_selector("[data-mtp-item=p0]")
    visit.page.evaluate("document.querySelector('[data-mtp-block]').dataset.mtpProducts = 'p9'")
    visit.wait(lambda: visit.page.locator("[data-mtp-item]").first.get_attribute("data-mtp-item") == "p1")
    asked = [line for line in visit.shop.requests if "blocks" in line]
    assert len(asked) == 4, "once for each change"


def test_without_javascript_a_place_is_its_fallback(chromium, shop):
    with served(shop) as base:
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(base + "/inject")
        assert not page.locator("[data-mtp-block]").is_visible()
        page.goto(base + "/inject?element=1")
        assert page.locator("mtp-block").bounding_box()["height"] < 60
        page.get_by_role("link", name="All products").click()
        page.wait_for_url("**/plain")
        context.close()


# ---------------------------------------------------------------------------------------------------- themes

LIGHT, DARK = 0.6, 0.4


def brightness(visit, selector, style="color", pseudo=""):
    """From 0, black, to 1, white: how a colour comes out on a canvas."""
    return visit.page.evaluate(
        """([selector, style, pseudo]) => {
            const colour = getComputedStyle(document.querySelector(selector), pseudo || null)[style];
            const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
            return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
        }""",
        [selector, style, pseudo],
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", ["", "light", "dark"])
def test_a_block_follows_the_pages_colours_and_its_switch(visit, scheme, theme):
    visit.page.emulate_media(color_scheme=scheme)
    visit.go(f"/inject?element=1&theme={theme}")
    visit.page.wait_for_selector(".mtp-card")
    text, raised = brightness(visit, ".mtp-name"), brightness(visit, ".mtp-reasons", "backgroundColor")
    assert text < DARK if scheme == "light" else text > LIGHT, "text is the page's own"
    assert raised > LIGHT if (theme or scheme) == "light" else raised < DARK, "what lies above the page is the switch's"


def test_five_lines_change_the_look(visit):
    visit.page.route("**/mtp.css", lambda route: route.fulfill(
        body=(STATIC / "mtp.css").read_text(encoding="utf-8")
        + ":root { --mtp-radius: 3px; --mtp-ink: rgb(20, 40, 60); --mtp-sale: rgb(9, 99, 9); --mtp-ratio: 1 / 1 }",
        content_type="text/css",
    ))  # fmt: skip
    held = waiting(visit, "/inject?element=1&limit=4")
    place = visit.page.locator("mtp-block")
    high = place.bounding_box()["height"]
    held.continue_()
    visit.page.wait_for_selector(".mtp-card")
    assert place.bounding_box()["height"] == pytest.approx(high, abs=1), "the skeleton has the theme's shape"
    look = visit.page.evaluate(
        """["media", "name", "price ins"].map(part => getComputedStyle(document.querySelector(".mtp-" + part)))
            .map(({color, borderRadius, aspectRatio}) => [color, borderRadius, aspectRatio])"""
    )
    assert look[0][1:] == ["3px", "1 / 1"]
    assert [look[1][0], look[2][0]] == ["rgb(20, 40, 60)", "rgb(9, 99, 9)"]


# ---------------------------------------------------------------------------------------------- more of places


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
@pytest.mark.parametrize(
    "path",
    [
        "/gallery",
        *(f"/inject?layout={layout}" for layout in ("grid", "carousel", "list")),
        *(f"/inject?element=1&layout={layout}&limit=4" for layout in ("grid", "carousel", "list")),
    ],
)
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


def test_half_a_carousel_hinders_no_other(visit):
    visit.shop.blocks["home-hero"] = '<div><ul class="mtp-cards"></ul><button data-mtp-step="1">On</button></div>'
    visit.go("/inject")
    visit.wait(lambda: "GET /mtp/widget-carousel.js" in visit.shop.requests)
    visit.page.wait_for_timeout(200)
    visit.page.evaluate(
        """async () => {
            const answer = await fetch("/mtp/v1/blocks/home-trending?limit=12&category=carousel");
            document.querySelector("main").insertAdjacentHTML("beforeend", await answer.text());
        }"""
    )
    visit.page.wait_for_selector(".mtp-next:visible")


def test_carousels_are_looked_for_once_a_frame(visit):
    visit.go("/gallery")
    visit.page.wait_for_selector(".mtp-next:visible")
    looked = visit.page.evaluate(
        """async () => {
            const frame = () => new Promise(requestAnimationFrame);
            await frame();
            await frame();
            let looked = 0;
            const plain = document.querySelectorAll;
            document.querySelectorAll = (selector) => {
                looked += selector === "[data-mtp-step]";
                return plain.call(document, selector);
            };
            for (let i = 0; i < 50; i++) {
                document.body.append(document.createElement("i"));
                await null;
            }
            await frame();
            await frame();
            return looked;
        }"""
    )
    assert looked == 1


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


def test_the_script_is_at_most_five_kilobytes_gzipped_and_its_parts_are_small():
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.glob("*.js")}
    assert sizes.pop("mtp.js") <= 5 * 1000
    assert set(sizes) == {f"mtp-{part}.js" for part in PARTS}
    assert max(sizes.values()) <= 2.5 * 1000


def test_parts_are_loaded_only_where_they_are_used(visit):
    def parts():
        return sorted(line[len("GET /mtp/widget-") :] for line in visit.shop.requests if "widget-" in line)

    visit.go("/plain")
    visit.page.wait_for_timeout(100)
    assert parts() == []
    visit.go("/gallery?banner=1")
    visit.page.wait_for_selector(".mtp-next:visible")
    visit.wait(lambda: len(parts()) == 2)
    visit.go("/plain?level=full")
    visit.wait(lambda: len(parts()) == 3)
    assert parts() == ["carousel.js", "consent.js", "engage.js"]


def test_time_counts_while_the_page_can_be_seen(visit):
    def show(hidden):
        visit.page.evaluate(
            """hidden => {
                Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )

    visit.stop_the_clock()
    visit.go("/p/p1?level=full")
    visit.wait(lambda: "GET /mtp/widget-engage.js" in visit.shop.requests)
    visit.page.wait_for_timeout(200)
    visit.page.clock.run_for(5 * SECOND)
    show(hidden=True)
    visit.page.clock.run_for(600 * SECOND)
    show(hidden=False)
    visit.page.clock.run_for(3 * SECOND)
    visit.leave()
    visit.wait(lambda: len(visit.named("Page Engaged")) == 2)
    first, second = (event["properties"] for event in visit.named("Page Engaged"))
    assert (first["seconds"], second["seconds"]) == (5, 3)
    assert first["product_id"] == second["product_id"] == "p1"


def test_time_without_permission_is_never_told(visit):
    visit.stop_the_clock()
    visit.go("/p/p1?level=full")
    visit.wait(lambda: "GET /mtp/widget-engage.js" in visit.shop.requests)
    visit.page.wait_for_timeout(200)
    visit.page.clock.run_for(5 * SECOND)
    visit.page.evaluate("mtp.consent('non-personal')")
    visit.page.clock.run_for(60 * SECOND)
    visit.page.evaluate("dispatchEvent(new Event('pagehide'))")
    visit.page.clock.run_for(60 * SECOND)
    visit.page.evaluate("mtp.consent('full')")
    visit.page.clock.run_for(3 * SECOND)
    visit.leave()
    visit.wait(lambda: visit.named("Page Engaged"))
    assert [event["properties"]["seconds"] for event in visit.named("Page Engaged")] == [3]


def test_time_has_an_end(visit):
    visit.stop_the_clock()
    visit.go("/plain?level=full")
    visit.wait(lambda: "GET /mtp/widget-engage.js" in visit.shop.requests)
    visit.page.wait_for_timeout(200)
    visit.page.clock.fast_forward(7200 * SECOND)
    visit.leave()
    visit.wait(lambda: visit.named("Page Engaged"))
    assert [event["properties"]["seconds"] for event in visit.named("Page Engaged")] == [1800]


def test_the_types_name_what_the_global_has(visit):
    visit.go("/plain")
    typed = re.findall(r"^  (\w+)\(", (STATIC / "mtp.d.ts").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(typed) == sorted(visit.page.evaluate("Object.keys(mtp)"))

"""The widget on pages of another origin, by hand and by Tag Manager's container: what comes, and what is stored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .real_shop import CONTAINER, PUBLIC, RealShop, Served, elsewhere

pytestmark = pytest.mark.browser

STAND_IN = Path(__file__).with_name("tag_manager.js")


class Visit:
    """A browser page on a blog that the shop lists; by the name ``localhost`` the same blog is not listed."""

    def __init__(self, shop: RealShop, home: str, blog: str, page: Any) -> None:
        self.shop, self.home, self.blog, self.page = shop, home, blog, page
        self.console: list[str] = []
        page.on("console", lambda message: self.console.append(message.text) if message.type == "error" else 0)
        page.on("pageerror", lambda error: self.console.append(str(error)))

    def go(self, path: str, *, listed: bool = True, level: str = "full") -> None:
        blog = self.blog if listed else self.blog.replace("127.0.0.1", "localhost")
        self.page.goto(f"{blog}{path}?home={self.home}&level={level}")


@pytest.fixture
def visit(chromium: Any, tmp_path: Path) -> Iterator[Visit]:
    with Served(elsewhere()) as blog:
        origin = f"http://127.0.0.1:{blog.port}"
        shop = RealShop(tmp_path, origin)
        with Served(shop.app) as home:
            context = chromium.new_context(viewport={"width": 1200, "height": 800})
            yield Visit(shop, f"http://127.0.0.1:{home.port}", origin, context.new_page())
            context.close()
        shop.close()


def test_a_listed_page_gets_blocks_and_its_events_are_stored(visit: Visit) -> None:
    visit.page.context.add_cookies([{"name": "mtp_visitor", "value": "x", "url": visit.home}])
    visit.go("/")
    visit.page.wait_for_selector("mtp-block .mtp-card")
    visit.page.wait_for_selector("[data-mtp-block] .mtp-card")
    assert visit.page.locator("[data-mtp-block] .mtp-card").count() == 3
    assert visit.page.locator(".spare").count() == 0
    for link in visit.page.locator(".mtp-link").all():
        assert str(link.get_attribute("href")).startswith(visit.home + "/p/")
    assert {image.get_attribute("src") for image in visit.page.locator("img").all()} == {visit.home + "/i.svg"}
    assert visit.page.evaluate("getComputedStyle(document.querySelector('.mtp-cards')).display") == "grid"

    (view,) = visit.shop.wait("Product Viewed")
    kept = visit.page.evaluate("localStorage.mtp_visitor")
    assert view["profile_id"] == f"a:{PUBLIC}/{kept}"
    visit.page.locator("mtp-block").scroll_into_view_if_needed()
    visit.page.mouse.wheel(0, 600)
    visit.shop.wait("Product List Viewed", count=2)
    visit.page.click("mtp-block [data-mtp-position='2'] a")
    (click,) = visit.shop.wait("Product Clicked", list_id="home-trending")
    assert click["products"][0]["position"] == 2
    visit.page.wait_for_url(f"{visit.home}/p/*")
    assert visit.console == []


def test_refusing_there_deletes_the_id(visit: Visit) -> None:
    visit.go("/")
    visit.shop.wait("Product Viewed")
    visit.page.evaluate("mtp.consent('non-personal')")
    assert visit.page.evaluate("localStorage.length") == 0
    assert visit.page.evaluate("mtp.track('X')") is False


@pytest.mark.parametrize("level", ["contextual", "non-personal"])
def test_a_page_loaded_without_permission_deletes_the_id(visit: Visit, level: str) -> None:
    visit.go("/")
    visit.shop.wait("Product Viewed")
    assert visit.page.evaluate("'mtp_visitor' in localStorage")
    visit.go("/", level=level)
    assert visit.page.evaluate("[mtp.track('X'), localStorage.length]") == [False, 0]


def test_either_permission_denied_deletes_the_id_that_waited_for_an_answer(visit: Visit) -> None:
    visit.go("/")
    visit.shop.wait("Product Viewed")
    visit.go("/", level="google")
    visit.page.wait_for_function("window.dataLayer && dataLayer.push !== Array.prototype.push")
    visit.page.evaluate("dataLayer.push(['consent', 'default', {analytics_storage: 'denied'}])")
    assert visit.page.evaluate("[mtp.track('X'), localStorage.length]") == [False, 1]
    visit.page.evaluate("dataLayer.push(['consent', 'update', {analytics_storage: 'denied'}])")
    assert visit.page.evaluate("[mtp.track('X'), localStorage.length]") == [False, 0]


def test_a_request_that_needs_a_preflight(visit: Visit) -> None:
    visit.go("/")
    answer = visit.page.evaluate(
        """async ([home, key]) => {
            const headers = {"Content-Type": "application/json", "Authorization": `Bearer ${key}`};
            const body = JSON.stringify({event: "Asked First", anonymousId: "ada"});
            const answer = await fetch(home + "/mtp/v1/track", {method: "POST", headers, body});
            return [answer.status, (await answer.json()).accepted];
        }""",
        [visit.home, PUBLIC],
    )
    assert answer == [200, 1]
    assert visit.shop.events("Asked First")[0]["profile_id"] == f"a:{PUBLIC}/ada"


def test_a_page_that_is_not_listed_gets_nothing_and_is_quiet(visit: Visit) -> None:
    visit.go("/", listed=False)
    visit.page.wait_for_selector("mtp-block[data-mtp-loaded] a")
    assert visit.page.locator(".mtp-card").count() == 0
    assert visit.page.locator(".spare").is_visible()
    visit.page.wait_for_function("!mtp.track('X')")
    for number in range(30):
        visit.page.evaluate(f"mtp.track('Again', {{number: {number}}})")
    visit.page.wait_for_timeout(200)
    assert visit.shop.events() == []
    assert len(visit.console) <= 6, "two blocks and one batch, each with the browser's two messages"
    assert all("CORS" in text or "Failed to load resource" in text for text in visit.console)


# ---------------------------------------------------------------------------------------------- Tag Manager


def container(**constants: str) -> dict[str, Any]:
    """The example's container, with the constants that a shop sets."""
    made: dict[str, Any] = json.loads((CONTAINER / "container.json").read_text(encoding="utf-8"))
    for variable in made["containerVersion"]["variable"]:
        for parameter in variable["parameter"]:
            if parameter["key"] == "value":
                parameter["value"] = constants[variable["name"]]
    return made


def test_the_container_is_one_that_tag_manager_imports() -> None:
    made = container(**{"mtp - address": "", "mtp - public key": ""})
    version = made["containerVersion"]
    assert made["exportFormatVersion"] == 2
    assert version["container"]["usageContext"] == ["WEB"]
    numbers = {"tag": "tagId", "trigger": "triggerId", "variable": "variableId"}
    ids = [one[number] for kind, number in numbers.items() for one in version[kind]]
    assert all(re.fullmatch(r"\d+", number) for number in ids)
    assert len(set(ids)) == len(ids)
    names = [one["name"] for kind in numbers for one in version[kind]]
    assert all(name.startswith("mtp - ") for name in names), "so that merging touches nothing of the shop's"
    for one in (one for kind in (*numbers, "builtInVariable") for one in version[kind]):
        assert (one["accountId"], one["containerId"]) == (version["accountId"], version["containerId"])
    triggers = {one["triggerId"] for one in version["trigger"]}
    known = {one["name"] for one in version["variable"]}
    for tag in version["tag"]:
        assert tag["type"] == "html"
        assert set(tag["firingTriggerId"]) <= triggers
        assert set(re.findall(r"\{\{([^}]+)\}\}", str(tag["parameter"]))) <= known
        assert tag["consentSettings"]["consentStatus"] == "NOT_NEEDED", "the script itself waits for permission"


@pytest.fixture
def tagged(visit: Visit) -> Visit:
    """The example page, its container in what stands for Tag Manager."""
    made = container(**{"mtp - address": f"{visit.home}/mtp/", "mtp - public key": PUBLIC})
    body = STAND_IN.read_text(encoding="utf-8").replace("CONTAINER", json.dumps(made), 2)
    visit.page.route(
        "https://www.googletagmanager.com/gtm.js?id=GTM-XXXXXXX",
        lambda route: route.fulfill(body=body, content_type="text/javascript"),
    )
    visit.go("/tagged")
    visit.page.wait_for_selector(".mtp-card")
    return visit


def test_the_example_page_from_no_to_yes_and_back(tagged: Visit) -> None:
    page, shop = tagged.page, tagged.shop
    page.click("#add")
    page.click("#quiz")
    assert page.evaluate("[mtp.track('X'), localStorage.length, document.cookie]") == [False, 0, ""]
    assert shop.events() == []

    page.click("#yes")
    (view,) = shop.wait("Product Viewed")
    assert [line["product_id"] for line in view["products"]] == ["p003"]
    page.click("#add")
    (added,) = shop.wait("Product Added")
    assert (added["products"][0]["quantity"], added["properties"]["currency"]) == (2.0, "EUR")
    page.click("#quiz")
    shop.wait("Quiz Finished", answer="cup")

    page.click("#no")
    assert page.evaluate("[mtp.track('X'), localStorage.length]") == [False, 0]
    page.click("#add")
    page.wait_for_timeout(200)
    assert len(shop.events("Product Added")) == 1
    assert tagged.console == []


def test_a_region_that_denies_is_stronger_than_a_default_that_grants(tagged: Visit) -> None:
    grant = "{analytics_storage: 'granted', personalization_storage: 'granted'}"
    tagged.page.evaluate(f"gtag('consent', 'default', {grant})")
    tagged.page.evaluate("gtag('consent', 'default', {analytics_storage: 'denied', region: ['DE']})")
    assert tagged.page.evaluate("mtp.track('X')") is False
    tagged.page.evaluate(f"gtag('consent', 'update', {grant})")
    assert tagged.page.evaluate("mtp.track('X')") is True

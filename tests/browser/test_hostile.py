"""Hostile products and events in a real Chromium without a Content-Security-Policy: nothing of them ever runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page
from werkzeug.serving import make_server

from ..console.conftest import Desk
from ..security.hostile import TEXTS, events, hostile_desk, products

pytestmark = pytest.mark.browser

PROVOKE = """() => {
  const kinds = ["mouseover", "mouseenter", "focus", "error", "load", "click", "toggle"];
  for (const one of document.querySelectorAll("*"))
    for (const kind of kinds) if (kind != "click" || !one.closest("a, button, input, summary"))
      one.dispatchEvent(new Event(kind));
  const scripts = [...document.scripts].filter(one => !one.src).map(one => one.text);
  const handlers = [...document.querySelectorAll("*")].flatMap(one =>
    [...one.attributes].filter(({ name }) => name.startsWith("on")).map(({ name }) => one.tagName + " " + name));
  const links = [...document.querySelectorAll("a[href], form[action], iframe")]
    .map(one => new URL(one.href || one.action || one.src, location).protocol)
    .filter(protocol => !["http:", "https:"].includes(protocol));
  return { pwned: window.pwned ?? null, scripts, handlers, links };
}"""
CLEAN = {"pwned": None, "scripts": [], "handlers": [], "links": []}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Desk]]:
    desk = hostile_desk(tmp_path_factory.mktemp("hostile"))
    server = make_server("127.0.0.1", 0, desk.shop.app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", desk
    server.shutdown()
    server.server_close()
    desk.shop.state.close()


@pytest.fixture
def page(chromium: Any, site: tuple[str, Desk]) -> Iterator[Page]:
    """A window that obeys no policy: what is not escaped would run."""
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{site[0]}/hostile")
    page.request.post(f"{site[0]}/mtp/v1/privacy/consent", data={"choice": True}, headers={"Origin": site[0]})
    yield page
    context.close()
    assert dialogs == []


def seen(page: Page, site: tuple[str, Desk]) -> None:
    """This visitor looks at all of them, as a browser tells of it."""
    for event in events():
        page.request.post(f"{site[0]}/mtp/v1/track", data=event, headers={"Origin": site[0]})


def test_the_control_runs_where_nothing_is_escaped(page: Page, site: tuple[str, Desk]) -> None:
    page.goto(f"{site[0]}/naked")
    assert page.evaluate(PROVOKE)["pwned"] == 1


def test_blocks_and_the_widget(page: Page, site: tuple[str, Desk]) -> None:
    seen(page, site)
    for text in TEXTS:
        page.goto(f"{site[0]}/hostile?q={quote(text)}")
        page.wait_for_selector('[data-mtp-block="home-trending"] .mtp-card', state="attached")
        assert page.evaluate(PROVOKE) == CLEAN, text
    assert page.locator(".mtp-card").count() > len(TEXTS)
    for link in page.locator("a.mtp-link").all()[:6]:
        assert link.evaluate("one => one.protocol").startswith("http")


def test_the_console(page: Page, site: tuple[str, Desk]) -> None:
    seen(page, site)
    address, desk = site
    desk.be(("administrator", TEXTS[0]))
    newest, _ = desk.shop.state.journal.tail(0, limit=1)
    shown = [f"products/{quote(product.product_id, safe='')}?placement=home-hero" for product in products()]
    shown += [
        "products/",
        "changes/",
        f"as/?visitor={newest[0][1].profile_id}&placement=home-hero",
        "placements/home-hero",
    ]
    shown += [f"search?q={quote(text)}" for text in TEXTS]
    for path in shown:
        page.goto(f"{address}/mtp/admin/{path}")
        assert page.evaluate(PROVOKE) == CLEAN, path


def test_a_visitors_own_export(page: Page, site: tuple[str, Desk], tmp_path: Path) -> None:
    seen(page, site)
    page.goto(f"{site[0]}/mtp/v1/privacy/subject?format=html")
    assert page.evaluate(PROVOKE) == CLEAN
    assert page.locator("body").inner_text().count("</script>") > 0

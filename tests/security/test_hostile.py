"""Hostile products and events in every answer: blocks, fragments, JSON, console, files, mail, headers."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from email import message_from_bytes
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mtp_plugin.alert_targets import AlertTarget
from mtp_plugin.alerts.deliver import alertmanager_body, mail, slack_body
from mtp_plugin.forwarding import forward
from mtp_plugin.ports import Alert
from mtp_plugin.web.admin.tables import DANGEROUS

from ..answering import AnsweringServer
from ..console.conftest import Desk
from ..web.shop import SECRET, Browser
from .hostile import STRIKE, TEXTS, URLS, events, hostile_desk, products

REDIRECTS = (
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "/\t/evil.example", "javascript:alert(1)", "/ok\r\nSet-Cookie: pwned=1",
    "///evil.example", "/%0d%0aSet-Cookie:pwned=1", " /x", "",
)  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = hostile_desk(tmp_path_factory.mktemp("hostile"), consent_purposes=["personalisation", "analytics"])
    yield desk
    desk.shop.state.close()


@pytest.fixture(scope="module")
def visitor(desk: Desk) -> Browser:
    """Somebody who has looked at all of them."""
    browser = desk.shop.browser().agree()
    for event in events():
        assert browser.post("/mtp/v1/track", json=event).status_code == 200
    return browser


class Loose(HTMLParser):
    """Collects what could run: handlers, scripts without an address, addresses that are scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        names = {name: value or "" for name, value in attrs}
        self.found += [f"{tag} {name}" for name in names if name.startswith("on") or name in ("autofocus", "srcdoc")]
        self.found += [tag] if tag == "script" and "src" not in names else []
        for name in ("href", "src", "action", "formaction", "srcset", "xlink:href"):
            address = re.sub(r"[\x00-\x20]", "", names.get(name, "")).lower()
            self.found += [f"{tag} {address}"] if re.match("(javascript|vbscript|data:text|data:,.)", address) else []


def harmless(html: str) -> None:
    loose = Loose()
    loose.feed(html)
    assert loose.found == []
    assert str(7331 * 7331) not in html


def test_the_control_finds_what_is_naked(desk: Desk) -> None:
    loose = Loose()
    loose.feed(desk.client.get("/naked").text)
    assert {"script", "img onerror", "svg onload"} <= set(loose.found)


@pytest.mark.parametrize("text", TEXTS)
def test_pages_and_fragments(desk: Desk, visitor: Browser, text: str) -> None:
    for path in ("/hostile", "/mtp/v1/blocks/home-hero", "/mtp/v1/blocks/product-similar"):
        answer = visitor.get(path, query_string={"q": text, "product_ids": text, "category": text, "query": text})
        assert answer.status_code == 200, answer.text
        harmless(answer.text)
        assert "Set-Cookie" not in answer.headers or "pwned" not in str(answer.headers)


def test_a_block_shows_them_as_text(visitor: Browser) -> None:
    page = visitor.get("/hostile").text
    assert "&lt;/script&gt;&lt;script&gt;" in page
    assert "{{7331*7331}}" in page
    assert 'dir="auto"' in page  # text that changes its direction stays within its own place


@pytest.mark.parametrize("path", ["/mtp/v1/recommendations?placement=home-hero&limit=24&explain=1",
                                  "/mtp/v1/privacy/subject", "/mtp/v1/propensity?product_ids=x"])  # fmt: skip
def test_json_is_json_and_cannot_be_taken_for_a_page(visitor: Browser, path: str) -> None:
    answer = visitor.get(path)
    assert answer.content_type == "application/json"
    assert json.loads(answer.data)


@pytest.mark.parametrize("format", ["html", "text"])
def test_an_export_of_a_visitor(visitor: Browser, format: str) -> None:
    answer = visitor.get(f"/mtp/v1/privacy/subject?format={format}")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if format == "html":
        harmless(answer.text)
        assert "&lt;script&gt;" in answer.text


def test_errors_repeat_nothing_that_runs(desk: Desk) -> None:
    for text in TEXTS:
        for path in ("/mtp/v1/recommendations", f"/mtp/v1/blocks/{text}", "/mtp/v1/track"):
            answer = desk.client.get(path, query_string={"placement": text, "limit": text, "filter": text})
            assert answer.content_type.startswith("application/json") or answer.status_code == 404
        harmless(desk.get(f"/{text}").text)


def pages(desk: Desk, visitor: Browser) -> list[str]:
    """Every page of the console that tells of products, visitors or what somebody wrote."""
    anonymous = desk.shop.state.journal.tail(0, limit=1)[0][0][1].profile_id
    found = [
        "/",
        "/products/",
        "/placements/",
        "/rules/",
        "/segments/",
        "/alerts/",
        "/changes/",
        "/bandits/",
        "/health/",
    ]
    found += [f"/products/{quote(product.product_id)}?placement=home-hero" for product in products()]
    found += [f"/as/?visitor={anonymous}&placement=home-hero", "/placements/home-hero"]
    found += [f"/search?q={quote(text)}" for text in TEXTS] + [f"/products/?q={quote(text)}" for text in TEXTS]
    return found


def test_the_console(desk: Desk, visitor: Browser) -> None:
    desk.be(("administrator", TEXTS[0]))
    rule = {"effect": "title", "title": TEXTS[1]}
    body = {"rule": {"rule_id": "h", "name": TEXTS[0], "when": {"context.query": TEXTS[2]}, "then": [rule]}}
    saved = desk.shop.app.test_client().put("/mtp/v1/rule/h", json=body, auth=(SECRET, ""))
    assert saved.status_code == 200, saved.text
    desk.shop.state.alerts.put(alert(TEXTS[0]))
    assert desk.post("/placements/cart-complete/switch", enabled="1").status_code in (303, 400)
    seen = 0
    for path in [*pages(desk, visitor), "/rules/rule/h", "/rules/rule/h/json"]:
        answer = desk.get(path)
        assert answer.status_code in (200, 404), (path, answer.text)
        harmless(answer.text)
        seen += STRIKE in answer.text
    assert seen > 20


def alert(text: str) -> Alert:
    return Alert(key=f"job:{text}", kind="job", severity="page", title=text, message=text, opened_at=1.0, last_at=1.0)


@pytest.mark.parametrize("path", ["/products/?format=csv", "/changes/?format=csv", "/segments/?format=csv"])
def test_files_for_spreadsheets_hold_no_formula(desk: Desk, path: str) -> None:
    desk.be(("administrator", "=HYPERLINK(1)"))
    desk.post("/theme", theme="dark")
    answer = desk.get(path)
    assert answer.content_type.startswith("text/csv"), answer.text[:200]
    cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
    assert cells
    assert [cell for cell in cells if cell.startswith(DANGEROUS)] == []
    if "products" in path:
        assert "'=cmd|' /C calc'!A0" in cells


@pytest.mark.parametrize("text", TEXTS)
def test_mail_and_chat(text: str) -> None:
    target = AlertTarget(kind="email", host="h", sender="shop@shop.example", to=("ops@shop.example",))
    message = message_from_bytes(mail(target, [alert(text)]).as_bytes())
    assert set(message.keys()) == {
        "From", "To", "Subject", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"
    }  # fmt: skip
    assert message.get_content_type() == "text/plain"
    assert json.loads(json.dumps(slack_body([alert(text)])))["blocks"][0]["text"]["type"] == "plain_text"
    assert alertmanager_body([alert(text)])[0]["annotations"]["summary"] == text


@pytest.mark.parametrize("target", REDIRECTS)
def test_nobody_is_sent_elsewhere(desk: Desk, target: str) -> None:
    browser = desk.shop.browser()
    for path, field in (
        ("/mtp/v1/privacy/consent", {"choice": "granted"}),
        ("/mtp/v1/privacy/requests", {"kind": "lift"}),
    ):
        browser.agree()
        answer = browser.post(path, data={**field, "next": target}, headers={"Accept": "text/html"})
        assert answer.status_code == 303
        location = answer.headers["Location"]
        assert location.startswith("/"), location
        assert not location.startswith(("//", "/\\")), location
        assert "pwned" not in str(answer.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", 'x"><script>', "a b", "x\\y"])
def test_a_made_up_host_reaches_no_shared_answer(desk: Desk, host: str) -> None:
    for path in ("/hostile", "/mtp/v1/blocks/home-hero", "/mtp/openapi.json", "/mtp/widget.js"):
        answer = desk.shop.app.test_client().get(path, headers={"Host": host})
        assert "evil.example" not in answer.text, path


@pytest.mark.parametrize("name", ["Größe ☃", " Spaced ", "50%", "x: y", "\U0001f600", "\u05d0 right"])
def test_an_events_name_cannot_stop_or_bend_what_is_forwarded(tmp_path: Path, name: str) -> None:
    third = AnsweringServer()
    third.http.RequestHandlerClass.do_POST = third.http.RequestHandlerClass.do_GET  # type: ignore[attr-defined]
    target = {"kind": "webhook", "url": third.url, "secret": "a secret", "purpose": "necessary"}
    desk = hostile_desk(tmp_path, forward={"crm": target}, outbound_allow=["127.0.0.1"])
    forward(desk.shop.state)
    body: dict[str, Any] = {"event": name, "userId": "ada"}
    desk.shop.app.test_client().post("/mtp/v1/track", json=body, auth=(SECRET, ""))
    assert forward(desk.shop.state) == "crm: 1 sent, 0 withheld"
    assert third.headers[0]["X-Mtp-Topic"].isascii()
    desk.shop.state.close()
    third.close()


def test_addresses_that_run_are_links_nowhere(visitor: Browser) -> None:
    page = visitor.get("/hostile").text
    for url in URLS[:6]:
        assert f'href="{url}' not in page
        assert f'src="{url}' not in page

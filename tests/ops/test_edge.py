"""``deploy/nginx/edge.conf`` in a real nginx before a real server: what is shared, what never is, how often it asks."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from flask import Response, render_template_string, session
from werkzeug.serving import BaseWSGIServer, make_server

from mtp_plugin.ports import MadeSegment

from ..core.test_stampede import MANY
from ..docs.fences import blocks
from ..servers import NginxServer, free_port, nginx_program, wait_until
from ..web.shop import CANARIES, SECRET, Shop, build_shop

CONFIG = re.sub(
    r"(proxy_cache_lock_timeout|proxy_connect_timeout|proxy_read_timeout) \ds;",
    r"\1 30s;",  # a slow machine is no failure
    (Path(__file__).parents[2] / "deploy" / "nginx" / "edge.conf").read_text(encoding="utf-8"),
).replace("sk_yours", SECRET)
PAGE = """<!doctype html><html lang="en"><head>{{ mtp_scripts() }}</head><body><p>Hello {{ name }}</p>
<!--# include virtual="/mtp-edge/home-trending" -->
<!--# include virtual="/mtp-edge/product-similar?product_ids=p001" -->
<!--# include virtual="/mtp-edge/no-such-place" -->
{{ mtp_block("recently-viewed") }}</body></html>"""
RULE = {
    "rule_id": "greet",
    "when": {"segment.id": "lookers"},
    "then": [{"effect": "title", "title": "For those who look"}],
}
AGENT = {"User-Agent": "Mozilla/5.0 (X11) Firefox/140", "Sec-Fetch-Site": "same-origin"}


class Origin:
    """The shop on a port, which counts what it is asked for, can be slow, and can be ended and started again."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.port = shop, free_port()
        self.asked: Counter[tuple[str, int]] = Counter()
        self.brought: set[str] = set()
        self.shown: set[str] = set()
        self.segments: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()
        self.start()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if "/v1/blocks/" not in path:
            return self.shop.app(environ, start)
        self.gate.wait(30)
        told: list[int] = []

        def begin(status: str, *rest: Any) -> Any:
            told.append(int(status.split()[0]))
            return start(status, *rest)

        answer = self.shop.app(environ, begin)
        with self._lock:
            self.asked[path.rpartition("/")[2], told[-1]] += 1
            self.brought |= {name for name in environ if name.startswith("HTTP_")}
            self.shown.add(environ.get("HTTP_AUTHORIZATION", ""))
            self.segments |= set(parse_qs(environ["QUERY_STRING"]).get("segment_id", [""]))
        return answer

    def start(self) -> None:
        self._server: BaseWSGIServer = make_server("127.0.0.1", self.port, self, threaded=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, placement: str) -> int:
        return sum(number for (name, _), number in self.asked.items() if name == placement)


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[Origin]:
    shop = build_shop(tmp_path, segment_cookie_name="mtp_segment", cache_seconds=4)

    @shop.app.get("/shop")
    def front() -> str:
        return render_template_string(PAGE, name=session.get("user", "stranger"))

    @shop.app.get("/static-page")
    def page() -> Response:
        return Response('<!--# include virtual="/mtp-edge/home-trending" -->', mimetype="text/html")

    shop.state.segments.save(
        MadeSegment(segment_id="lookers", name="Lookers", condition={"profile.views": {"$gte": 1}})
    )
    kept = shop.app.test_client().put(
        "/mtp/v1/rules", json={"rules": [RULE]}, headers={"Authorization": "Bearer sk_test"}
    )
    assert kept.status_code == 200, kept.text
    shop.state.pipeline.live.refresh()
    served = Origin(shop)
    yield served
    served.end()
    shop.state.close()


@contextmanager
def serving(config: str, origin: Origin) -> Iterator[NginxServer]:
    server = NginxServer(nginx_program(), config, origin.port)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def edge(origin: Origin) -> Iterator[NginxServer]:
    with serving(CONFIG, origin) as server:
        yield server


class Visitor:
    """A browser that comes by the edge."""

    def __init__(self, edge: NginxServer) -> None:
        self.edge, self.browser = edge, requests.Session()
        self.browser.headers.update(AGENT)

    def get(self, path: str = "/shop") -> requests.Response:
        return self.browser.get(self.edge.url + path, timeout=30)

    def post(self, path: str, **body: Any) -> None:
        assert self.browser.post(self.edge.url + path, json=body, timeout=30).status_code == 200

    def agree(self, choice: bool = True) -> Visitor:
        self.post("/mtp/v1/privacy/consent", choice=choice)
        return self

    def view(self, product_id: str) -> Visitor:
        self.post("/mtp/v1/track", event="Product Viewed", properties={"product_id": product_id})
        return self


def fragment(page: requests.Response, placement: str) -> str:
    """The block of a placement in a page, ``""`` for none."""
    found = re.search(rf'<section[^>]*data-mtp-placement="{placement}".*?</section>', page.text, re.DOTALL)
    return found.group(0) if found else ""


def test_the_includes_shown_are_those_tried() -> None:
    for line in blocks("edge.md", "html")[0].splitlines():
        assert line in PAGE


def test_blocks_are_shared_and_nothing_personal_is(edge: NginxServer, origin: Origin) -> None:
    ada, ben = (Visitor(edge).agree().view(name) for name in CANARIES)
    for visitor, name in ((ada, "ada"), (ben, "ben")):
        visitor.get(f"/sign-in/{name}")
        visitor.view("p002")
        visitor.get()  # tells the browser its segment
    cart, refused, stranger = Visitor(edge), Visitor(edge).agree(False), Visitor(edge)
    common = re.findall(r'data-mtp-item="([^"]+)"', fragment(stranger.get(), "home-trending"))
    cart.get(f"/put/{common[0]}")
    everybody = [ada, ben, cart, refused, stranger]
    pages = {(visitor, turn): visitor.get() for turn in range(4) for visitor in everybody}
    for (visitor, _), page in pages.items():
        assert "no-such-place" not in page.text
        assert "error" not in page.text.lower()
        assert "For those who look" not in page.text or visitor in (ada, ben)
        shared = fragment(page, "home-trending") + fragment(page, "product-similar")
        assert shared
        assert not any(canary in shared for canary in CANARIES)
        for other in everybody:
            secrets = [cookie.value for cookie in other.browser.cookies if cookie.name != "mtp_segment"]
            assert not any(secret in page.text for secret in secrets if secret)
    for visitor, own, another in ((ada, *CANARIES), (ben, *reversed(CANARIES))):
        assert visitor.browser.cookies["mtp_segment"] == "lookers"
        assert "For those who look" in fragment(pages[visitor, 3], "home-trending")
        assert own in fragment(pages[visitor, 3], "recently-viewed"), "the personal part is there, by the origin"
        assert another not in pages[visitor, 3].text
    for visitor, name in ((ada, "ada"), (stranger, "stranger")):
        assert f"Hello {name}" in pages[visitor, 3].text
    assert not origin.brought & {"HTTP_COOKIE", "HTTP_USER_AGENT", "HTTP_REFERER"}
    assert origin.shown == {f"Bearer {SECRET}"}, "the cache's own"
    # Thirty pages and more asked for each; two segments, within the few seconds that an answer lasts.
    assert origin.count("home-trending") < 15


def test_it_is_renewed_without_being_sent_again(edge: NginxServer, origin: Origin) -> None:
    visitor = Visitor(edge)
    visitor.get()
    asked = origin.count("home-trending")

    def unchanged() -> bool:
        assert fragment(visitor.get(), "home-trending")
        return origin.asked["home-trending", 304] > 0

    wait_until(unchanged, "an answer that says nothing has changed")
    assert origin.asked["home-trending", 200] >= asked


def test_a_crowd_asks_once(edge: NginxServer, origin: Origin) -> None:
    origin.gate.clear()
    with ThreadPoolExecutor(MANY) as pool:
        pages = [pool.submit(Visitor(edge).get) for _ in range(MANY)]
        time.sleep(0.5)  # most of them are at the door then; whoever comes later finds it in the cache
        origin.gate.set()
        found = {fragment(page.result(30), "home-trending") for page in pages}
    assert len(found) == 1
    assert "" not in found
    assert origin.count("home-trending") == 1


def test_while_the_shop_is_down_its_blocks_are_there(origin: Origin) -> None:
    # The page itself comes from another server that stays, as a shop's static pages may.
    pages = Origin(origin.shop)
    text = CONFIG.replace(
        "location / {\n        proxy_pass http://shop;", f"location / {{ proxy_pass http://127.0.0.1:{pages.port};"
    )
    with serving(text, origin) as front:
        visitor = Visitor(front)
        fresh = visitor.get("/static-page").text
        assert "mtp-block" in fresh
        origin.end()
        time.sleep(5)  # longer than it is fresh, and longer than it may be while the shop answers
        assert visitor.get("/static-page").text == fresh
        assert "error" not in visitor.get().text.lower(), "what was never asked for is an empty place"
        origin.start()
        wait_until(lambda: visitor.get("/static-page").text != fresh, "a fragment of the shop that is back")
    pages.end()


def test_visitors_cannot_ask_the_cache_themselves(edge: NginxServer, origin: Origin) -> None:
    assert Visitor(edge).get("/mtp-edge/home-trending?limit=7").text == ""
    assert not origin.asked
    forged = Visitor(edge)
    forged.browser.cookies.set("mtp_segment", "made up; or&not=allowed")
    assert fragment(forged.get(), "home-trending") == fragment(Visitor(edge).get(), "home-trending")


def pages_of_made_up_segments(edge: NginxServer) -> list[str]:
    """What those see whose cookie says so."""
    seen = []
    for name in ("lookers", "made-up-1", "made-up-2", "LOOKERS-3"):
        visitor = Visitor(edge)
        visitor.browser.cookies.set("mtp_segment", name)
        seen.append(fragment(visitor.get(), "home-trending"))
    return seen


def test_only_segments_that_there_are_pass_the_map_shown(origin: Origin, tmp_path: Path) -> None:
    (shown,), (command,) = blocks("edge.md", "nginx"), blocks("edge.md", "sh")
    path, listing = "/etc/nginx/mtp-segments.map", "flask mtp segments list --json | "
    assert command.startswith(listing)
    listed = origin.shop.app.test_cli_runner().invoke(args=["mtp", "segments", "list", "--json"])
    written = tmp_path / "mtp-segments.map"
    writing = command.removeprefix(listing).replace(path, str(written))
    subprocess.run(["sh", "-c", writing], input=listed.stdout, text=True, check=True, timeout=60)
    config, replaced = re.subn(
        r"map \$cookie_mtp_segment .*?^}\n", shown.replace(path, str(written)), CONFIG, flags=re.M | re.S
    )
    assert replaced == 1
    with serving(config, origin) as edge:
        first, *others = pages_of_made_up_segments(edge)
    assert "For those who look" in first
    assert all("For those who look" not in other and other for other in others)
    assert origin.segments == {"lookers", ""}

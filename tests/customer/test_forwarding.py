"""Events go on to others: real HTTP to a server of the test's own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.errors import SettingError
from mtp_plugin.forwarding import forward, retry
from mtp_plugin.track.outgoing import load_targets
from mtp_plugin.track.webhooks.signature import Scheme, verify

from ..web.shop import SECRET, Shop, build_shop


class Third:
    """A third party that remembers what it was sent and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.raw: list[bytes] = []
        self.answers: list[int] = []
        third = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                status = third.answers.pop(0) if third.answers else 200
                if status < 300:
                    third.raw.append(raw)
                    third.got.append((self.path, dict(self.headers), json.loads(raw)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing is said."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def third() -> Iterator[Third]:
    third = Third()
    yield third
    third.close()


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    made: list[Shop] = []

    def make(**target: Any) -> Shop:
        purposes, allowed = ["personalisation", "analytics"], ["127.0.0.1"]
        made.append(build_shop(tmp_path, forward={"crm": target}, consent_purposes=purposes, outbound_allow=allowed))
        assert forward(made[-1].state) == "crm: begins with the next event"
        return made[-1]

    yield make
    for shop in made:
        shop.state.close()


def server_event(shop: Shop, name: str = "Product Viewed", user: str = "ada", product: str = "p001") -> None:
    body = {"event": name, "userId": user, "properties": {"product_id": product, "email": "ada@example.com"}}
    answer = shop.app.test_client().post("/mtp/v1/track", json=body, auth=(SECRET, ""))
    assert answer.get_json()["accepted"] == 1


def permit(shop: Shop, user: str, granted: bool = True) -> None:
    browser = shop.browser()
    browser.get(f"/sign-in/{user}")
    browser.agree(granted)


def test_a_webhook_is_signed_and_names_no_address(make_shop: Callable[..., Shop], third: Third) -> None:
    shop = make_shop(kind="webhook", url=f"{third.url}/hook", secret="a secret of ours")
    permit(shop, "ada")
    server_event(shop)
    assert forward(shop.state) == "crm: 1 sent, 0 withheld"
    (path, headers, body), raw = third.got[0], third.raw[0]
    assert (path, body["type"], body["userId"]) == ("/hook", "Product Viewed", "ada")
    assert [line["product_id"] for line in body["properties"]["products"]] == ["p001"]
    assert headers["X-Mtp-Topic"] == "Product Viewed"
    assert verify(Scheme(), ["a secret of ours"], raw, headers["X-Mtp-Signature"]) is not None
    assert b"@" not in raw
    assert forward(shop.state) == "crm: 0 sent, 0 withheld"


def test_only_what_the_visitor_permits_goes_out(make_shop: Callable[..., Shop], third: Third) -> None:
    shop = make_shop(kind="segment", url=f"{third.url}/v1/batch", write_key="key")
    permit(shop, "ada")
    for user in ("ada", "ben"):
        server_event(shop, user=user)
    assert forward(shop.state) == "crm: 1 sent, 1 withheld"
    permit(shop, "ada", granted=False)
    # Her account refused: nothing of her is recorded by the browser, and what servers tell is not sent on.
    server_event(shop, user="ada")
    assert forward(shop.state) == "crm: 0 sent, 1 withheld"
    (path, headers, body) = third.got[0]
    assert path == "/v1/batch"
    assert headers["Authorization"].startswith("Basic ")
    (call,) = body["batch"]
    assert (call["type"], call["userId"], call["properties"]["products"][0]["product_id"]) == ("track", "ada", "p001")
    assert len(call["messageId"]) == 32


def test_a_browsers_own_choice_counts(make_shop: Callable[..., Shop], third: Third) -> None:
    shop = make_shop(kind="ga4", url=f"{third.url}/mp", measurement_id="G-1", api_secret="hidden")
    shop.browser().agree().view("p001")
    assert forward(shop.state) == "crm: 1 sent, 0 withheld"
    (path, _, body) = third.got[0]
    assert path == "/mp?measurement_id=G-1&api_secret=hidden"
    assert body["events"][0]["name"] == "view_item"
    assert body["events"][0]["params"]["items"][0]["item_id"] == "p001"
    assert "user_id" not in body


def test_a_target_that_is_away_is_tried_again(
    make_shop: Callable[..., Shop], third: Third, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_shop(kind="webhook", url=third.url, secret="a secret of ours", purpose="necessary")
    third.answers = [200, 503]
    for product in ("p001", "p002", "p003"):
        server_event(shop, product=product)
    assert forward(shop.state) == "crm: 1 sent, 0 withheld, answered 503"
    assert forward(shop.state) == "crm: waits, answered 503"
    state = shop.state.forwards.get("crm")
    assert state is not None
    assert (state.tries, state.sent) == (1, 1)
    real = time.time
    monkeypatch.setattr("mtp_plugin.forwarding.time.time", lambda: real() + 3600)
    assert forward(shop.state) == "crm: 2 sent, 0 withheld"
    sent = [body["properties"]["products"][0]["product_id"] for _, _, body in third.got]
    assert sent == ["p001", "p002", "p003"], "each once, in order"


def test_what_is_refused_is_put_aside_and_retried(make_shop: Callable[..., Shop], third: Third) -> None:
    shop = make_shop(kind="webhook", url=third.url, secret="a secret of ours", purpose="necessary")
    third.answers = [400, 200]
    server_event(shop, product="p001")
    server_event(shop, product="p002")
    assert forward(shop.state) == "crm: 2 sent, 0 withheld"
    run = shop.app.test_cli_runner().invoke
    listed = json.loads(run(args=["mtp", "forward", "list", "--json"]).stdout)
    assert [one["error"] for one in listed["dead"]] == ["answered 400"]
    assert "answered 400" in run(args=["mtp", "forward", "list"]).output
    third.answers = [400]
    assert retry(shop.state, "crm") == "0 sent, 1 refused again"
    assert "1 sent, 0 refused again" in run(args=["mtp", "forward", "retry"]).output
    assert [body["properties"]["products"][0]["product_id"] for _, _, body in third.got] == ["p002", "p001"]
    assert shop.state.forwards.dead() == []


def test_nobody_there_blocks_nothing_and_tells_no_secret(make_shop: Callable[..., Shop], third: Third) -> None:
    third.close()
    options = {"measurement_id": "G-1", "api_secret": "hidden", "purpose": "necessary"}
    shop = make_shop(kind="ga4", url=third.url, **options)
    server_event(shop)
    said = forward(shop.state)
    assert said.startswith("crm: 0 sent, 0 withheld, could not be reached")
    assert "hidden" not in said


def test_only_events_named_and_only_news(make_shop: Callable[..., Shop], third: Third) -> None:
    shop = make_shop(
        kind="webhook", url=third.url, secret="a secret of ours", purpose="necessary", events=["Cart Viewed"]
    )
    server_event(shop)
    server_event(shop, "Cart Viewed")
    assert forward(shop.state) == "crm: 1 sent, 0 withheld"


def test_who_is_erased_is_not_sent(make_shop: Callable[..., Shop], third: Third) -> None:
    shop = make_shop(kind="webhook", url=third.url, secret="a secret of ours", purpose="necessary")
    server_event(shop, user="ada")
    server_event(shop, user="ben")
    shop.state.journal.erase("u:ada")
    assert forward(shop.state) == "crm: 1 sent, 0 withheld"
    assert third.got[0][2]["userId"] == "ben"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "webhook", "url": "https://x.example"},
        {"kind": "segment"},
        {"kind": "webhook", "url": "ftp://x.example", "secret": "s"},
        {"kind": "pigeon"},
        {"kind": "segment", "write_key": "k", "purpose": "fun"},
        {"kind": "segment", "write_key": "k", "timeout_s": 0},
    ],
)
def test_a_target_that_cannot_work_stops_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="MTP_FORWARD"):
        load_targets({"x": wrong})

"""The page on HTTP lists every route, parameter and error, and what it shows is asked and answered."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from mtp_plugin import Product, errors
from mtp_plugin.state import State
from mtp_plugin.web import limits
from mtp_plugin.web.errors import HTTP_WORDS
from mtp_plugin.web.queries import RecommendationQuery
from mtp_plugin.web.recommendations import ItemView, ProductView, Recommendations
from mtp_plugin.web.routes import ROUTES

from ..core.shops import BROWSER, mounted
from .fences import blocks, names, rows
from .with_curl import curl

SHOWN = {"A1": "Pilot Watch", "B7": "Field Watch", "C3": "Diver Watch"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Flask, State]]:
    products = [
        Product(product_id=name, title=title, brand="Acme", category_path=("Watches",), price=129.0, url=f"/p/{name}")
        for name, title in SHOWN.items()
    ]
    app, state = mounted(tmp_path, products, MTP_SECRET_KEYS=["sk_yours"])
    yield app, state
    state.close()


def asked(app: Flask, block: str) -> Any:
    """Send the request of an ``http`` block from a page of the shop, and give the body of the answer."""
    first, _, body = block.partition("\n")
    method, path = first.split(" ", 1)
    client = app.test_client()
    if "/privacy/" not in path:
        client.post("/mtp/v1/privacy/consent", json={"choice": True}, headers=BROWSER)
    sent = {"data": body.encode(), "content_type": "application/json"} if body.strip() else {}
    answer = client.open(path, method=method, headers=BROWSER, **sent)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def keys(value: Any) -> Any:
    """The shape of an answer: names of its fields, as deep as they go, of lists the first member's."""
    if isinstance(value, dict):
        return {key: keys(inner) for key, inner in value.items()}
    return [keys(inner) for inner in value[:1]] if isinstance(value, list) and isinstance(value[:1], dict) else None


def test_requests_and_answers(shop: tuple[Flask, State]) -> None:
    app, _ = shop
    (batch, slate), (receipt, answer, error) = blocks("api.md", "http"), blocks("api.md", "json")
    assert asked(app, batch) == json.loads(receipt)
    given, shown = asked(app, slate), json.loads(answer)
    assert keys(given) == keys(shown)
    assert set(given["items"][0]) == set(shown["items"][0])
    assert set(given["items"][0]["product"]) == set(shown["items"][0]["product"])
    told = ("placement", "strategy", "segment", "experiment", "fallback_level")
    assert [given[name] for name in told] == [shown[name] for name in told]
    assert len(given["items"]) == 2
    wrong = app.test_client().post("/mtp/v1/recommendations", json={"placement": "home-hero", "limit": 99})
    assert (wrong.status_code, wrong.get_json()) == (400, json.loads(error))


def test_a_choice_by_a_consent_manager(shop: tuple[Flask, State]) -> None:
    app, _ = shop
    (request,), (answer,) = blocks("privacy-basics.md", "http"), blocks("privacy-basics.md", "json")
    assert asked(app, request) == json.loads(answer)


def test_a_request_of_a_data_subject(shop: tuple[Flask, State]) -> None:
    app, _ = shop
    (request,), (answer,) = blocks("privacy.md", "http"), blocks("privacy.md", "json")
    client = app.test_client()
    client.post("/mtp/v1/privacy/consent", json={"choice": True}, headers=BROWSER)
    first, _, body = request.partition("\n")
    given = client.post(first.split(" ")[1], data=body.encode(), content_type="application/json", headers=BROWSER)
    assert keys(given.get_json()) == keys(json.loads(answer))


def test_a_server_sends_an_event(shop: tuple[Flask, State]) -> None:
    app, state = shop
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        (line,) = blocks("api.md", "sh")
        status, body = curl(line.replace("127.0.0.1:5000", f"127.0.0.1:{server.server_port}"))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (status, json.loads(body)["accepted"]) == (200, 1)
    (event,) = state.journal.events_of("u:anna-7")
    assert [product.product_id for product in event.products] == ["A1"]


# ------------------------------------------------------------------------------------------- what must be complete


def listed_routes() -> set[tuple[str, str]]:
    """Method and rule of the page's first table; ``page`` beside ``v1/track`` is ``v1/page``."""
    found = set()
    for cell, *_ in rows("api.md", "route"):
        words = names(cell)
        methods = {word.split()[0] for word in words if word.isupper() or " " in word}
        paths = [word.split()[-1] for word in words if not word.isupper()]
        folder = paths[0].rpartition("/")[0] if paths[0].startswith("v1/") else ""
        for path in paths:
            whole = path if "/" in path or not folder else f"{folder}/{path}"
            found |= {(method, f"/{whole.lstrip('/')}") for method in methods}
    return found


def test_every_route_is_listed_and_no_other() -> None:
    known = {(route.method, route.rule) for route in ROUTES} | {("GET", "/.well-known/gpc.json")}
    assert listed_routes() == known


def test_every_parameter_is_listed() -> None:
    listed = {name for cell, *_ in rows("api.md", "parameter") for name in names(cell)}
    assert listed == set(RecommendationQuery.__struct_fields__)


def test_every_field_of_a_slate_is_named() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    fields = {name for kind in (Recommendations, ItemView, ProductView) for name in kind.__struct_fields__}
    assert {name for name in fields if not re.search(rf'["`]{name}["`]', page)} == set()


def test_every_error_is_listed() -> None:
    listed = {(int(status), code) for status, cell, _ in rows("api.md", "status | code") for code in names(cell)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.InputError)]
    told = {(kind.status, kind.code) for kind in [*kinds, limits.RateLimitedError]}
    told |= {(status, code) for status, (code, _) in HTTP_WORDS.items()}
    told |= {(400, "malformed"), (404, "switched-off"), (500, "internal"), (503, "unavailable")}
    assert listed == told

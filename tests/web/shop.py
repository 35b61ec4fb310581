"""A small shop with the real plugin mounted, and the callers that meet it: browsers, other sites, servers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, render_template_string, session
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mtp_plugin import MTP, Product
from mtp_plugin.state import State

PAGE = """<!doctype html><html lang="en"><head>{{ mtp_scripts() }}</head><body>
{{ mtp_block("recently-viewed") }}{{ mtp_block("home-hero") }}{{ mtp_consent(policy_url="/privacy") }}</body></html>"""

SECRET, PUBLIC, BLOG = "sk_test", "pk_blog", "https://blog.example"
CANARIES = ("canary-ada", "canary-ben")


def products() -> list[Product]:
    """A hundred and twenty plain products, and two that nobody is shown but whoever looked at them.

    Those two are the oldest, without a rating, and as unlike each other as the shop allows.
    """
    plain = [_product(f"p{number:03d}", number, created=1_700_000_000.0 + number) for number in range(120)]
    return [*plain, _product(CANARIES[0], 3, created=1.0), _product(CANARIES[1], 114, created=2.0)]


def _product(name: str, number: int, created: float) -> Product:
    return Product(
        product_id=name,
        title=f"{('Oak', 'Tin', 'Felt', 'Clay', 'Wool')[number % 5]} {('cup', 'lamp', 'box')[number % 3]} {number}",
        brand=("Acme", "Bolt")[number % 2],
        category_path=("Things", ("Small", "Large")[number % 2]),
        price=10.0 + number,
        stock=5,
        margin=0.31,
        url=f"/p/{name}",
        rating=None if name in CANARIES else 4.5,
        created=created,
    )


@dataclass
class Shop:
    """The application, what is mounted on it, and a way to be somebody."""

    app: Flask
    mtp: MTP

    @property
    def state(self) -> State:
        state: State = self.app.extensions["mtp"]
        return state

    def browser(self) -> Browser:
        return Browser(self.app.test_client())


class Browser:
    """A browser on the shop's own pages: keeps cookies and says where its requests come from."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: Any) -> TestResponse:
        return self._open("GET", path, more)

    def post(self, path: str, **more: Any) -> TestResponse:
        return self._open("POST", path, more)

    def _open(self, method: str, path: str, more: dict[str, Any]) -> TestResponse:
        headers = {"Sec-Fetch-Site": "same-origin", "User-Agent": "Mozilla/5.0 (X11) Firefox/140"}
        if method == "POST":
            headers["Origin"] = "http://localhost"
        headers |= more.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **more)

    def agree(self, choice: bool = True) -> Browser:
        """Answer the banner."""
        assert self.post("/mtp/v1/privacy/consent", json={"choice": choice}).status_code == 200
        return self

    def view(self, product_id: str) -> dict[str, Any]:
        """Look at a product."""
        answer = self.post("/mtp/v1/track", json={"event": "Product Viewed", "properties": {"product_id": product_id}})
        assert answer.status_code == 200, answer.text
        received: dict[str, Any] = answer.get_json()
        return received

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name)
        return found.value if found else None


def build_shop(folder: Path, *, mount: bool = True, **config: Any) -> Shop:
    """A shop with products and a page of two blocks; *config* are settings without ``MTP_``."""
    app = Flask("shop", instance_path=str(folder))
    app.secret_key = "a key of the tests"
    app.config |= {
        "MTP_SECRET_KEYS": [SECRET],
        "MTP_WRITE_KEYS": {PUBLIC: [BLOG]},
        "MTP_RATE_LIMIT": "100000 per second",
        "MTP_LATENCY_BUDGET_MS": 10_000,
        "MTP_PLACEMENTS": {"past-first": {"strategies": ["recently-viewed", "best-sellers"]}},
    }
    app.config |= {f"MTP_{name.upper()}": value for name, value in config.items()}
    mtp = MTP()
    mtp.user_loader(lambda: session.get("user"))
    mtp.cart_loader(lambda: session.get("cart", []))

    @app.get("/")
    def home() -> str:
        return render_template_string(PAGE)

    @app.get("/plain")
    def plain() -> str:
        return "nothing of ours"

    @app.get("/sign-in/<user>")
    def sign_in(user: str) -> str:
        session["user"] = user
        return "hello"

    @app.get("/put/<product_id>")
    def put(product_id: str) -> str:
        session["cart"] = [*session.get("cart", []), product_id]
        return "in the cart"

    shop = Shop(app, mtp)
    if mount:
        mtp.init_app(app)
        shop.state.catalog_store.import_products(products(), hide_missing=False)
        shop.state.pipeline.live.refresh()
    return shop

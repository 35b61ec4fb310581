"""A shop with the plugin itself on loopback, and a page of another origin: what Chromium does is in its database."""

from __future__ import annotations

import json
import secrets
import socketserver
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, redirect, render_template_string, request
from werkzeug.serving import make_server

from mtp_plugin import MTP
from mtp_plugin.records import Product

PUBLIC = "pk_blog"
CONTAINER = Path(__file__).parents[2] / "docs" / "examples" / "gtm"

_HEAD = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>{{ title }}</title>{{ mtp_scripts(data_layer=layer) }}"
    '<style nonce="{{ nonce }}">.tall { height: 2400px }</style><main {{ marks }}>'
)
_TAIL = "</main>{{ mtp_consent() }}"

PAGES = {
    "/": '<h1>Home</h1>{{ mtp_block("home-hero") }}<a href="/lamps">Lamps</a>',
    "/p/<product_id>": (
        '<article data-mtp-product="{{ product_id }}" data-mtp-price="21.5" data-mtp-currency="EUR">'
        '<form method=post action="/cart" data-mtp-add><input name=quantity value=2><button>Add</button></form>'
        '<button id=remove type=button data-mtp-remove="{{ product_id }}">Remove</button>'
        '<div class=tall></div></article>{{ mtp_block("product-similar", product=product_id) }}'
    ),
    "/privacy": "<h1>Privacy</h1>{{ mtp_consent(always=True) }}",
    "/search": '<h1 data-mtp-search="{{ request.args.q }}" data-mtp-results="7">Found</h1>',
    "/lamps": (
        '<section data-mtp-list=lamps data-mtp-filters="brand colour" data-mtp-sorts=order data-mtp-category=Lamps>'
        '<form><label><input type=checkbox name=brand value=Acme>Acme</label><input name=q value=mine>'
        "<button>Apply</button></form>"
        '<a id=red href="/lamps?brand=Acme&colour=red&order=price">Red</a> <a id=all href="/lamps">All</a>'
        '<p data-mtp-item=p005 data-mtp-position=1><a href="/p/p005">5</a>'
        '<p data-mtp-item=p006 data-mtp-position=2><a href="/p/p006">6</a></section>'
    ),
    "/chairs": (
        '<form data-mtp-filters="brand" data-mtp-sorts=order action="/nowhere" data-mtp-list=chairs>'
        "<input type=checkbox name=brand value=Acme checked><input type=checkbox name=brand value=Bolt>"
        "<select name=order><option value=''>Best<option value=price>Price</select><input name=q></form>"
    ),
    "/app": (
        '<div id=view></div><div data-mtp-block="product-similar"></div>'
        '<script src="/app.js" nonce="{{ nonce }}"></script>'
    ),
    "/layer": '<h1>Layer</h1><script src="/layer.js" nonce="{{ nonce }}"></script>',
    "/permitted": (
        '<h1 data-mtp-product="p002">Asked by Google</h1><script src="/layer.js" nonce="{{ nonce }}"></script>'
        '<script src="/mtp/widget.js" data-consent=google defer nonce="{{ nonce }}"></script>'
    ),
    "/layer-marked": (
        '<h1 data-mtp-product="p001">Layer</h1><script src="/layer.js" nonce="{{ nonce }}"></script>'
    ),
}  # fmt: skip

APP_JS = """
const show = () => {
  const id = location.pathname.split("/")[2];
  document.title = id || "App";
  document.querySelector("#view").innerHTML = id ? `<h1 data-mtp-product="${id}">${id}</h1>` : "<h1>App</h1>";
};
window.visit = (path, how = "pushState") => { history[how]({}, "", path); setTimeout(show, 20); };
addEventListener("popstate", show);
show();
"""

LAYER_JS = """
window.dataLayer = window.dataLayer || [];
function gtag() { dataLayer.push(arguments); }
const mug = { item_id: "p001", item_name: "Mug", item_variant: "blue", price: 9.5, index: 3 };
dataLayer.push({ event: "gtm.js" }, { ecommerce: null }, null, 7);
dataLayer.push({ event: "view_item", ecommerce: { currency: "EUR", value: 9.5, items: [mug] } });
gtag("js", new Date());
gtag("event", "view_item_list", { item_list_id: "gifts", items: [mug, { item_id: "p002", index: 4 }] });
"""


class RealShop:
    """The application, its database and how it is asked.

    :param listed: origins whose pages may use :data:`PUBLIC`
    """

    def __init__(self, folder: Path, *listed: str) -> None:
        self.database = folder / "shop.db"
        self.app = app = Flask("shop", instance_path=str(folder))
        app.config.update(
            SECRET_KEY="a key of the tests",
            MTP_DATABASE_URL=f"sqlite:///{self.database}",
            MTP_WRITE_KEYS={PUBLIC: list(listed)} if listed else {},
            MTP_RATE_LIMIT="100000 per second",
            MTP_LATENCY_BUDGET_MS=10_000,
        )
        self.mtp = MTP()
        self.mtp.nonce_loader(_nonce)
        self.mtp.user_loader(lambda: request.cookies.get("account"))
        self.mtp.init_app(app)
        state = app.extensions["mtp"]
        state.catalog_store.import_products(_products(), hide_missing=False)
        state.pipeline.live.refresh()
        for rule, body in PAGES.items():
            app.add_url_rule(rule, rule, _page(body))
        app.add_url_rule("/app/<path:rest>", "app", _page(PAGES["/app"]))
        app.add_url_rule("/cart", "cart", lambda: redirect("/"), methods=["POST"])
        app.add_url_rule("/app.js", "app-js", lambda: Response(APP_JS, mimetype="text/javascript"))
        app.add_url_rule("/layer.js", "layer-js", lambda: Response(LAYER_JS, mimetype="text/javascript"))
        app.add_url_rule("/i.svg", "picture", lambda: Response(_PICTURE, mimetype="image/svg+xml"))
        app.add_url_rule("/favicon.ico", "icon", lambda: Response(status=204))
        app.after_request(_strict)

    def close(self) -> None:
        self.app.extensions["mtp"].close()

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """What is stored, in order of arrival: each body with its name and profile."""
        with closing(sqlite3.connect(self.database)) as database:
            rows = database.execute("SELECT name, profile_id, body FROM mtp_event ORDER BY seq").fetchall()
        return [{**json.loads(body), "name": n, "profile_id": who} for n, who, body in rows if name in ("", n)]

    def wait(self, name: str, count: int = 1, **properties: Any) -> list[dict[str, Any]]:
        """The events of that name with these properties, once there are *count*; a deadline ends a test that hangs."""
        deadline = time.monotonic() + 20
        while True:
            found = [event for event in self.events(name) if _has(event.get("properties", {}), properties)]
            if len(found) >= count:
                return found
            told = [(event["name"], event.get("properties")) for event in self.events()]
            assert time.monotonic() < deadline, f"{name} {properties} never came; there are {told}"
            time.sleep(0.02)


def elsewhere() -> Flask:
    """A page of another origin, with ``?home=`` the shop's address and ``level=``; nothing on it is the shop's."""
    app = Flask("blog")

    @app.get("/")
    def blog() -> str:
        home, level = request.args["home"], request.args.get("level", "full")
        return (
            f'<!doctype html><title>Blog</title><link rel=stylesheet href="{home}/mtp/mtp.css">'
            '<h1 data-mtp-product="p003">Our lamps</h1>'
            f'<div data-mtp-block=home-hero data-mtp-limit=3><a class=spare href="{home}/lamps">All lamps</a></div>'
            f'<mtp-block placement=home-trending layout=carousel limit=6><a href="{home}/">Popular</a></mtp-block>'
            f'<script src="{home}/mtp/widget.js" defer data-consent={level} data-key={PUBLIC}></script>'
        )

    @app.get("/tagged")
    def tagged() -> str:
        """The example page of Tag Manager's container."""
        return (CONTAINER / "index.html").read_text(encoding="utf-8")

    app.add_url_rule("/favicon.ico", "icon", lambda: Response(status=204))
    return app


class Served:
    """An application on a port of loopback, which can be away for a while.

    As a context manager it serves, and is gone in the end.
    """

    def __init__(self, app: Flask) -> None:
        self.app, self.port = app, 0

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self.port, self.app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.port = self._server.port

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @contextmanager
    def away(self) -> Iterator[list[str]]:
        """Hang up on whoever calls, until the block ends; what they asked for is listed as it comes."""
        self.stop()
        asked: list[str] = []

        class HangUp(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked.append(self.rfile.readline().decode().strip())

        class Away(socketserver.ThreadingTCPServer):
            allow_reuse_address = True

        with Away(("127.0.0.1", self.port), HangUp) as nobody:
            thread = threading.Thread(target=nobody.serve_forever, daemon=True)
            thread.start()
            yield asked
            nobody.shutdown()
            thread.join()
        self.start()

    def __enter__(self) -> Served:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def _has(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(given.get(name) == value for name, value in wanted.items())


def _page(body: str) -> Any:
    def view(**variables: str) -> str:
        layer = "dataLayer" if request.path.startswith("/layer") else ""
        # The tag of that page is written by hand, and nobody but the page asks.
        whole = body if request.path == "/permitted" else _HEAD + body + _TAIL
        return render_template_string(whole, title=request.path, nonce=_nonce(), layer=layer, **variables)

    return view


def _products() -> list[Product]:
    return [
        Product(
            product_id=f"p{number:03}",
            title=f"{('Oak', 'Tin', 'Felt', 'Clay', 'Wool')[number % 5]} {('cup', 'lamp', 'box')[number % 3]} {number}",
            brand=("Acme", "Bolt")[number % 2],
            category_path=("Things", ("Small", "Large")[number % 2]),
            price=10.0 + number,
            currency="EUR",
            stock=5,
            url=f"/p/p{number:03}",
            image="/i.svg",
        )
        for number in range(40)
    ]


def _nonce() -> str:
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(12)
    return str(g.nonce)


def _strict(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'nonce-{_nonce()}' 'strict-dynamic'; style-src 'nonce-{_nonce()}'; "
            "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
        )
    return response


_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 5"><rect width="4" height="5" fill="#ccc"/></svg>'

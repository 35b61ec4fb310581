"""A small shop of real pages on loopback that writes down every event it is sent: the widget's test bench.

``python -m tests.browser.widget_shop`` serves it for looking at; ``/gallery`` shows every layout.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, redirect, request
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.serving import make_server

from mtp_plugin.block.build import Dresser
from mtp_plugin.block.cards import CardPages
from mtp_plugin.block.money import Money
from mtp_plugin.block.page import Banner, Scripts, banner_variables, block_variables, scripts_variables
from mtp_plugin.block.words import Words
from mtp_plugin.records import ConsentLevel, Placement, Product, Slate, SlateItem
from mtp_plugin.web.assets import PARTS

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static" / "mtp"
NOW = 1_760_000_000.0
WORDS, MONEY = Words("en"), Money("en")

_THINGS = (
    ("Field Watch 38", "Nordhav", 180, 4.6, "#5b6b5a"),
    ("Desk Lamp, Brass", "Lumen & Sohn", 129, 4.8, "#b08d4f"),
    ("Stoneware Mug", "Lehm", 18, 4.4, "#8a7565"),
    ("Weekender in Waxed Canvas with Leather Handles", "Tramp", 240, 4.7, "#4d5a4a"),
    ("Ash Side Chair", "Holm", 320, 4.9, "#c9a777"),
    ("Dot Grid Notebook", "Foliant", 14, 4.3, "#31465c"),
    ("Over-ear Headphones", "Still", 210, 4.5, "#3b3b40"),
    ("Merino Beanie", "Nordhav", 32, 0, "#7d4036"),
    ("Rubber Plant, 60 cm", "Grün", 45, 4.1, "#3f6b4b"),
    ("Rain Jacket", "Tramp", 165, 4.6, "#37566b"),
    ("Canvas Sneaker", "Gang", 85, 4.0, "#d8d2c4"),
    ("Linen Apron", "Lehm", 48, 0, "#8c9aa6"),
)
PRODUCTS = {
    f"p{i}": Product(
        product_id=f"p{i}",
        title=title,
        brand=brand,
        price=float(price),
        currency="EUR",
        rating=rating or None,
        rating_count=int(rating * 23),
        url=f"/p/p{i}",
        image=f"/img/{i}.svg",
        tags=(tint,),
        sale_price=price * 0.8 if i % 4 == 1 else None,
        created=NOW - 86400 if i == 7 else None,
    )
    for i, (title, brand, price, rating, tint) in enumerate(_THINGS)
}


def make_slate(placement: str, size: int, level: ConsentLevel, *, first: int = 0) -> Slate:
    """A slate whose id tells placement and beginning."""
    ids = [f"p{(first + i) % len(PRODUCTS)}" for i in range(size)]
    codes = ("session-neighbours", "viewed-similar", "trending", "on-sale")
    return Slate(
        recommendation_id=f"slate-{placement}-{first}",
        placement=placement,
        strategy="recommended-for-you",
        consent_level=level,
        items=tuple(
            SlateItem(product_id=p, position=i, score=1 / i, reason_codes=(codes[i % 4],), because="p0")
            for i, p in enumerate(ids, 1)
        ),
    )


class WidgetShop:
    """The application and what it was sent.

    :param csp: send a Content-Security-Policy that allows our own files and nonces alone
    """

    def __init__(self, *, csp: bool = True) -> None:
        self.events: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.tried: list[list[str]] = []
        """The messageIds of every batch, taken or not."""
        self.statuses: list[int] = []
        """Statuses to answer the next batches with, instead of 200."""
        self.blocks: dict[str, str] = {}
        """Fragments to answer with, instead of a slate of six."""
        self.csp = csp
        self.allowed: list[str] = []
        """Origins whose pages may read our answers."""
        self.app = app = Flask(__name__)
        app.jinja_loader = ChoiceLoader([FileSystemLoader(ROOT / "templates")])
        app.after_request(self._finish)
        app.add_url_rule("/mtp/widget.js", view_func=lambda: _file("mtp.js", "text/javascript"), endpoint="js")
        for part in PARTS:
            view = partial(_file, f"mtp-{part}.js", "text/javascript")
            app.add_url_rule(f"/mtp/widget-{part}.js", f"widget-{part}", view)
        app.add_url_rule("/mtp/mtp.css", view_func=lambda: _file("mtp.css", "text/css"), endpoint="css")
        app.add_url_rule("/mtp/v1/batch", view_func=self.batch, methods=["POST"])
        app.add_url_rule("/mtp/v1/blocks/<placement>", view_func=self.fragment)
        app.add_url_rule("/mtp/v1/privacy/consent", view_func=self.consent, methods=["POST"])
        app.add_url_rule("/img/<int:number>.svg", view_func=picture)
        app.add_url_rule("/gallery", view_func=self.gallery)
        app.add_url_rule("/p/<product_id>", view_func=self.product)
        app.add_url_rule("/search", view_func=self.search)
        app.add_url_rule("/inject", view_func=self.inject)
        app.add_url_rule("/elsewhere", view_func=self.elsewhere)
        app.add_url_rule("/plain", "plain", lambda: self.page("<h1>Plain</h1>"))
        app.add_url_rule("/cart", "cart", lambda: self.page("<h1>Cart</h1>"), methods=["GET", "POST"])
        app.add_url_rule("/favicon.ico", view_func=lambda: Response(status=204), endpoint="icon")

    # ---------------------------------------------------------------------------------------------- the plugin's side

    def batch(self) -> Response:
        """Write the events down, as the plugin does: a messageId it has seen is the same event again."""
        status = self.statuses.pop(0) if self.statuses else 200
        body = json.loads(request.get_data())
        self.tried.append([event["messageId"] for event in body["batch"]])
        if status == 200:
            self.bodies.append({**body, "cookie": request.headers.get("Cookie"), "type": request.mimetype})
            known = {event["messageId"] for event in self.events}
            self.events += [event for event in body["batch"] if event["messageId"] not in known]
        return Response(json.dumps({"accepted": len(body["batch"])}), status, content_type="application/json")

    def fragment(self, placement: str) -> str:
        """The block as a fragment."""
        if placement in self.blocks:
            return self.blocks[placement]
        first = 1 if request.args.get("product_ids") else 0
        # The bench asks for a layout in the one free word that the script passes on.
        layout = request.args.get("category") or "grid"
        return self.block(placement, int(request.args.get("limit") or 6), layout, first=first)

    def consent(self) -> Response:
        """Take a choice, by form or by script."""
        granted = request.form["choice"] == "granted"
        if "application/json" in request.headers.get("Accept", ""):
            level = "full" if granted else "non-personal"
            response = Response(json.dumps({"consent_level": level}), mimetype="application/json")
        else:
            response = redirect(request.form["next"], 303)
        response.set_cookie("choice", "granted" if granted else "denied")
        return response

    @property
    def level(self) -> ConsentLevel:
        """Full by ``?level=full`` or by the cookie."""
        choice = {"granted": "full", "denied": "non-personal"}.get(request.cookies.get("choice", ""), "contextual")
        return ConsentLevel(request.args.get("level", choice))

    def block(self, placement: str, size: int, layout: str, *, first: int = 0, title: str = "") -> str:
        """A rendered block."""
        made = Dresser(WORDS).block(
            make_slate(placement, size, self.level, first=first),
            Placement(name=placement, title=title, strategies=("recommended-for-you",), layout=layout),
            PRODUCTS,
            price=MONEY,
            now=NOW,
            preferences_url="/plain",
        )
        return self.app.jinja_env.get_template("mtp/block.html").render(
            block_variables(made, WORDS, self.app.jinja_env, CardPages())
        )

    # -------------------------------------------------------------------------------------------------- the shop's side

    def page(self, body: str) -> str:
        """A page with the plugin's tags, and the banner while nobody has chosen."""
        env = self.app.jinja_env
        tags = Scripts(
            script_url="/mtp/widget.js?v=1", style_url="/mtp/mtp.css", consent_level=self.level, nonce=_nonce()
        )
        head = env.get_template("mtp/_scripts.html").render(scripts_variables(tags))
        banner = ""
        if request.args.get("banner") and "choice" not in request.cookies:
            shown = Banner(action="/mtp/v1/privacy/consent", next=request.full_path, policy_url="/plain")
            banner = env.get_template("mtp/_consent.html").render(banner_variables(shown, WORDS))
        theme = request.args.get("theme", "")
        return (
            f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Shop</title>'
            f'<meta name="viewport" content="width=device-width,initial-scale=1">{head}'
            f'<style nonce="{_nonce()}">{_PAGE_CSS}</style></head><body><main>{body}</main>{banner}</body></html>'
        )

    def gallery(self) -> str:
        """Every layout."""
        return self.page(
            "<h1>Everyday things</h1>"
            + self.block("home-hero", 6, "grid")
            + self.block("home-trending", 12, "carousel", first=3, title="Popular this week")
            + self.block("product-together", 4, "grid", first=6, title="Often bought together")
            + self.block("cart-complete", 3, "list", first=1, title="Goes well with your cart")
        )

    def product(self, product_id: str) -> str:
        """A product page whose similar products stand below the fold."""
        product = PRODUCTS[product_id]
        return self.page(
            f'<article data-mtp-product="{product_id}" data-mtp-price="{product.price}" data-mtp-currency="EUR">'
            f"<h1>{product.title}</h1>"
            f'<form id="add" method="post" action="/cart" data-mtp-add>'
            f'<input name="quantity" aria-label="Quantity" value="2" type="number">'
            f"<button>Add to cart</button></form>"
            f'<button id="remove" type="button" data-mtp-remove="p3" data-mtp-quantity="1">Remove</button>'
            f'<div class="tall"></div></article>' + self.block("product-similar", 12, "carousel", first=1)
        )

    def search(self) -> str:
        """A page of search results."""
        return self.page('<h1 data-mtp-search="blue lamp" data-mtp-results="0">Nothing found</h1>')

    def inject(self) -> str:
        """Places that the script fills."""
        layout, limit = request.args.get("layout", "grid"), request.args.get("limit", "6")
        if request.args.get("element"):
            return self.page(
                f'<mtp-block placement="home-hero" layout="{layout}" limit="{limit}" category="{layout}">'
                '<a href="/plain">All products</a></mtp-block><p id="after">After the block</p>'
            )
        return self.page(
            f'<div data-mtp-block="home-hero" data-mtp-layout="{layout}" data-mtp-limit="{limit}" '
            f'data-mtp-category="{layout}"></div><p id="after">After the block</p>'
        )

    def elsewhere(self) -> str:
        """A page whose script comes from another origin."""
        home = request.args["home"]
        return (
            f'<!doctype html><title>Blog</title><div data-mtp-block="home-hero"></div>'
            f'<script src="{home}/mtp/widget.js" defer data-consent="full" data-key="pk_blog"></script>'
        )

    def _finish(self, response: Response) -> Response:
        self.requests.append(f"{request.method} {request.path}")
        if request.headers.get("Origin") in self.allowed:
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        if self.csp and response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = (
                f"default-src 'none'; script-src 'nonce-{_nonce()}'; style-src 'nonce-{_nonce()}'; img-src 'self'; "
                "connect-src 'self'; form-action 'self'; base-uri 'none'"
            )
        return response


def picture(number: int) -> Response:
    """A quiet still life in the product's colour."""
    tint = PRODUCTS[f"p{number}"].tags[0]
    shapes = (
        '<circle cx="200" cy="260" r="82" fill="{t}"/><circle cx="200" cy="260" r="62" fill="#f6f3ec"/>'
        '<path d="M200 260V214M200 260l30 18" stroke="#333" stroke-width="6" stroke-linecap="round"/>'
        '<rect x="170" y="110" width="60" height="80" rx="8" fill="{t}" opacity=".8"/>'
        '<rect x="170" y="330" width="60" height="80" rx="8" fill="{t}" opacity=".8"/>',
        '<path d="M140 250l40-90h40l40 90z" fill="{t}"/><rect x="194" y="250" width="12" height="120" fill="#555"/>'
        '<ellipse cx="200" cy="376" rx="60" ry="12" fill="{t}"/>',
        '<rect x="130" y="190" width="120" height="150" rx="16" fill="{t}"/>'
        '<path d="M250 220q60 5 40 60t-40 30" fill="none" stroke="{t}" stroke-width="18"/>',
    )
    body = shapes[number % len(shapes)].replace("{t}", tint)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 500"><rect width="400" height="500" fill="#eceae4"/>'
        f'<rect width="400" height="500" fill="{tint}" opacity=".12"/>'
        f'<ellipse cx="206" cy="392" rx="110" ry="16" opacity=".12"/>{body}</svg>'
    )
    return Response(svg, mimetype="image/svg+xml")


_PAGE_CSS = """
:root { --mtp-space: 0; }
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; background: #fbfaf8; color: #1d1c1a; }
@media (prefers-color-scheme: dark) { :root { background: #171716; color: #eeece7; } }
body { margin: 0; } main { max-width: 1200px; margin: 0 auto; padding: 32px 20px 120px; display: grid; gap: 64px; }
main > * { min-width: 0; } h1 { font-weight: 600; margin: 0; } .tall { height: 1600px; }
"""


def _nonce() -> str:
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(12)
    return str(g.nonce)


def _file(name: str, kind: str) -> Response:
    return Response((STATIC / name).read_bytes(), content_type=f"{kind}; charset=utf-8")


@contextmanager
def served(shop: WidgetShop) -> Iterator[str]:
    """The shop on a free port of loopback; gives its address."""
    server = make_server("127.0.0.1", 0, shop.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    print("http://127.0.0.1:5055/gallery")
    WidgetShop().app.run(port=5055)

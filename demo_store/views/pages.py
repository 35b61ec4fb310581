"""Home, lists, search, product."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from mtp_plugin.records import ConsentLevel, Product, SlateRequest

from ..browse import SORTS, browse
from ..catalogue import slug
from ..drawing import version
from ..forms import AddForm
from ..ranges import DEPARTMENTS, RANGES
from ..reviews import reviews_of
from ..shop import current_shop, variant_price

bp = Blueprint("pages", __name__)

DESK_HOURS = ("vigil", "margin", "encore", "anselm", "alcove", "bracken", "candela", "octavo")
"""First names of what stands in the themed row of the front page, chosen by hand."""


@bp.get("/")
def home() -> str:
    """The front page."""
    products = current_shop().catalogue.products.values()
    themed = [product for name in DESK_HOURS for product in products if product.product_id.startswith(f"{name}-")]
    themed = [product for product in themed if product.in_stock]
    return render_template(
        "shop/home.html",
        ranges=RANGES,
        covers=_covers(),
        themed=themed[:6],
        control=CONTROLS.get(current_app.config.get("DEMO_SHELF"), list)(),
        picture_version=version(),
    )


@bp.get("/shop/<key>")
def listing(key: str) -> str:
    """A category, a department, or a list of its own: everything, new, sale."""
    now = time.time()
    title, line, products, category = _shelf(key, now)
    found = browse(products, request.args, now, default="new" if key == "new" else "wanted")
    return render_template(
        "shop/listing.html",
        key=key,
        title=title,
        line=line,
        category=category,
        listing=found,
        sorts=SORTS,
        department=next((r.department for r in RANGES if r.key == key), ""),
        siblings=[r for r in RANGES if slug(r.department) == key],
    )


@bp.get("/search")
def search() -> str:
    """What was searched for."""
    query = g.search_query = " ".join(request.args.get("q", "").split())[:80]
    products = current_shop().search.find(query)
    found = browse(products, request.args, time.time(), default="")
    return render_template("shop/search.html", listing=found, sorts=SORTS, matches=len(products), ranges=RANGES)


@bp.get("/search/suggest")
def suggest() -> Response:
    """Phrases and products that begin like what is being typed."""
    phrases, products = current_shop().search.suggest(request.args.get("q", "")[:80])
    now = time.time()
    return jsonify(
        phrases=[{"text": phrase, "url": url_for("pages.search", q=phrase)} for phrase in phrases],
        products=[
            {"title": p.title, "brand": p.brand, "url": p.url, "image": p.image, "price": p.effective_price(now)}
            for p in products
        ],
    )


@bp.get("/products/<product_id>")
def product(product_id: str) -> str:
    """One product."""
    shop, now = current_shop(), time.time()
    found = shop.catalogue.products.get(product_id)
    if found is None:
        abort(404)
    stock = shop.stock(found)
    chosen = _chosen(found, stock)
    colour = next(variant.color for variant in found.variants if variant.variant_id == chosen)
    prices = {variant.variant_id: variant_price(found, variant, now) for variant in found.variants}
    return render_template(
        "shop/product.html",
        product=found,
        stock=stock,
        chosen=chosen,
        colour=colour,
        prices=prices,
        category=next(r for r in RANGES if r.title == found.category_path[1]),
        reviews=reviews_of(found),
        images={variant.color: variant.image for variant in found.variants},
        form=AddForm(),
    )


@bp.post("/theme")
def theme() -> BaseResponse:
    """Remember light or dark."""
    wanted = request.form.get("theme", "")
    response = make_response(redirect(_back()))
    if wanted in ("light", "dark"):
        response.set_cookie("theme", wanted, max_age=31_536_000, samesite="Lax", httponly=True)
    else:
        response.delete_cookie("theme")
    return response


@bp.get("/about")
def about() -> str:
    """What this shop is, and what is simulated."""
    return render_template("shop/about.html")


@bp.app_errorhandler(404)
def missing(error: Exception) -> tuple[str, int]:
    """A page that is not there."""
    return render_template("shop/missing.html"), 404


def _back() -> str:
    """The page that a form was on; only ever one of ours."""
    target = request.form.get("next", "/")
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def _random() -> list[Product]:
    """Eight products by chance."""
    shop = current_shop()
    products = random.sample(list(shop.catalogue.products.values()), 24)
    sold = shop.availability([product.product_id for product in products])
    return [product for product in products if sold[product.product_id]][:8]


def _popular() -> list[Product]:
    """The eight best sellers, the same for everybody."""
    everybody = SlateRequest(placement="home-hero", now=time.time(), consent_level=ConsentLevel.NON_PERSONAL)
    slate, _ = current_app.extensions["mtp"].pipeline.preview(everybody)
    products = current_shop().catalogue.products
    return [products[item.product_id] for item in slate.items]


CONTROLS: dict[Any, Callable[[], list[Product]]] = {"random": _random, "popular": _popular}
"""What controls of :mod:`demo_store.traffic` see instead of the first block: ``DEMO_SHELF`` names one."""


def _covers() -> dict[str, Product]:
    """The product that stands for each category: its best-loved."""
    shelves = current_shop().catalogue.by_category
    return {key: max(shelf, key=lambda p: (p.rating_count, p.product_id)) for key, shelf in shelves.items()}


def _shelf(key: str, now: float) -> tuple[str, str, Sequence[Product], str]:
    """Title, line, products and (for a category) its path."""
    catalogue = current_shop().catalogue
    everything = list(catalogue.products.values())
    if key in catalogue.by_category:
        range_ = next(r for r in RANGES if r.key == key)
        return range_.title, range_.line, list(catalogue.by_category[key]), f"{range_.department} > {range_.title}"
    for department in DEPARTMENTS:
        if slug(department) == key:
            return (
                department,
                LINES[department],
                [p for p in everything if p.category_path[0] == department],
                department,
            )
    if key == "everything":
        return "Everything", "All of it, on one long shelf.", everything, ""
    if key == "sale":
        return (
            "Reduced",
            "The same things, for less, until the date on the label.",
            [p for p in everything if p.on_sale(now)],
            "",
        )
    if key == "new":
        fresh = [p for p in everything if p.created and now - p.created < 50 * 86400]
        return "New in", "Arrived within the last few weeks.", fresh, ""
    abort(404)


LINES = {
    "Wear": "On the wrist, on the back, underfoot.",
    "Carry": "There and back, with your hands free.",
    "Home": "For rooms that are lived in.",
    "Table": "Morning things and evening things.",
    "Desk": "For work, and for not working.",
}


def _chosen(product: Product, stock: dict[str, int]) -> str:
    """The variant to show first: the one asked for, else one in the colour asked for, else one that can be bought."""
    asked, colour = request.args.get("variant", ""), request.args.get("colour", "")
    if asked in stock:
        return asked

    def rank(variant: Any) -> tuple[bool, bool]:
        return slug(variant.color) != colour if colour else False, not stock[variant.variant_id]

    return min(product.variants, key=rank).variant_id

"""Products: find one, and see why it is, or is not, shown somewhere to somebody."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from flask import Response, request

from ....errors import NotFoundError
from ....records import BoolArray, Product, ProductTable
from ....state import State
from ...parts import get_state
from ...slates import is_off
from ..asking import context_fields, read_asking, some_visitors
from ..frame import page
from ..panel import Hit, Page, Panel
from ..segmented import segment_choices
from ..tables import csv_answer, part_of, searched
from ..why import Verdict, why

STATES: Mapping[str, tuple[str, Callable[[ProductTable], BoolArray]]] = {
    "": ("All", lambda table: np.ones(len(table), dtype=np.bool_)),
    "shown": ("Can be shown", lambda table: table.visible & table.in_stock),
    "sale": ("On sale", lambda table: table.on_sale(time.time())),
    "hidden": ("Hidden", lambda table: ~table.visible),
    "sold-out": ("Out of stock", lambda table: ~table.in_stock),
}


def _table() -> ProductTable:
    return get_state().pipeline.live.get().table


def _matching(products: Sequence[Product], query: str) -> list[Product]:
    words = query.casefold().split()
    return [product for product in products if all(word in _text(product) for word in words)]


def _text(product: Product) -> str:
    return " ".join((product.product_id, product.title, product.brand, product.category, *product.tags)).casefold()


def show() -> Response:
    """The catalogue as the plugin knows it."""
    table, state, query = _table(), request.args.get("state", ""), searched()
    state = state if state in STATES else ""
    counts = [(key, title, int(mask(table).sum())) for key, (title, mask) in STATES.items()]
    chosen = [table.products[row] for row in np.flatnonzero(STATES[state][1](table)).tolist()]
    found = _matching(chosen, query) if query else chosen
    if request.args.get("format") == "csv":
        columns = ("product_id", "title", "brand", "category", "price", "sale_price", "stock", "hidden")
        return csv_answer("products", columns, ([getattr(product, name) for name in columns] for product in found))
    return page("products.html", title="Products", part=part_of(found), counts=counts, state=state, query=query)


def show_one(product_id: str) -> Response:
    """One product: what is known of it, and the way to a slate."""
    state, table = get_state(), _table()
    row = table.index.get(product_id)
    if row is None:
        raise NotFoundError(f"the catalogue has no product {product_id}", field="product_id")
    product = table.products[row]
    asking = read_asking(state, request.args)
    name = request.args.get("placement", "")
    verdict = None
    if name and name not in state.placements:
        asking.errors["placement"] = "There is no such placement"
    elif name and not asking.errors:
        verdict = _verdict(state, product_id, name, request.args)
    return page(
        "products_one.html",
        title=product.title,
        product=product,
        tier=int(table.tier[row]),
        asking=asking,
        placement=name,
        placements_told=[(known, known) for known in state.placements],
        verdict=verdict,
        visitors=some_visitors(state),
        segments=segment_choices(state),
        context_fields=context_fields(),
    )


def _verdict(state: State, product_id: str, name: str, source: Mapping[str, str]) -> Verdict:
    asking, placement = read_asking(state, source), state.placements[name]
    entry = state.pipeline.explain(asking.request(name), placement)
    return why(
        entry,
        placement,
        _table(),
        product_id,
        available=state.pipeline.all_sellable([product_id]),
        off=is_off(state, name),
    )


def _find(state: State, query: str) -> list[Hit]:
    found = _matching(state.pipeline.live.get().table.products, query)[:10]
    return [
        Hit(product.title, f"{product.product_id} · {product.category}", "products_show_one",
            {"product_id": product.product_id})
        for product in found
    ]  # fmt: skip


PANEL = Panel(
    key="products",
    title="Products",
    group="Shop",
    pages=(Page("/", "show", show), Page("/<path:product_id>", "show_one", show_one)),
    count=lambda state: len(state.pipeline.live.get().table),
    find=_find,
)

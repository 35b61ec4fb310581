"""A shop for benchmarks: made-up products and visitors, a trained model, pages with and without a block."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask, render_template
from jinja2 import DictLoader

from mtp_plugin import MTP, CallableCatalog, Product
from mtp_plugin.track.imported import imported_event
from mtp_plugin.track.products import products_of
from mtp_plugin.training import train_behaviour, train_content

KINDS = ("watch", "lamp", "chair", "mug", "bag", "jacket", "shoe", "plant", "notebook", "headphone")
WORDS = ("Oak", "Linen", "Field", "Harbour", "Slate", "Copper", "North", "Canvas", "River", "Stone", "Ash", "Wool")
LEARNT_FROM = 8000
"""Visitors whose sessions the model is trained on."""
WORK_S = 0.005
"""Processor time of a page that does some work of its own."""


class Stock:
    """What the shop says can be bought, with the time that the answers took."""

    def __init__(self) -> None:
        self.nanoseconds = self.answers = 0

    def availability(self, product_ids: Sequence[str]) -> Mapping[str, bool]:
        began = time.perf_counter_ns()
        found = dict.fromkeys(product_ids, True)
        self.nanoseconds += time.perf_counter_ns() - began
        self.answers += 1
        return found


def products(count: int) -> list[Product]:
    """Products in ten categories and forty brands, with titles of four words."""
    return [
        Product(
            product_id=f"p{number}",
            title=f"{WORDS[number * 7 % 12]} {WORDS[number * 5 % 11]} {KINDS[number % 10]} {number // 10}",
            brand=f"Brand {number % 40}",
            category_path=("All", KINDS[number % 10].title()),
            price=10.0 + number % 300,
            sale_price=8.0 + number % 200 if number % 7 == 0 else None,
            currency="EUR",
            rating=3.0 + number % 20 / 10,
            rating_count=number % 300,
            url=f"/p/{number}",
            image=f"/i/{number}.svg",
        )
        for number in range(count)
    ]


def shop(folder: str, count: int, stock: Stock, **config: Any) -> Flask:
    """A shop with a trained model, mounted in *folder*."""
    app = Flask("bench", instance_path=folder)
    app.secret_key = "benchmarks only, and long enough"
    app.config.update(MTP_REGIME="opt-out", MTP_RATE_LIMIT="1000000 per second", **config)
    mtp = MTP()
    mtp.catalog(CallableCatalog(products=lambda: products(count), availability=stock.availability))
    mtp.init_app(app)
    block = '{{ mtp_block("home-hero", limit=12) }}'
    bodies = {"bare": "<main></main>", "block": f"<main>{block}</main>"}
    app.jinja_loader = DictLoader(bodies)
    for name in bodies:
        app.add_url_rule(f"/{name}", name, lambda name=name: render_template(name))
        app.add_url_rule(f"/work-{name}", f"work-{name}", lambda name=name: work() or render_template(name))
    app.add_url_rule("/dispatch", "dispatch", lambda: "ok")
    with app.app_context():
        mtp.import_catalog()
        train(app, count)
    return app


def work() -> None:
    """Take :data:`WORK_S` of processor time, as a page does that asks a database and renders."""
    until = time.thread_time() + WORK_S
    while time.thread_time() < until:
        pass


def train(app: Flask, count: int) -> None:
    """Visitors look at four to nine products of one category each; what is popular there is looked at more."""
    state, chance, now = app.extensions["mtp"], random.Random(1), time.time()
    name, events = "Product Viewed", []
    for visitor in range(LEARNT_FROM):
        kind = chance.randrange(10)
        for place in range(chance.randint(4, 9)):
            events.append(
                imported_event(
                    name,
                    key=f"{visitor}-{place}",
                    timestamp=now - 3000 + place,
                    anonymous_id=f"v{visitor}",
                    products=products_of(name, {"product_id": some_product(count, kind, chance)}),
                )
            )
    for start in range(0, len(events), 500):
        state.pipeline.ingest(events[start : start + 500])
    say = lambda text: print(text, file=sys.stderr)  # noqa: E731
    train_content(state.registry, state.pipeline.live.refresh().table, seed=0, progress=say)
    train_behaviour(state.journal, state.registry, state.pipeline.live.get().table, now=now, seed=0, progress=say)
    state.pipeline.live.refresh()


def some_product(count: int, kind: int, chance: random.Random) -> str:
    """A product of one kind, popular ones more often."""
    return f"p{int(count // 10 * chance.random() ** 3) * 10 + kind}"

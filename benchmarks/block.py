"""One block of twelve cards: personal and shared, beside a page without it. Prints one JSON object.

Run it alone on the machine: ``python benchmarks/block.py [--products 10000] [--rounds 400]``. Products and visitors are
made up. The floor is the same Flask route without the block, asked through the same test client in the same run.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask, render_template
from jinja2 import DictLoader

from mtp_plugin import MTP, CallableCatalog, Product
from mtp_plugin.track.imported import imported_event
from mtp_plugin.track.products import products_of
from mtp_plugin.training import train_behaviour, train_content

KINDS = ("watch", "lamp", "chair", "mug", "bag", "jacket", "shoe", "plant", "notebook", "headphone")
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140", "Sec-Fetch-Site": "same-origin"}


def products(count: int) -> list[Product]:
    """Products in ten categories and forty brands."""
    return [
        Product(
            product_id=f"p{number}",
            title=f"{KINDS[number % 10].title()} model {number // 10}",
            brand=f"Brand {number % 40}",
            category_path=("All", KINDS[number % 10]),
            price=10.0 + number % 300,
            url=f"/p/{number}",
            image=f"/i/{number}.svg",
        )
        for number in range(count)
    ]


def shop(folder: str, count: int) -> Flask:
    """A shop with a trained model and one page with and one without a block."""
    app = Flask("bench", instance_path=folder)
    app.secret_key = "benchmarks only, and long enough"
    app.config.update(MTP_REGIME="opt-out", MTP_RATE_LIMIT="1000000 per second")
    mtp = MTP()
    stock = products(count)
    mtp.catalog(CallableCatalog(products=lambda: stock, availability=lambda ids: dict.fromkeys(ids, True)))
    mtp.init_app(app)
    pages = {"bare": "<main></main>", "block": '<main>{{ mtp_block("home-hero", limit=12) }}</main>'}
    app.jinja_loader = DictLoader(pages)
    app.add_url_rule("/bare", "bare", lambda: render_template("bare"))
    app.add_url_rule("/block", "block", lambda: render_template("block"))
    with app.app_context():
        mtp.import_catalog()
        train(app, count)
    return app


def train(app: Flask, count: int) -> None:
    """Five thousand visitors look at four products of one category each."""
    state, chance, now = app.extensions["mtp"], random.Random(1), time.time()
    name, events = "Product Viewed", []
    for visitor in range(5000):
        kind = chance.randrange(10)
        for place in range(4):
            seen = {"product_id": f"p{chance.randrange(count // 10) * 10 + kind}"}
            events.append(
                imported_event(
                    name,
                    key=f"{visitor}-{place}",
                    timestamp=now - 3000 + place,
                    anonymous_id=f"v{visitor}",
                    products=products_of(name, seen),
                )
            )
    state.pipeline.ingest(events)
    quiet: Callable[[str], None] = lambda text: None  # noqa: E731
    train_content(state.registry, state.pipeline.live.refresh().table, seed=0, progress=quiet)
    train_behaviour(state.journal, state.registry, state.pipeline.live.get().table, now=now, seed=0, progress=quiet)
    state.pipeline.live.refresh()


def measure(run: Callable[[], object], rounds: int) -> dict[str, float]:
    """Microseconds of *run*, after a tenth as many rounds to warm up."""
    for _ in range(rounds // 10 + 1):
        run()
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        took.append((time.perf_counter() - began) * 1e6)
    return {"p50_us": round(statistics.median(took), 1), "p99_us": round(statistics.quantiles(took, n=100)[98], 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=400)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("making a shop and training it", file=sys.stderr)
        app = shop(str(Path(folder)), options.products)
        visitor, nobody = app.test_client(), app.test_client()
        for number in range(5):
            event = {"event": "Product Viewed", "properties": {"product_id": f"p{number * 10}"}}
            assert visitor.post("/mtp/v1/track", json=event, headers=BROWSER).json["accepted"] == 1
        signal = {**BROWSER, "Sec-GPC": "1"}
        figures = {
            "page_without_block": measure(lambda: visitor.get("/bare", headers=BROWSER), options.rounds),
            "page_with_personal_block": measure(lambda: visitor.get("/block", headers=BROWSER), options.rounds),
            "page_with_shared_block": measure(lambda: nobody.get("/block", headers=signal), options.rounds),
        }
        app.extensions["mtp"].close()
    floor = figures["page_without_block"]["p50_us"]
    added = {name: round(f["p50_us"] - floor, 1) for name, f in figures.items() if name != "page_without_block"}
    print(json.dumps({"benchmark": "block", "products": options.products, **figures, "added_p50_us": added}))


if __name__ == "__main__":
    main()

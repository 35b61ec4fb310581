"""Shops for tests: the real plugin on a real Flask application, in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Flask

from mtp_plugin import MTP, Product
from mtp_plugin.catalog.importer import import_catalog
from mtp_plugin.catalog.mapped import CallableCatalog
from mtp_plugin.state import State

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140", "Sec-Fetch-Site": "same-origin"}


def bare_app(folder: Path, **config: Any) -> Flask:
    """An application with a secret key and nothing else."""
    app = Flask("shop", instance_path=str(folder), root_path=str(folder))
    app.secret_key = "tests only, but long enough"
    app.config.update(config)
    return app


def mounted(folder: Path, products: Sequence[Product] = (), **config: Any) -> tuple[Flask, State]:
    """A shop with these products imported."""
    app = bare_app(folder, **config)
    MTP(app)
    state: State = app.extensions["mtp"]
    if products:
        catalog = CallableCatalog(products=lambda: products, availability=lambda ids: dict.fromkeys(ids, True))
        import_catalog(catalog, state.catalog_store, currency="EUR")
        state.pipeline.live.refresh()
    return app, state


def watches(count: int = 30) -> list[Product]:
    """Products in three categories, all in stock."""
    kinds = ("Field watch", "Desk lamp", "Canvas bag")
    return [
        Product(
            product_id=f"p{number:02d}",
            title=f"{kinds[number % 3]} {('Nord', 'Süd', 'Ost', 'West')[number % 4]} {number}",
            brand=("Alba", "Brenn")[number % 2],
            category_path=("Shop", kinds[number % 3].split()[1].title()),
            price=20.0 + 5 * number,
            currency="EUR",
            stock=3,
            url=f"/p/p{number:02d}",
            created=1_700_000_000.0 + number,
        )
        for number in range(count)
    ]

"""The application factory."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, g, request
from flask_wtf.csrf import CSRFProtect

from mtp_plugin import MTP
from mtp_plugin.errors import MTPError

from .account import current_account
from .addresses import add_addresses
from .basket import current_basket
from .commands import demo
from .compression import add_compression
from .console import is_local
from .elsewhere import WRITE_KEY, elsewhere_url, origins
from .formatting import add_filters, money
from .learning import BANDITS
from .ledger import Ledger
from .offer import EXPERIMENTS
from .personalisation import MOUNTED, create_mtp
from .personas import PERSONAS
from .ranges import DEPARTMENTS
from .security import add_headers, current_nonce
from .shop import EXTENSION, Shop
from .views import account, basket, checkout, console, elsewhere, inspector, pages, pictures

PLACEMENTS = {
    # Without trending below it: that has a block of its own on the same page.
    "home-hero": {"strategies": ["recommended-for-you", "best-sellers"], "size": 8},
    "home-trending": {"title": "What others are looking at", "size": 12, "exploration": 0.1},
    "home-sale": {
        "title": "Reduced, for now",
        "strategies": ["on-sale", "best-sellers"],
        "layout": "carousel",
        "size": 12,
    },
    "product-together": {"title": "Goes well with", "size": 4},
    "product-similar": {"title": "In the same spirit", "size": 12},
    "category-top": {"title": "Most wanted here", "size": 10, "layout": "carousel"},
    "cart-complete": {"title": "Before you go", "size": 6},
    "search-empty": {"title": "Perhaps one of these", "size": 6},
    "account-next": {"strategies": ["likely-to-buy", "recommended-for-you", "best-sellers"], "size": 8},
    "recently-viewed": {"title": "You looked at", "size": 12, "min_items": 2},
}

SEGMENT_FEATURES = ["category", "brand", "style", "price_level", "discount_share"]
"""Taste and purse: in a shop of sixty days how often people come says little of who they are."""


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The shop as a Flask application.

    :param config: laid over the defaults, such as ``{"TESTING": True}``; ``DEMO_NOW`` (seconds since 1970) fixes the
        day that the catalogue is made for, ``DEMO_INSTANCE`` the folder of databases, ``DEMO_PORT`` says on which port
        the shop is served. Settings also come from the environment with Flask's prefix, such as
        ``FLASK_MTP_ENABLED=false``
    """
    config = dict(config or {})
    folder = config.get("DEMO_INSTANCE") or os.environ.get("DEMO_INSTANCE")
    app = Flask(__name__, instance_path=str(Path(folder).resolve()) if folder else None)
    Path(app.instance_path).mkdir(parents=True, exist_ok=True)
    app.config.update(
        MTP_PLACEMENTS=PLACEMENTS,
        MTP_BANDITS=BANDITS,
        MTP_EXPERIMENTS=EXPERIMENTS,
        MTP_CURRENCY="EUR",
        MTP_CONSOLE_NOTE="A demo: its shoppers, what they buy and every figure here are simulated.",
        MTP_SEGMENT_FEATURES=SEGMENT_FEATURES,
        MTP_WRITE_KEYS={WRITE_KEY: list(origins(config))},
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.config.from_prefixed_env()
    app.config.update(config)
    app.secret_key = app.config["SECRET_KEY"] or os.environ.get("SECRET_KEY") or _kept_secret(app)
    app.extensions[EXTENSION] = Shop.open(
        Ledger(Path(app.instance_path) / "tarn.sqlite"), now=float(app.config.get("DEMO_NOW") or time.time())
    )
    csrf = CSRFProtect(app)
    add_compression(app)
    mtp = create_mtp()
    mtp.init_app(app)
    app.extensions[MOUNTED] = mtp
    # The plugin checks the origin of what is sent to it; its routes have no form token of ours.
    csrf.exempt(app.blueprints["mtp"])
    for blueprint in (
        pages.bp,
        pictures.bp,
        basket.bp,
        checkout.bp,
        account.bp,
        inspector.bp,
        elsewhere.bp,
        console.bp,
    ):
        app.register_blueprint(blueprint)
    add_filters(app)
    add_addresses(app)
    add_headers(app)
    app.cli.add_command(demo)
    app.context_processor(_common)
    _fill(app, mtp)
    return app


def _fill(app: Flask, mtp: MTP) -> None:
    """Tell the plugin today's catalogue: prices move with the day, pictures with the code."""
    with app.app_context():
        try:
            mtp.import_catalog()
        except MTPError:
            app.logger.exception("the catalogue was not imported; blocks show the one of before")


def _common() -> dict[str, Any]:
    """What every page shows."""
    return {
        "account": current_account(),
        "basket_count": current_basket().count,
        "csp_nonce": current_nonce,
        "departments": DEPARTMENTS,
        "console_open": is_local(),
        "elsewhere_url": elsewhere_url,
        "money": money,
        "personas": PERSONAS.values(),
        "query": g.get("search_query", ""),
        "theme": request.cookies.get("theme", ""),
    }


def _kept_secret(app: Flask) -> str:
    """A key of this installation's own, made once."""
    path = Path(app.instance_path) / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()

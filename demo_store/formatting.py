"""How the shop writes prices, dates and swatches."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from flask import Flask

from mtp_plugin.records import Product

from .colourways import COLOURS

SIGNS = {"EUR": "€"}


def money(amount: float, currency: str = "EUR") -> str:
    """``€19``, ``€1,250``, ``€4.90``."""
    text = f"{amount:,.2f}".removesuffix(".00")
    return f"{SIGNS.get(currency, currency + ' ')}{text}"


def day(timestamp: float) -> str:
    """``24 November``."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%-d %B")


def delivery_day(product: Product, now: float) -> str:
    """The working day on which a parcel arrives: the next for what is quick, else the third."""
    at = datetime.fromtimestamp(now, UTC)
    for _ in range(1 if "quick" in product.tags else 3):
        at += timedelta(days=1)
        while at.weekday() > 4:
            at += timedelta(days=1)
    return at.strftime("%A, %-d %B")


def add_filters(app: Flask) -> None:
    """Let templates use them."""
    app.add_template_filter(money)
    app.add_template_filter(day)
    app.jinja_env.globals["COLOURS"] = COLOURS
    app.add_template_global(delivery_day, "delivery_day")
    app.add_template_global(time.time, "now")

"""Addresses that templates need beside ``url_for``."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, request, url_for

from mtp_plugin.records import Product


def add_addresses(app: Flask) -> None:
    """Let templates use them."""
    versions = {path.name: f"{zlib.crc32(path.read_bytes()):08x}" for path in Path(app.static_folder or "").glob("*.*")}

    def asset(name: str) -> str:
        """A static file's address; it changes with the file."""
        return url_for("static", filename=name, v=versions[name])

    for function in (asset, without, with_page, variants_json, consent_url, data_url):
        app.add_template_global(function)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000


def without(name: str, value: str) -> str:
    """This page with one filter less, from its first page on."""
    pairs = [(k, v) for k, v in request.args.items(multi=True) if (k, v) != (name, value) and k != "page"]
    return _address(pairs)


def with_page(number: int) -> str:
    """Another page of this list."""
    pairs = [(k, v) for k, v in request.args.items(multi=True) if k != "page"]
    return _address([*pairs, ("page", str(number))] if number > 1 else pairs)


def variants_json(product: Product, prices: Mapping[str, float], stock: Mapping[str, int]) -> list[dict[str, Any]]:
    """What the product page's script needs of each variant."""
    return [
        {
            "id": variant.variant_id, "color": variant.color, "size": variant.size, "price": prices[variant.variant_id],
            "list": variant.price or product.price, "left": stock[variant.variant_id],
        }
        for variant in product.variants
    ]  # fmt: skip


def consent_url() -> str:
    """Where the plugin takes a choice."""
    return url_for(f"{current_app.blueprints['mtp'].name}.write_consent")


def data_url(**options: str) -> str:
    """Where the plugin gives visitors their data."""
    return url_for(f"{current_app.blueprints['mtp'].name}.export_subject", **options)


def _address(pairs: list[tuple[str, str]]) -> str:
    return request.path + ("?" + urlencode(pairs) if pairs else "")

"""What somebody who may write a product's name, or an event, would try; and a shop full of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Response, render_template_string, request

from mtp_plugin.records import Product

from ..console.conftest import Desk
from ..web.shop import build_shop

STRIKE = "window.pwned=1"
TEXTS = (
    f"</script><script>{STRIKE}</script>",
    f'<img src=x onerror="{STRIKE}">',
    f'"><svg onload={STRIKE}>',
    f"' onmouseover='{STRIKE}' autofocus onfocus='{STRIKE}",
    f"--><script>{STRIKE}</script><!--",
    f"</title></style></textarea></template><script>{STRIKE}</script>",
    "{{7331*7331}}{% set x = 7331*7331 %}${7331*7331}<%= 7331*7331 %>",
    "\u202egnp.exe\u202c\u2066",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "a\r\nSet-Cookie: pwned=1\r\n\r\n<b>",
    "&lt;script&gt;&#60;b&#62;\x00\x0b\u2028\u2029",
    f"javascript:{STRIKE}",
)
URLS = (
    f"javascript:{STRIKE}",
    f" \x01javascript:{STRIKE}",
    f"java\tscript:{STRIKE}",
    f"JaVaScRiPt:{STRIKE}//",
    f"data:text/html,<script>{STRIKE}</script>",
    f"vbscript:{STRIKE}",
    f'/p/"><script>{STRIKE}</script>',
    f"/p/' onclick='{STRIKE}",
    "/p/x\r\nSet-Cookie: pwned=1",
)
PAGE = """<!doctype html><html lang="en"><head><title>{{ q }}</title>{{ mtp_scripts() }}</head><body>
{{ mtp_block("home-hero", limit=24) }}{{ mtp_block("recently-viewed") }}
{{ mtp_block("product-similar", product_ids=[q], category=q, query=q) }}
<div data-mtp-block="home-trending"></div>{{ mtp_consent(policy_url=q) }}</body></html>"""
NAKED = "<!doctype html><title>naked</title>{% for text in texts %}{{ text|safe }}{% endfor %}"


def products() -> list[Product]:
    """Products whose every field is hostile, past all checks of import; the last one is plain."""
    made = [_product(place, text, URLS[place % len(URLS)]) for place, text in enumerate(TEXTS)]
    return [*made, Product(product_id="plain", title="A cup", price=9.0, url="/p/plain", created=1.0)]


def _product(place: int, text: str, url: str) -> Product:
    return Product(
        product_id="".join(filter(str.isprintable, f"h{place}{text}")),
        title=text,
        brand=text,
        category_path=(text, f"{text}{place}"),
        tags=(text,),
        style=text,
        colors=(text,),
        description=text,
        attributes={"material": text},
        price=10.0 + place,
        currency="EUR",
        stock=3,
        url=url,
        image=url,
        created=1_700_000_000.0 + place,
    )


def events() -> list[dict[str, Any]]:
    """What a browser says of such products, and of itself."""
    found: list[dict[str, Any]] = []
    for place, product in enumerate(products()):
        text = TEXTS[place % len(TEXTS)]
        seen = {"product_id": product.product_id, "name": text, "category": text, "brand": text, "url": text}
        found.append({"event": "Product Viewed", "properties": seen})
        found.append({"event": "Products Searched", "properties": {"query": text}})
        found.append({"event": "Product List Viewed", "properties": {"category": text, "list_id": text}})
    return found


def hostile_desk(folder: Path, **config: Any) -> Desk:
    """A shop with these products and a console, whose pages repeat what the address says, and one that is naked."""
    shop = build_shop(folder, **config)
    shop.state.catalog_store.import_products(products(), hide_missing=True)
    shop.state.pipeline.live.refresh()
    desk = Desk(shop)
    desk.shop.mtp.admin_guard(lambda: desk.who[0])
    app = shop.app
    app.add_url_rule("/hostile", "hostile", lambda: render_template_string(PAGE, q=request.args.get("q", "")))
    app.add_url_rule("/naked", "naked", lambda: render_template_string(NAKED, texts=TEXTS))
    app.add_url_rule("/favicon.ico", "icon", lambda: Response(status=204))
    return desk

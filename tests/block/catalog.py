"""Products and slates that the block's tests dress: friendly ones, and a hostile catalogue."""

from __future__ import annotations

from mtp_plugin.block.build import Dresser
from mtp_plugin.block.money import Money
from mtp_plugin.block.words import Words
from mtp_plugin.records import Block, ConsentLevel, Placement, Product, Slate, SlateItem

NOW = 1_760_000_000.0
DAY = 86400.0

FRIENDLY = (
    Product(
        product_id="watch-38",
        title="Field Watch 38",
        brand="Nordhav",
        url="/p/watch-38",
        image="/img/watch-38.svg",
        price=180.0,
        currency="EUR",
        rating=4.6,
        rating_count=128,
    ),
    Product(
        product_id="watch-42",
        title="Field Watch 42",
        brand="Nordhav",
        url="/p/watch-42",
        image="/img/watch-42.svg",
        price=200.0,
        sale_price=149.0,
        sale_until=NOW + DAY,
        currency="EUR",
        rating=4.2,
        rating_count=1,
    ),
    Product(
        product_id="strap",
        title="Leather Strap",
        url="https://shop.example/p/strap",
        price=24.5,
        currency="EUR",
        created=NOW - DAY,
        image="/img/strap.svg",
    ),
    Product(product_id="mug", title="Stoneware Mug", brand="Lehm", price=18.0, sale_price=15.0, sale_until=NOW - 1),
    Product(product_id="gift", title="Gift wrapping"),
)

HOSTILE = (
    Product(
        product_id='"><script>alert(1)</script>',
        title="<script>alert('title')</script>",
        brand='<img src=x onerror="alert(2)">',
        url="javascript:alert(3)",
        image="javascript:alert(4)",
        price=10.0,
        currency="<b>",
    ),
    Product(
        product_id="quotes",
        title="\"Quoted\" & 'single' > <",
        url='/p/"onmouseover="alert(5)',
        image="/i/'x'.png",
        price=1.0,
        currency="EUR",
    ),
    Product(product_id="tabbed", title="Tabbed", url="java\tscript:alert(6)", image="\x01javascript:alert(7)"),
    Product(product_id="data", title="Data", url="data:text/html,<script>alert(8)</script>", image="vbscript:alert(9)"),
    Product(product_id="rtl", title="ساعة يد ميدانية كلاسيكية ٣٨ ملم", brand="مصنع الساعات", url="/p/rtl", price=99.0),
    Product(product_id="override", title="\u202eevil txt.exe", url="/p/override", price=-1.0, currency="EUR"),
    Product(product_id="long", title="Unbreakable" * 40, brand="Very long brand " * 12, url="/p/long", price=1e9),
    Product(product_id="template", title="{{ 7 * 7 }}{% raw %}", url="/p/{{ config }}", price=float("nan")),
)


def slate(
    products: tuple[Product, ...],
    *,
    placement: str = "home-hero",
    strategy: str = "recommended-for-you",
    level: ConsentLevel = ConsentLevel.FULL,
    codes: tuple[str, ...] = ("session-neighbours", "popular"),
    because: str = "watch-38",
) -> Slate:
    """A slate of these products in their order."""
    return Slate(
        recommendation_id="0199c0de00007000800000000000abcd",
        placement=placement,
        strategy=strategy,
        consent_level=level,
        items=tuple(
            SlateItem(product_id=p.product_id, position=i, score=1 / i, reason_codes=codes, because=because)
            for i, p in enumerate(products, 1)
        ),
    )


def dress(
    made: Slate, products: tuple[Product, ...], *, layout: str = "grid", locale: str = "en", title: str = ""
) -> Block:
    """The block of a slate, as the tests show it."""
    return Dresser(Words(locale), "EUR").block(
        made,
        Placement(name=made.placement, title=title, strategies=(made.strategy,), layout=layout),
        {product.product_id: product for product in (*FRIENDLY, *products)},
        price=Money(locale),
        now=NOW,
        preferences_url="/mtp/v1/privacy/preferences",
    )

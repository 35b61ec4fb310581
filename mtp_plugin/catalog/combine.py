"""One product out of several rows: what formats with a row for each variant share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ..records import Product, Variant


class Row(msgspec.Struct, frozen=True):
    """One row as a product of its own, and as a variant; no ``variant``: the row sells nothing by itself."""

    line: int
    product: Product
    variant: Variant | None = None


def variant_of(product: Product, variant_id: str, *, title: str = "", size: str = "") -> Variant:
    """The variant that a row read as a product describes; its price is the one to pay."""
    return Variant(
        variant_id=variant_id,
        title=title,
        color=product.colors[0] if product.colors else "",
        size=size,
        price=product.price if product.sale_price is None else product.sale_price,
        stock=product.stock,
        image=product.image,
    )


def combine(rows: Sequence[Row]) -> Product:
    """The product of all its rows.

    Words come from the first row. Price, sale price and margin are those of the cheapest variant, of those that can
    be bought if any can. Stock is the sum, uncounted if any variant is. Colours are all there are.

    :param rows: at least one
    """
    base = rows[0].product
    sold = [row for row in rows if row.variant is not None]
    if not sold:
        return base
    lead = min(sold, key=_rank).product
    return msgspec.structs.replace(
        base,
        price=lead.price,
        sale_price=lead.sale_price,
        sale_from=lead.sale_from,
        sale_until=lead.sale_until,
        margin=lead.margin,
        currency=lead.currency or base.currency,
        stock=_sum(row.product.stock for row in sold),
        colors=_distinct(color for row in rows for color in row.product.colors),
        image=next((row.product.image for row in rows if row.product.image), ""),
        variants=tuple(row.variant for row in sold if row.variant is not None),
    )


def _rank(row: Row) -> tuple[bool, float]:
    price = row.product.price if row.product.sale_price is None else row.product.sale_price
    return not row.product.in_stock, float("inf") if price is None else price


def _sum(stocks: Iterable[int | None]) -> int | None:
    total = 0
    for stock in stocks:
        if stock is None:
            return None
        total += stock
    return total


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))

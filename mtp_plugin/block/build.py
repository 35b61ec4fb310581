"""A slate becomes a block: what the templates show, in words and prices, with nothing left to compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..records import Block, Card, Placement, Product, Slate, SlateItem
from .links import safe_url
from .reasons import block_note, block_reasons, block_title, item_reasons
from .words import Words

NEW_FOR_S = 30 * 86400.0
"""How long a product counts as new, in seconds."""

Price = Callable[[float, str], str]
"""Writes an amount and its ISO 4217 currency: :class:`~mtp_plugin.block.money.Money`, or the shop's own."""


def build(
    slate: Slate,
    placement: Placement,
    products: Mapping[str, Product],
    *,
    words: Words,
    price: Price,
    now: float,
    currency: str = "",
    preferences_url: str = "",
) -> Block:
    """Dress a slate.

    :param products: those of the slate and those its items are there because of; an item whose product is missing is
        left out
    :param price: how the shop writes prices
    :param now: seconds since 1970, decides about sales and novelty
    :param currency: of products that name none
    :param preferences_url: where a visitor changes what may be remembered, ``""`` for nowhere
    """
    cards = tuple(
        _card(item, product, item_reasons(item, products, words), words, price, now, currency)
        for item in slate.items
        if (product := products.get(item.product_id)) is not None
    )
    return Block(
        name=slate.placement,
        title=block_title(slate, placement.title, words),
        layout=placement.layout,
        cards=cards,
        reasons=block_reasons(card.reasons for card in cards),
        note=block_note(slate, words),
        consent_level=slate.consent_level,
        recommendation_id=slate.recommendation_id,
        strategy=slate.strategy,
        preferences_url=safe_url(preferences_url),
    )


def _card(
    item: SlateItem,
    product: Product,
    reasons: tuple[str, ...],
    words: Words,
    price: Price,
    now: float,
    currency: str,
) -> Card:
    on_sale = product.on_sale(now)
    currency = product.currency or currency
    rating_text, rating_label = _rating(product, words)
    # With a sale price alone there is nothing to strike through: it is simply the price.
    listed = product.price if product.price is not None or not on_sale else product.sale_price
    sale = product.sale_price if on_sale and product.price is not None else None
    return Card(
        product_id=product.product_id,
        position=item.position,
        title=product.title,
        brand=product.brand,
        url=safe_url(product.url),
        image=safe_url(product.image),
        price=listed,
        sale_price=sale,
        currency=currency,
        rating=product.rating,
        rating_count=product.rating_count,
        badge=_badge(product, listed, sale, now, words),
        reasons=reasons,
        price_text="" if listed is None else price(listed, currency),
        sale_price_text="" if sale is None else price(sale, currency),
        rating_text=rating_text,
        rating_label=rating_label,
    )


def _badge(product: Product, listed: float | None, sale: float | None, now: float, words: Words) -> str:
    """One badge at most: a saving of at least one per cent, else novelty."""
    if listed and sale is not None and listed - sale >= listed / 100:
        return words["badge.sale"].format(percent=words.percent((listed - sale) / listed))
    if product.created is not None and 0 <= now - product.created < NEW_FOR_S:
        return words["badge.new"]
    return ""


def _rating(product: Product, words: Words) -> tuple[str, str]:
    """The rating as a number and said in words, both empty unless it is within 0 (exclusive) to 5."""
    if product.rating is None or not 0 < product.rating <= 5:
        return "", ""
    text = words.decimal(product.rating)
    key = {0: "rating.label", 1: "rating.label.one"}.get(max(product.rating_count, 0), "rating.label.count")
    return text, words[key].format(rating=text, count=words.decimal(product.rating_count, 0))

"""A slate becomes a block: what the templates show, in words and prices, with nothing left to compute."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping

import msgspec

from ..memory import Remembered
from ..records import Block, Card, Placement, Product, Slate
from .links import safe_url
from .money import Money
from .reasons import Reasons, block_note, block_reasons, block_title, leaning
from .words import Words

NEW_FOR_S = 30 * 86400.0
"""How long a product counts as new, in seconds."""

Price = Callable[[float, str], str]
"""Writes an amount and its ISO 4217 currency: :class:`~mtp_plugin.block.money.Money`, or the shop's own."""


class Dresser:
    """Dresses slates; what it wrote of a product is remembered for as long as it stays true.

    A shop's own *price* may depend on the request, so what it wrote is not remembered.

    :param currency: of products that name none
    :param limit: most products remembered
    """

    def __init__(self, words: Words, currency: str = "", *, limit: int = 10_000) -> None:
        self._words, self._currency = words, currency
        self.reasons_of = Reasons(words).of
        """Why a product is there, see :meth:`mtp_plugin.block.reasons.Reasons.of`."""
        self._known: Remembered[str, tuple[Product, float, float, Card]] = Remembered(limit)
        self._spoken: Remembered[tuple[Hashable, ...], tuple[str, tuple[str, ...], str]] = Remembered(limit)

    def block(
        self,
        slate: Slate,
        placement: Placement,
        products: Mapping[str, Product],
        *,
        price: Price,
        now: float,
        preferences_url: str = "",
    ) -> Block:
        """The block of a slate.

        :param products: those of the slate and those its items are there because of; an item whose product is missing
            is left out
        :param price: how the shop writes prices
        :param now: seconds since 1970, decides about sales and novelty
        :param preferences_url: where a visitor changes what may be remembered, ``""`` for nowhere
        """
        cards = tuple(
            msgspec.structs.replace(
                self.card(product, price, now) if isinstance(price, Money) else self._dress(product, price, now),
                position=item.position,
                reasons=self.reasons_of(item, products.get(item.because)),
            )
            for item in slate.items
            if (product := products.get(item.product_id)) is not None
        )
        around = self.around(slate, placement, [card.reasons for card in cards], preferences_url)
        return msgspec.structs.replace(around, cards=cards)

    def around(
        self, slate: Slate, placement: Placement, told: Iterable[tuple[str, ...]], preferences_url: str = ""
    ) -> Block:
        """What stands around the cards of a block: the block without them.

        :param told: the reasons of each card
        """
        titled = slate.title or placement.title
        codes = tuple([item.reason_codes for item in slate.items])
        key = (slate.placement, slate.strategy, titled, slate.consent_level, slate.by_visitor, codes)
        known = self._spoken.get(key)
        if known is None:
            words = self._words
            spoken = (block_title(slate, titled, words), leaning(slate, words), block_note(slate, words))
            known = self._spoken.keep(key, spoken)
        title, leans, note = known
        return Block(
            name=slate.placement,
            title=title,
            layout=placement.layout,
            cards=(),
            reasons=block_reasons(told) + leans,
            note=note,
            consent_level=slate.consent_level,
            recommendation_id=slate.recommendation_id,
            strategy=slate.strategy,
            message=slate.message,
            message_url=safe_url(slate.message_url) if slate.message_url else "",
            preferences_url=safe_url(preferences_url) if preferences_url else "",
        )

    def card(self, product: Product, price: Money, now: float) -> Card:
        """The card of a product that stands nowhere yet, remembered for as long as it stays true."""
        known = self._known.get(product.product_id)
        if known is not None and known[0] is product and known[1] <= now < known[2]:
            return known[3]
        card = self._dress(product, price, now)
        self._known.keep(product.product_id, (product, *unchanged(product, now), card))
        return card

    def _dress(self, product: Product, price: Price, now: float) -> Card:
        words = self._words
        on_sale = product.on_sale(now)
        currency = product.currency or self._currency
        rating_text, rating_label = _rating(product, words)
        # With a sale price alone there is nothing to strike through: it is simply the price.
        listed = product.price if product.price is not None or not on_sale else product.sale_price
        sale = product.sale_price if on_sale and product.price is not None else None
        return Card(
            product_id=product.product_id,
            position=0,
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
            reasons=(),
            price_text="" if listed is None else price(listed, currency),
            sale_price_text="" if sale is None else price(sale, currency),
            rating_text=rating_text,
            rating_label=rating_label,
        )


def unchanged(product: Product, now: float) -> tuple[float, float]:
    """The time around *now* in which a product's card says the same: from (inclusive), until (exclusive)."""
    new_until = None if product.created is None else product.created + NEW_FOR_S
    turns = [turn for turn in (product.sale_from, product.sale_until, product.created, new_until) if turn is not None]
    return (
        max((turn for turn in turns if turn <= now), default=-math.inf),
        min((turn for turn in turns if turn > now), default=math.inf),
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

"""Whole blocks as HTML, put together from what the templates wrote before.

Most of a block stands in thousands of others: only the id of the slate, its cards and its reasons are a visitor's own.
So ``mtp/block.html`` is rendered once with marks in the places of these, and what it wrote around the marks is
remembered. The templates stay the one place that says what a block looks like.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
from jinja2 import Environment
from markupsafe import Markup, escape

from ..memory import Remembered
from ..records import Block, Card, Placement, Product, Slate
from .build import Dresser, unchanged
from .cards import is_ours
from .money import Money
from .page import checked_level
from .words import Words

TEMPLATES = ("block", "_block", "_card", "_price", "_reasons")
MARK = f"mtp{secrets.token_hex(12)}"
"""Begins a mark; nobody can have written it into a product or a title."""

Find = Callable[[str], Product | None]
Cell = tuple[Product, float, float, str, str]
"""A product, from when until when it looks like this (seconds since 1970), its id and its card as HTML."""


class Frame:
    """What stands around the parts of a slate.

    :param html: a block with marks
    """

    def __init__(self, html: str) -> None:
        self._texts = re.split(rf"{MARK}x\d+y", html)
        order = [int(number) for number in re.findall(rf"{MARK}x(\d+)y", html)]
        # ``itemgetter`` of a single place gives no tuple, and an id is asked for once more at no cost.
        self._pick = itemgetter(*order, 0)

    def filled(self, parts: list[str]) -> Markup:
        """The block with these parts, as HTML, in the places of their marks."""
        pieces = self._texts * 2
        pieces[::2] = self._texts
        pieces[1::2] = self._pick(parts)
        pieces[-1] = ""
        return Markup("".join(pieces))  # noqa: S704  texts are the templates', parts are escaped


class Frames:
    """Writes blocks whose templates are the plugin's own and whose prices are written by the plugin.

    :param dresser: dresses slates in *words*
    :param limit: most cards remembered
    """

    def __init__(self, words: Words, dresser: Dresser, limit: int = 10_000) -> None:
        self._words, self._dresser = words, dresser
        self._known: Remembered[tuple[Any, ...], Frame] = Remembered(1_000)
        self._cells: Remembered[tuple[str, int], Cell] = Remembered(limit)
        self._environment: Environment | None = None
        self._ours = False

    def usable(self, environment: Environment) -> bool:
        """Whether blocks are made of our own templates alone, and nobody is editing them."""
        if environment is not self._environment:
            found = (environment.get_template(f"mtp/{name}.html") for name in TEMPLATES)
            self._environment, self._ours = environment, all(map(is_ours, found))
        return self._ours and not environment.auto_reload

    def html(
        self,
        environment: Environment,
        slate: Slate,
        placement: Placement,
        find: Find,
        *,
        price: Money,
        now: float,
        heading_level: int = 2,
        preferences_url: str = "",
    ) -> Markup:
        """The block of a slate, the same to the letter as the templates would write it.

        :param environment: one that is :meth:`usable`
        :param find: gives products by id; an item without one is left out
        :param now: seconds since 1970
        :raises ValueError: a heading level that is not 2 to 5
        """
        checked_level(heading_level)
        parts, told, positions = [str(escape(slate.recommendation_id))], [], []
        reasons = self._dresser.reasons_of
        for item in slate.items:
            product = find(item.product_id)
            if product is not None:
                parts += self._cell(environment, product, price, now, heading_level)
                positions.append(item.position)
                told.append(reasons(item, find(item.because) if item.because else None))
        if not told:
            return Markup("")
        block = self._dresser.around(slate, placement, told, preferences_url)
        parts += [_escaped(reason) for reason in block.reasons]
        key = (
            block.name, block.title, block.layout, block.note, block.strategy, block.message, block.message_url,
            block.preferences_url, len(block.reasons), tuple(positions), heading_level,
        )  # fmt: skip
        frame = self._known.get(key)
        if frame is None:
            frame = self._known.keep(key, self._frame(environment, block, positions, heading_level))
        return frame.filled(parts)

    def _cell(
        self, environment: Environment, product: Product, price: Money, now: float, heading_level: int
    ) -> tuple[str, str]:
        """A product's id and its card, as HTML."""
        key = (product.product_id, heading_level)
        known = self._cells.get(key)
        if known is not None and known[0] is product and known[1] <= now < known[2]:
            return known[3:]
        card = self._dresser.card(product, price, now)
        variables = {"card": card, "words": self._words, "heading_level": heading_level}
        html = environment.get_template("mtp/_card.html").render(variables).strip()
        return self._cells.keep(key, (product, *unchanged(product, now), str(escape(product.product_id)), html))[3:]

    def _frame(self, environment: Environment, block: Block, positions: list[int], heading_level: int) -> Frame:
        """*block* with marks: 0 for the slate's id, two for each card, then one for each reason."""
        marks = [f"{MARK}x{2 * place + 1}y" for place in range(len(positions))]
        html = {mark: Markup(f"{MARK}x{2 * place + 2}y") for place, mark in enumerate(marks)}  # noqa: S704
        after = 2 * len(positions) + 1
        marked = msgspec.structs.replace(
            block,
            recommendation_id=f"{MARK}x0y",
            cards=tuple(_marked(mark, position) for mark, position in zip(marks, positions, strict=True)),
            reasons=tuple(f"{MARK}x{after + place}y" for place in range(len(block.reasons))),
        )
        variables: Mapping[str, Any] = {
            "block": marked, "words": self._words, "heading_level": heading_level, "card_html": html,
        }  # fmt: skip
        return Frame(environment.get_template("mtp/block.html").render(variables).strip())


def _marked(mark: str, position: int) -> Card:
    return Card(
        product_id=mark, position=position, title="", brand="", url="", image="", price=None, sale_price=None,
        currency="", rating=None, rating_count=0, badge="", reasons=(),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _escaped(text: str) -> str:
    return str(escape(text))

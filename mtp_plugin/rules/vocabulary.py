"""Which facts there are, what they can be, and how people say them: for editors, checks and summaries."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ..errors import ConditionError
from .schedule import WEEKDAYS
from .tree import leaves, parse


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact. ``kind`` is ``text``, ``number``, ``yes-no`` or ``list``; ``values`` are all that it can be, if few.

    A ``family`` has one more step in its path: any name (``profile.brand.Acme``). ``said`` is how a sentence names it,
    empty for its path.
    """

    path: str
    kind: str
    help: str
    values: tuple[str, ...] = ()
    unit: str = ""
    family: bool = False
    said: str = ""


def _text(path: str, help: str, values: Iterable[str] = (), **more: Any) -> Fact:
    return Fact(path=path, kind="text", help=help, values=tuple(values), **more)


def _number(path: str, help: str, **more: Any) -> Fact:
    return Fact(path=path, kind="number", help=help, **more)


def _flag(path: str, help: str, **more: Any) -> Fact:
    return Fact(path=path, kind="yes-no", help=help, **more)


def _list(path: str, help: str, **more: Any) -> Fact:
    return Fact(path=path, kind="list", help=help, **more)


FACTS: tuple[Fact, ...] = (
    _text("segment.id", "Id of the visitor's segment.", said="the segment's id"),
    _text("segment.name", "Its name.", said="the segment"),
    _number("segment.confidence", "How sure the membership is.", unit="0 to 1", said="the segment's confidence"),
    _text("segment.kind", "Found by clustering, or written by hand.", ("found", "written")),
    _text("segment.parent_id", "The coarser segment that it lies in."),
    Fact(path="segment.attributes", kind="text", help="What its visitors have in common, by name.", family=True),
    _text("context.device", "What the visitor holds.", ("mobile", "tablet", "desktop", "tv"), said="the device"),
    _text("context.os", "Family of the operating system, such as ios."),
    _text("context.browser", "Family of the browser, such as safari."),
    _text(
        "context.daypart",
        "Time of day at the visitor's.",
        ("night", "morning", "afternoon", "evening"),
        said="the time of day",
    ),
    _text("context.weekday", "Day of the week at the visitor's.", WEEKDAYS, said="the day"),
    _number("context.hour", "Hour of the day at the visitor's.", unit="0 to 23", said="the hour"),
    _flag("context.commuting", "It is commuting hours at the visitor's.", said="it is commuting hours"),
    _flag("context.urban", "The visitor is in a city.", said="the visitor is in a city"),
    _text("context.country", "ISO 3166 code.", said="the country"),
    _text("context.region", "Code within the country.", said="the region"),
    _text("context.city", "City.", said="the city"),
    _text("context.locale", "Language that the browser likes best.", said="the language"),
    _text("context.time_zone", "IANA name of the visitor's time zone."),
    _text("context.weather", "Weather at the visitor's.", said="the weather"),
    _number("context.temperature", "Temperature at the visitor's.", unit="°C", said="the temperature"),
    _text("context.page_type", "Kind of the page, such as home, product or cart.", said="the page"),
    _text("context.category", "Category in view, its path joined by ' > '.", said="the category in view"),
    _text("context.query", "What was searched for.", said="the search"),
    _text("context.referrer", "Host of the page before.", said="the page before"),
    _text("context.source", "What led here (utm_source).", said="the source"),
    _text("context.medium", "Kind of what led here (utm_medium).", said="the medium"),
    _text("context.campaign", "Campaign that led here (utm_campaign).", said="the campaign"),
    Fact(path="context.extra", kind="text", help="What the shop's own enrichers add.", family=True),
    _number("context.cart.count", "Products in the cart.", said="the number of products in the cart"),
    _number("context.cart.value", "What they cost now.", unit="money", said="the worth of the cart"),
    _list("context.cart.product_ids", "Their ids.", said="the cart"),
    _list("context.cart.categories", "Names of their categories, broad and narrow.", said="the categories in the cart"),
    _flag("profile.returning", "The visitor was here before.", said="the visitor returns"),
    _flag("profile.customer", "The visitor has bought before.", said="the visitor is a customer"),
    _flag(
        "profile.discount_seeker",
        "At least half of what the visitor acts on is on sale.",
        said="the visitor seeks discounts",
    ),
    _text("product.product_id", "The product in view: all facts of a product.", said="the product in view"),
    _text("product.title", "Its title."),
    _text("product.brand", "Its brand.", said="the brand in view"),
    _list("product.category", "Its category path as a list.", said="the categories of the product in view"),
    _text("product.category_path", "The same as text."),
    _list("product.tags", "Its tags.", said="the tags of the product in view"),
    _text("product.style", "Its style."),
    _list("product.colors", "Its colours."),
    _number("product.price", "What it costs now.", unit="money", said="the price of the product in view"),
    _number("product.list_price", "Without the sale.", unit="money"),
    _number("product.sale_price", "With the sale.", unit="money"),
    _flag("product.on_sale", "It is on sale now.", said="the product in view is on sale"),
    _text("product.currency", "Its currency."),
    _flag("product.in_stock", "There is some of it."),
    _number("product.stock", "Pieces."),
    _number("product.margin", "Share of the price that is earned.", unit="0 to 1"),
    _number("product.rating", "Its rating."),
    _number("product.created", "Seconds since 1970."),
    Fact(path="product.attributes", kind="text", help="The shop's own fields.", family=True),
    Fact(path="experiment", kind="number", help="The variation that the visitor is in, by experiment.", family=True),
)
"""All facts but the features of profiles, which :mod:`mtp_plugin.profile.features` has."""

OF_PRODUCTS = tuple(
    msgspec.structs.replace(fact, path=fact.path.removeprefix("product."), said="")
    for fact in FACTS
    if fact.path.startswith("product.")
)
"""What ``where`` can say of a product."""


class Vocabulary:
    """The facts of one shop.

    :param facts: further ones, such as the features of profiles
    """

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.facts = (*FACTS, *facts)
        self._known = {fact.path: fact for fact in self.facts}

    def find(self, path: str) -> Fact | None:
        """The fact of a dotted path, ``None`` when there is none; steps below a family are its own."""
        return _find(self._known, path)

    def check(self, when: Mapping[str, Any], at: str = "when") -> None:
        """Refuse a condition that asks for a fact that does not exist.

        :raises ConditionError: with the nearest that does
        """
        _check(self._known, when, at)


def check_where(where: Mapping[str, Any], at: str = "where") -> None:
    """Refuse a condition on products that asks for a field that they do not have.

    :raises ConditionError: with the nearest that they have
    """
    _check({fact.path: fact for fact in OF_PRODUCTS}, where, at)


def _check(known: Mapping[str, Fact], condition: Mapping[str, Any], at: str) -> None:
    for leaf in leaves(parse(condition)):
        if _find(known, leaf.path) is None:
            near = difflib.get_close_matches(leaf.path, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"[:600]
            raise ConditionError(f"there is no fact {leaf.path[:80]!r}{hint}", field=f"{at}.{leaf.path}"[:200])


def _find(known: Mapping[str, Fact], path: str) -> Fact | None:
    found = known.get(path)
    if found is not None:
        return found
    parts = path.split(".")
    for end in range(len(parts) - 1, 0, -1):
        above = known.get(".".join(parts[:end]))
        if above is not None:
            return above if above.family or (above.kind == "list" and parts[end].isdecimal()) else None
    return None

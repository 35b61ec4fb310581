"""A page of the shop as a shopper sees it: what its HTML says, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from selectolax.lexbor import LexborHTMLParser, LexborNode

LISTS = "[data-mtp-slate], [data-mtp-list]"


@dataclass(frozen=True, slots=True)
class Card:
    """A product in a list; ``position`` counts from 1."""

    product_id: str
    position: int
    url: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Products that stand together: a block of the plugin (with its ``slate``) or a list of the shop's own."""

    name: str
    slate: str
    strategy: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """What a form sends when nobody changes it."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a product's page tells about it; ``words`` are its category, kind, style, maker, colours and uses."""

    product_id: str
    category: str
    price: float
    words: frozenset[str] = field(default=frozenset())


class Page:
    """One page.

    :param path: where it is
    """

    def __init__(self, html: str, path: str) -> None:
        self.path = path
        self._tree = LexborHTMLParser(html)

    @cached_property
    def shelves(self) -> tuple[Shelf, ...]:
        """The lists that say of themselves what stands where, from the top down."""
        return tuple(_shelf(node) for node in self._tree.css(LISTS))

    @property
    def products(self) -> tuple[str, ...]:
        """Addresses of the products that a list of the shop shows, in their order."""
        links = (node.attributes.get("href") or "" for node in self._tree.css("main a.cover"))
        return tuple(dict.fromkeys(link for link in links if link.startswith("/products/")))

    @property
    def pages(self) -> tuple[str, ...]:
        """Addresses of the other pages of a long list."""
        links = (node.attributes.get("href") or "" for node in self._tree.css("main a"))
        return tuple(dict.fromkeys(link for link in links if "page=" in link))

    @property
    def asks(self) -> Form | None:
        """The question for consent while it is open."""
        return self._form("form[data-mtp-consent]")

    @property
    def buy(self) -> Form | None:
        """What puts the product in view into the basket; nothing where it is sold out."""
        node = self._tree.css_first("form[data-mtp-add] [data-add]")
        return None if node is None or "disabled" in node.attributes else self._form("form[data-mtp-add]")

    @property
    def checkout(self) -> Form | None:
        """The order's form."""
        return self._form("main form.form")

    @property
    def facts(self) -> Facts | None:
        """The product in view."""
        view = self._tree.css_first("[data-mtp-product]")
        if view is None:
            return None
        crumbs = [node.attributes.get("href") or "" for node in self._tree.css(".crumbs a")]
        category = crumbs[-1].rsplit("/", 1)[-1] if crumbs else ""
        terms, meanings = (map(_text, self._tree.css(f"details.more {tag}")) for tag in ("dt", "dd"))
        told = dict(zip(terms, meanings, strict=False))
        words = {category, told.get("Kind", ""), told.get("Style", ""), _text(self._tree.css_first(".facts .brand"))}
        for name in ("Colours", "Good for"):
            words.update(word.strip() for word in told.get(name, "").split(","))
        return Facts(
            product_id=view.attributes.get("data-mtp-product") or "",
            category=category,
            price=float(view.attributes.get("data-mtp-price") or 0.0),
            words=frozenset(word.lower() for word in words if word),
        )

    @property
    def total(self) -> float:
        """What the order on this page comes to; 0 where there is none."""
        found = [_text(node) for node in self._tree.css("main .total .price")]
        return float(re.sub(r"[^\d.]", "", found[-1]) or 0.0) if found else 0.0

    def _form(self, selector: str) -> Form | None:
        node = self._tree.css_first(selector)
        return None if node is None else Form(node.attributes.get("action") or self.path, dict(_fields(node)))


def _shelf(node: LexborNode) -> Shelf:
    told = node.attributes
    cards = []
    for item in node.css("[data-mtp-item]"):
        link = item.css_first("a[href]")
        cards.append(
            Card(
                product_id=item.attributes.get("data-mtp-item") or "",
                position=int(item.attributes.get("data-mtp-position") or 0),
                url=(link.attributes.get("href") or "") if link else "",
            )
        )
    name = told.get("data-mtp-placement") or told.get("data-mtp-list") or ""
    return Shelf(name, told.get("data-mtp-slate") or "", told.get("data-mtp-strategy") or "", tuple(cards))


def _fields(form: LexborNode) -> list[tuple[str, str]]:
    found = []
    for node in form.css("input[name], select[name], textarea[name]"):
        told = node.attributes
        if told.get("type") in ("radio", "checkbox") and "checked" not in told:
            continue
        if node.tag == "select":
            option = node.css_first("option[selected]") or node.css_first("option")
            found.append((told["name"], _text(option)))
        else:
            found.append((told["name"], told.get("value") or ""))
    return [(name or "", value) for name, value in found]


def _text(node: LexborNode | None) -> str:
    return node.text(strip=True) if node is not None else ""

"""Filters and orders of a list of products; all of it is in the address, so it survives a reload and can be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from mtp_plugin.records import Product

PAGE = 24
FEW = 7
"""Options of a filter shown at once."""

PRICES = (
    ("Under €25", 0, 25),
    ("€25 to €75", 25, 75),
    ("€75 to €150", 75, 150),
    ("€150 to €300", 150, 300),
    ("€300 and more", 300, 1e9),
)

SORTS: Mapping[str, tuple[str, Callable[[Product, float], Any]]] = {
    "wanted": ("Most wanted", lambda p, now: (-p.rating_count * (p.rating or 0), p.product_id)),
    "new": ("Newest", lambda p, now: (-(p.created or 0), p.product_id)),
    "price": ("Price, low to high", lambda p, now: (p.effective_price(now) or 0, p.product_id)),
    "price-down": ("Price, high to low", lambda p, now: (-(p.effective_price(now) or 0), p.product_id)),
    "rating": ("Best rated", lambda p, now: (-(p.rating or 0), -p.rating_count, p.product_id)),
}

Values = Callable[[Product, float], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a filter, how many products it would leave, and whether it is chosen."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A filter of the page; ``name`` is its word in the address."""

    name: str
    title: str
    options: tuple[Option, ...]

    @property
    def first(self) -> tuple[Option, ...]:
        """The options to show at once: the chosen and the fullest."""
        return self.options if len(self.options) <= FEW + 2 else tuple(o for o in self.options if self._is_first(o))

    @property
    def rest(self) -> tuple[Option, ...]:
        """The others."""
        return tuple(option for option in self.options if option not in self.first)

    def _is_first(self, option: Option) -> bool:
        return option.chosen or option in self.options[:FEW]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of products with its filters."""

    products: tuple[Product, ...]
    total: int
    facets: tuple[Facet, ...]
    sort: str
    page: int
    pages: int
    chosen: tuple[tuple[str, str, str], ...]


def _price_band(product: Product, now: float) -> Iterable[str]:
    price = product.effective_price(now) or 0
    return (str(number) for number, (_, low, high) in enumerate(PRICES) if low <= price < high)


def _flags(product: Product, now: float) -> Iterable[str]:
    if product.on_sale(now):
        yield "sale"
    if product.in_stock:
        yield "stock"
    if "quick" in product.tags:
        yield "quick"


FACETS: tuple[tuple[str, str, Values], ...] = (
    ("kind", "Kind", lambda p, now: (p.category_path[1],)),
    ("show", "Show", _flags),
    ("price", "Price", _price_band),
    ("colour", "Colour", lambda p, now: p.colors),
    ("brand", "Maker", lambda p, now: (p.brand,)),
    ("style", "Style", lambda p, now: (p.style.capitalize(),)),
)
LABELS = {"sale": "On sale", "stock": "In stock", "quick": "Here tomorrow"}


def browse(products: Sequence[Product], arguments: MultiDict[str, str], now: float, default: str = "wanted") -> Listing:
    """One page of a list as the address asks for it; what it cannot mean is ignored.

    :param default: the order when the address says none; ``""`` keeps the order given
    """
    chosen = {name: set(arguments.getlist(name)) for name, _, _ in FACETS}
    facets = tuple(_facet(name, title, read, products, chosen, now) for name, title, read in FACETS)
    found = [product for product in products if _fits(product, chosen, now)]
    sort = arguments.get("sort", default)
    if sort in SORTS:
        found.sort(key=lambda product: SORTS[sort][1](product, now))
    pages = max(1, -(-len(found) // PAGE))
    page = min(pages, max(1, arguments.get("page", 1, type=int)))
    used = tuple(
        (facet.name, option.value, option.label) for facet in facets for option in facet.options if option.chosen
    )
    shown = tuple(facet for facet in facets if len(facet.options) > 1 or any(o.chosen for o in facet.options))
    return Listing(tuple(found[(page - 1) * PAGE : page * PAGE]), len(found), shown, sort, page, pages, used)


def _fits(product: Product, chosen: Mapping[str, set[str]], now: float, but: str = "") -> bool:
    for name, _, read in FACETS:
        if name == but or not chosen[name]:
            continue
        have = set(read(product, now))
        # Colours or makers widen the choice; "on sale" and "in stock" both have to hold.
        if not (chosen[name] <= have if name == "show" else chosen[name] & have):
            return False
    return True


def _facet(
    name: str, title: str, read: Values, products: Sequence[Product], chosen: Mapping[str, set[str]], now: float
) -> Facet:
    """Counts are those of the other filters: what choosing this one as well would show."""
    counts = Counter(
        value for product in products if _fits(product, chosen, now, but=name) for value in read(product, now)
    )
    values = set(counts) | {v for product in products for v in read(product, now) if v in chosen[name]}
    order = sorted(values)
    if name not in ("price", "style"):
        order.sort(key=lambda value: -counts[value])
    return Facet(name, title, tuple(Option(v, _label(name, v), counts[v], v in chosen[name]) for v in order))


def _label(name: str, value: str) -> str:
    return PRICES[int(value)][0] if name == "price" else LABELS.get(value, value)

"""Everything that one running shop holds: catalogue, books, search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from flask import current_app

from mtp_plugin.records import Product, Variant

from .catalogue import Catalogue, build_catalogue
from .ledger import Ledger
from .search import Search

EXTENSION = "tarn"


@dataclass(frozen=True, slots=True, eq=False)
class Shop:
    """The shop; one an application."""

    catalogue: Catalogue
    ledger: Ledger
    search: Search

    @classmethod
    def open(cls, ledger: Ledger, now: float) -> Shop:
        """Open the doors on the day of *now* (seconds since 1970)."""
        catalogue = build_catalogue(now)
        return cls(catalogue, ledger, Search(catalogue.products.values()))

    def products(self) -> Iterable[Product]:
        """All products, for the plugin to import."""
        return self.catalogue.products.values()

    def availability(self, product_ids: Sequence[str]) -> Mapping[str, bool]:
        """Whether any variant of each product is left, in one query."""
        known = [self.catalogue.products[name] for name in product_ids if name in self.catalogue.products]
        sold = self.ledger.sold([product.product_id for product in known])
        return {product.product_id: any(_left(variant, sold) > 0 for variant in product.variants) for product in known}

    def stock(self, product: Product) -> dict[str, int]:
        """Pieces left by variant id."""
        sold = self.ledger.sold([product.product_id])
        return {variant.variant_id: _left(variant, sold) for variant in product.variants}


def current_shop() -> Shop:
    """The shop of the current application."""
    return cast(Shop, current_app.extensions[EXTENSION])


def variant_of(product: Product, variant_id: str) -> Variant | None:
    """The variant of this id."""
    return next((variant for variant in product.variants if variant.variant_id == variant_id), None)


def variant_price(product: Product, variant: Variant, now: float) -> float:
    """What a variant costs at *now*: a sale takes as much off every size."""
    price = variant.price or product.price or 0.0
    if not product.on_sale(now) or not product.price or product.sale_price is None:
        return price
    return price if price == 0 else round(price * product.sale_price / product.price)


def _left(variant: Variant, sold: Mapping[str, int]) -> int:
    return max(0, (variant.stock or 0) - sold.get(variant.variant_id, 0))

"""Products in a dictionary."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from ...records import ImportResult, Product


class MemoryCatalog:
    """Implements :class:`mtp_plugin.ports.CatalogStore`."""

    def __init__(self, products: Iterable[Product] = ()) -> None:
        self._lock = threading.Lock()
        self._products: dict[str, Product] = {}
        self._version = 0
        self.import_products(products, hide_missing=False)

    def version(self) -> int:
        return self._version

    def import_products(self, products: Iterable[Product], *, hide_missing: bool) -> ImportResult:
        given = {product.product_id: product for product in products}
        with self._lock:
            before = self._products
            added = sum(name not in before for name in given)
            updated = sum(name in before and before[name] != product for name, product in given.items())
            gone = [p for name, p in before.items() if not p.hidden and name not in given] if hide_missing else []
            hidden = {p.product_id: msgspec.structs.replace(p, hidden=True) for p in gone}
            self._products = {**before, **given, **hidden}
            self._version += bool(added or updated or hidden)
        unchanged = len(given) - added - updated
        return ImportResult(added=added, updated=updated, unchanged=unchanged, hidden=len(hidden))

    def products(self) -> Iterator[Product]:
        return iter([product for _, product in sorted(self._products.items())])

    def get(self, product_ids: Sequence[str]) -> dict[str, Product]:
        return {name: self._products[name] for name in product_ids if name in self._products}

    def availability(self, product_ids: Sequence[str]) -> dict[str, bool]:
        found = self.get(product_ids)
        return {name: name in found and not found[name].hidden and found[name].in_stock for name in product_ids}

    def set_stock(self, stock: Mapping[str, int | None]) -> int:
        with self._lock:
            known = {name: self._products[name] for name in stock if name in self._products}
            changed = {
                name: msgspec.structs.replace(product, stock=stock[name])
                for name, product in known.items()
                if product.stock != stock[name]
            }
            self._products = {**self._products, **changed}
            self._version += bool(changed)
        return len(known)

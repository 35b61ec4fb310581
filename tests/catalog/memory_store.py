"""A catalogue store in a dictionary, as far as importing goes: enough to see what an import would do to a real one."""

from __future__ import annotations

import msgspec

from mtp_plugin.records import ImportResult


class MemoryStore:
    def __init__(self):
        self.held = {}
        self.calls = 0

    def import_products(self, products, *, hide_missing):
        self.calls += 1
        counts = {"added": 0, "updated": 0, "unchanged": 0, "hidden": 0}
        given = {product.product_id: product for product in products}
        for product_id, product in given.items():
            before = self.held.get(product_id)
            counts["added" if before is None else "unchanged" if before == product else "updated"] += 1
            self.held[product_id] = product
        for product_id in set(self.held) - set(given) if hide_missing else ():
            if not self.held[product_id].hidden:
                self.held[product_id] = msgspec.structs.replace(self.held[product_id], hidden=True)
                counts["hidden"] += 1
        return ImportResult(**counts)

    @property
    def visible(self):
        return sorted(product.product_id for product in self.held.values() if not product.hidden)

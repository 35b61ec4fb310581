"""Masks of the products that a request's ``filter`` lets through, remembered for a minute."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from .catalog.facts import product_facts
from .conditions import compile_condition
from .records import BoolArray, ProductTable

MINUTE = 60.0


class FilterMasks:
    """Evaluates a condition over the whole catalogue once, then answers from memory.

    Prices and sales change with time, so a mask is good for the minute it was made in.

    :param size: masks kept, the least recently used goes first
    """

    def __init__(self, size: int = 256) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        self._size = size
        self._masks: OrderedDict[tuple[bytes, int, int], BoolArray] = OrderedDict()
        self._lock = threading.Lock()

    def mask(self, condition: Mapping[str, Any], table: ProductTable, now: float) -> BoolArray:
        """Which rows of *table* meet *condition* at *now*, shape ``(len(table),)``, read-only.

        :raises mtp_plugin.errors.ConditionError: the condition is malformed
        """
        key = (msgspec.json.encode(condition, order="sorted"), table.version, int(now // MINUTE))
        with self._lock:
            found = self._masks.get(key)
            if found is not None:
                self._masks.move_to_end(key)
                return found
        made = self._make(condition, table, now)
        with self._lock:
            self._masks[key] = made
            while len(self._masks) > self._size:
                self._masks.popitem(last=False)
        return made

    @staticmethod
    def _make(condition: Mapping[str, Any], table: ProductTable, now: float) -> BoolArray:
        allowed = compile_condition(condition)
        mask = np.fromiter((allowed(product_facts(product, now)) for product in table.products), bool, len(table))
        mask.flags.writeable = False
        return mask

"""Masks of the products that a request's ``filter`` lets through, remembered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from .catalog.facts import FACTS_OF_TIME, PRIVATE_FACTS, product_facts
from .conditions import compile_condition
from .errors import ConditionError
from .records import BoolArray, ProductTable

MINUTE = 60.0
GROUPS = ("$and", "$or", "$nor", "$not")


class FilterMasks:
    """Evaluates a condition over the whole catalogue once, then answers from memory.

    A mask holds for a version of the catalogue; one that asks for prices or sales, which change with time, for the
    minute it was made in.

    :param size: masks kept, the least recently used goes first
    """

    def __init__(self, size: int = 256) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        self._size = size
        self._masks: OrderedDict[tuple[bytes, int, int], BoolArray] = OrderedDict()
        self._lock = threading.Lock()

    def mask(
        self, condition: Mapping[str, Any], table: ProductTable, now: float, *, private: bool = False
    ) -> BoolArray:
        """Which rows of *table* meet *condition* at *now*, shape ``(len(table),)``, read-only.

        :param private: the condition may ask for stock and margin
        :raises mtp_plugin.errors.ConditionError: the condition is malformed, or asks for what it may not
        """
        names = frozenset(_fields(condition))
        if not private and names & PRIVATE_FACTS:
            asked = min(names & PRIVATE_FACTS)
            raise ConditionError(f"{asked} is the shop's own business and cannot be filtered by", field=asked)
        moment = int(now // MINUTE) if names & FACTS_OF_TIME else -1
        key = (msgspec.json.encode(condition, order="sorted"), table.version, moment)
        with self._lock:
            found = self._masks.get(key)
            if found is not None:
                self._masks.move_to_end(key)
                return found
        made = _make(condition, names, table, now)
        with self._lock:
            self._masks[key] = made
            while len(self._masks) > self._size:
                self._masks.popitem(last=False)
        return made


def _make(condition: Mapping[str, Any], names: frozenset[str], table: ProductTable, now: float) -> BoolArray:
    allowed = compile_condition(condition)
    facts = (product_facts(product, now, names) for product in table.products)
    mask = np.fromiter(map(allowed, facts), bool, len(table))
    mask.flags.writeable = False
    return mask


def _fields(condition: Any) -> Iterator[str]:
    """The facts that a condition asks for; of a malformed one, as many as can be found."""
    if not isinstance(condition, Mapping):
        return
    for key, value in condition.items():
        if key in GROUPS:
            for part in value if isinstance(value, list) else [value]:
                yield from _fields(part)
        elif isinstance(key, str):
            yield key.partition(".")[0]

"""Masks of the products that a request's ``filter`` lets through, remembered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from .catalog.facts import FACTS_OF_TIME, PRIVATE_FACTS
from .columns import column_test
from .conditions import compile_condition
from .errors import ConditionError
from .records import BoolArray, ProductTable
from .rules.tree import All, Leaf, Node, Not, parse

MINUTE = 60.0
MOST_BYTES = 128_000_000
"""Of all masks together; anybody may send a filter, and with a million products each mask is a megabyte."""
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
        compile_condition(condition)
        return self._keep(key, self._made(parse(condition), table, now))

    def _keep(self, key: tuple[bytes, int, int], made: BoolArray) -> BoolArray:
        made.flags.writeable = False
        with self._lock:
            self._masks[key] = made
            while len(self._masks) > self._size or len(self._masks) * made.nbytes > MOST_BYTES:
                self._masks.popitem(last=False)
        return made

    def _made(self, tree: Node, table: ProductTable, now: float) -> BoolArray:
        """The tests of a condition joined, as a new array."""
        if isinstance(tree, Not):
            return ~self._made(tree.part, table, now)
        if isinstance(tree, Leaf):
            return self._leaf(tree, table, now).copy()
        every = isinstance(tree, All)
        joined: BoolArray = np.full(len(table), every, dtype=np.bool_)
        for part in tree.parts:
            joined = joined & self._made(part, table, now) if every else joined | self._made(part, table, now)
        return joined

    def _leaf(self, leaf: Leaf, table: ProductTable, now: float) -> BoolArray:
        """A test; one that asks for no fact of time is remembered by itself, so that the next minute need not ask."""
        if leaf.path.partition(".")[0] in FACTS_OF_TIME:
            return column_test(leaf, table, now)
        key = (msgspec.json.encode(leaf.spec, order="sorted"), table.version, -1)
        found = self._masks.get(key)
        return found if found is not None else self._keep(key, column_test(leaf, table, now))


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

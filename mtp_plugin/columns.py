"""Tests of one fact of products over the whole catalogue at once, from its arrays where it has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .catalog.facts import product_facts
from .conditions import compile_condition
from .records import BoolArray, FloatArray, ProductTable
from .rules.tree import Leaf

EXACT = 2**53
"""Up to here every whole number is a float of its own."""

COMPARE: Mapping[str, Callable[[FloatArray, float], BoolArray]] = {
    "$lt": lambda values, bound: values < bound,
    "$lte": lambda values, bound: values <= bound,
    "$gt": lambda values, bound: values > bound,
    "$gte": lambda values, bound: values >= bound,
}


def column_test(leaf: Leaf, table: ProductTable, now: float) -> BoolArray:
    """Which rows pass a test at *now*, as :func:`mtp_plugin.conditions.compile_condition` would say of each.

    :raises mtp_plugin.errors.ConditionError: it is malformed
    """
    numbers = _numbers(leaf.path, table, now)
    if numbers is not None and leaf.operator in COMPARE and _is_number(leaf.argument):
        return COMPARE[leaf.operator](np.nan_to_num(numbers, nan=0.0, posinf=np.inf, neginf=-np.inf), leaf.argument)
    if numbers is not None and leaf.operator == "$eq" and _is_number(leaf.argument):
        return np.asarray(numbers == leaf.argument)
    if numbers is not None and leaf.operator == "$exists" and isinstance(leaf.argument, bool):
        return np.asarray(np.isnan(numbers) != leaf.argument)
    if leaf.operator == "$eq" and isinstance(leaf.argument, bool) and leaf.path in ("on_sale", "in_stock"):
        held = table.on_sale(now) if leaf.path == "on_sale" else table.in_stock
        return np.asarray(held == leaf.argument)
    return _one_by_one(leaf, table, now)


def _numbers(path: str, table: ProductTable, now: float) -> FloatArray | None:
    """The column of a fact that is a number, NaN where it is missing."""
    if path == "price":
        return np.where(table.on_sale(now), table.sale_price, table.price)
    columns = {
        "list_price": table.price,
        "sale_price": table.sale_price,
        "margin": table.margin,
        "created": table.created,
    }
    return columns.get(path)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= EXACT


def _one_by_one(leaf: Leaf, table: ProductTable, now: float) -> BoolArray:
    allowed, names = compile_condition(leaf.spec), (leaf.path.partition(".")[0],)
    return np.fromiter((allowed(product_facts(product, now, names)) for product in table.products), bool, len(table))

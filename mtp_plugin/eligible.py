"""Which products a slate may hold at all, and where those of a request stand in the catalogue."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from .filters import FilterMasks
from .records import BoolArray, ConsentLevel, Placement, ProductTable, Profile, SlateRequest


def eligible_rows(
    placement: Placement, request: SlateRequest, profile: Profile | None, table: ProductTable, filters: FilterMasks
) -> BoolArray:
    """Mask over *table*: visible, in stock as far as is known, and not left out by request or placement.

    :raises mtp_plugin.errors.ConditionError: a malformed ``filter``, or one that asks for what it may not
    """
    eligible = table.open.copy()
    left_out = rows_of(table, request.exclude_ids)
    if request.consent_level is not ConsentLevel.NON_PERSONAL:
        left_out += rows_of(table, request.cart_ids)
    if profile is not None and not placement.allow_repeats:
        left_out += rows_of(table, [item.product_id for item in profile.recent])
    if placement.exclude_in_view:
        left_out += rows_of(table, request.product_ids)
    if left_out:
        eligible[np.array(left_out)] = False
    below = _below(table, request.context.category)
    if below is not None:
        eligible &= below
    if request.filter:
        eligible &= filters.mask(request.filter, table, request.now, private=request.private_facts)
    return eligible


def rows_of(table: ProductTable, product_ids: Collection[str]) -> tuple[int, ...]:
    """Rows of the products that the catalogue knows, in the order given."""
    find = table.index.get
    return tuple([row for product_id in product_ids if (row := find(product_id)) is not None]) if product_ids else ()


def category_of(table: ProductTable, category: str) -> int:
    """The code of a category that products stand in, -1 for any other."""
    try:
        return table.category_names.index(category) if category else -1
    except ValueError:
        return -1


def _below(table: ProductTable, category: str) -> BoolArray | None:
    """Which rows lie below a category that holds others, such as a department; ``None`` for any other."""
    if not category or category in table.category_names:
        return None
    inside = np.zeros(len(table.category_names) + 1, dtype=np.bool_)  # the last is code -1: no category
    inside[[code for code, name in enumerate(table.category_names) if name.startswith(f"{category} > ")]] = True
    return inside[table.category] if inside.any() else None

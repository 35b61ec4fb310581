"""Masks over the catalogue say what the condition says of each product."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.catalog.facts import product_facts
from mtp_plugin.catalog.table import build_table
from mtp_plugin.conditions import compile_condition
from mtp_plugin.filters import FilterMasks
from mtp_plugin.records import Product

NOW = 1_760_000_000.0
NUMBERS = st.one_of(st.none(), st.sampled_from([0.0, 5.0, 9.99, 20.0, 100.0]))
PRODUCTS = st.builds(
    Product,
    product_id=st.just(""),
    title=st.just("T"),
    brand=st.sampled_from(["", "Acme", "Brenn"]),
    tags=st.lists(st.sampled_from(["quick", "portable"]), max_size=2, unique=True).map(tuple),
    price=NUMBERS,
    sale_price=NUMBERS,
    sale_from=st.sampled_from([None, NOW - 5, NOW + 5]),
    sale_until=st.sampled_from([None, NOW - 1, NOW + 50]),
    stock=st.sampled_from([None, 0, 3]),
    margin=st.one_of(st.none(), st.sampled_from([0.0, 0.5])),
)
BOUNDS = st.sampled_from([0, 5, 9.99, 20, -1, 1e300, 2**60])
SIZES = st.builds(
    lambda name, test, bound: {name: {test: bound}},
    st.sampled_from(["price", "list_price", "sale_price", "margin", "created", "stock"]),
    st.sampled_from(["$lt", "$lte", "$gt", "$gte", "$eq", "$ne"]),
    BOUNDS,
)
OTHERS = st.sampled_from(
    [
        {"on_sale": True},
        {"on_sale": {"$ne": True}},
        {"in_stock": False},
        {"price": {"$exists": False}},
        {"margin": {"$exists": True}},
        {"tags": {"$in": ["quick"]}},
        {"tags": {"$size": 2}},
        {"brand": "Acme"},
        {"brand": {"$nin": ["Acme"]}},
        {"price": {"$in": [5, None]}},
        {"price": None},
        {"price": "5"},
        {},
    ]
)
CONDITIONS = st.recursive(
    st.one_of(SIZES, OTHERS),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"$and": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"$or": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"$nor": parts}, st.lists(inner, max_size=2)),
        st.builds(lambda part: {"$not": part}, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=120, deadline=None)
@given(st.lists(PRODUCTS, min_size=1, max_size=8), st.lists(CONDITIONS, min_size=1, max_size=5))
def test_a_mask_is_what_the_condition_says_of_each(products: list[Product], conditions: list[dict[str, Any]]) -> None:
    table = build_table([msgspec.structs.replace(p, product_id=f"p{n}") for n, p in enumerate(products)], 1)
    masks = FilterMasks(4)
    for condition in conditions:
        said = compile_condition(condition)
        expected = [said(product_facts(product, NOW)) for product in table.products]
        for _ in range(2):
            assert masks.mask(condition, table, NOW, private=True).tolist() == expected

"""The catalogue as arrays, and the facts that conditions see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.catalog.facts import FACT_NAMES, product_facts
from mtp_plugin.catalog.table import MIN_FOR_QUARTILES, build_table
from mtp_plugin.conditions import compile_condition
from mtp_plugin.records import PRICE_TIERS, Product

PRODUCTS = st.builds(
    Product,
    product_id=st.sampled_from([f"p{i}" for i in range(30)]),
    title=st.just("x"),
    brand=st.sampled_from(["", "A", "B"]),
    category_path=st.sampled_from([(), ("X",), ("X", "Y"), ("Z",)]),
    price=st.none() | st.floats(0, 1e6),
    sale_price=st.none() | st.floats(0, 1e6),
    sale_from=st.none() | st.floats(0, 100),
    sale_until=st.none() | st.floats(0, 100),
    stock=st.none() | st.integers(0, 3),
    hidden=st.booleans(),
)


@given(st.lists(PRODUCTS, max_size=40), st.floats(0, 100))
def test_every_row_says_what_its_product_says(products, now):
    table = build_table(products, 7)
    assert table.version == 7
    assert set(table.index) == {product.product_id for product in products}
    on_sale = table.on_sale(now)
    for row, product in enumerate(table.products):
        assert table.index[product.product_id] == row
        assert table.visible[row] == (not product.hidden)
        assert table.in_stock[row] == product.in_stock
        assert on_sale[row] == product.on_sale(now)
        assert (table.category_names[table.category[row]] if table.category[row] >= 0 else "") == product.category
        assert (table.brand_names[table.brand[row]] if table.brand[row] >= 0 else "") == product.brand
        assert (table.tier[row] < 0) == (product.price is None)


@given(st.lists(st.floats(0, 1e6), min_size=MIN_FOR_QUARTILES, max_size=60))
def test_tiers_rise_with_the_price(prices):
    table = build_table([Product(product_id=str(i), title="x", price=p) for i, p in enumerate(prices)], 1)
    order = np.argsort(prices, kind="stable")
    assert (np.diff(table.tier[order]) >= 0).all()


def test_tiers_are_quartiles_within_the_top_category():
    cheap = [Product(product_id=f"c{i}", title="x", price=1.0 + i, category_path=("Cards",)) for i in range(8)]
    dear = [Product(product_id=f"d{i}", title="x", price=1000.0 + i, category_path=("Desks", "Oak")) for i in range(8)]
    table = build_table(cheap + dear, 1)
    assert table.tier.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] * 2
    assert table.facts("d7", 0.0).price_tier == PRICE_TIERS[3]


def test_a_small_category_is_cut_with_all_others():
    many = [Product(product_id=str(i), title="x", price=float(i), category_path=("Many",)) for i in range(40)]
    table = build_table([*many, Product(product_id="few", title="x", price=39.0, category_path=("Few",))], 1)
    assert table.tier[-1] == 3


def test_of_a_repeated_id_the_last_counts():
    table = build_table([Product(product_id="a", title="old"), Product(product_id="a", title="new")], 1)
    assert [product.title for product in table.products] == ["new"]


def test_an_empty_catalogue_is_a_table_too():
    table = build_table([], 0)
    assert len(table) == 0
    assert table.on_sale(0.0).shape == (0,)
    assert table.facts("a", 0.0) is None


def test_arrays_are_read_only():
    table = build_table([Product(product_id="a", title="x")], 1)
    with pytest.raises(ValueError, match="read-only"):
        table.price[0] = 1.0


def test_facts_that_change_with_time_are_not_remembered():
    sale = {"price": 10.0, "sale_price": 8.0, "sale_from": 100.0, "sale_until": 200.0}
    table = build_table([Product(product_id="a", title="x", **sale), Product(product_id="b", title="y", price=5.0)], 1)
    assert [table.facts("a", now).on_sale for now in (0.0, 150.0, 250.0)] == [False, True, False]
    assert [table.facts("a", now).price for now in (150.0, 0.0)] == [8.0, 10.0]
    assert table.facts("b", 0.0) is table.facts("b", 150.0)


def test_facts_of_a_full_product():
    product = Product(
        product_id="a",
        title="Coat",
        brand="Fell",
        category_path=("Clothing", "Coats"),
        tags=("wool",),
        style="city",
        colors=("grey",),
        attributes={"fit": {"cut": "slim"}},
        price=100.0,
        sale_price=80.0,
        sale_until=50.0,
        currency="EUR",
        stock=3,
        margin=0.4,
        rating=4.5,
        created=1.0,
    )
    facts = product_facts(product, 10.0)
    assert tuple(facts) == FACT_NAMES
    assert (facts["price"], facts["list_price"], facts["on_sale"]) == (80.0, 100.0, True)
    assert (facts["category"], facts["category_path"]) == (["Clothing", "Coats"], "Clothing > Coats")
    later = product_facts(product, 50.0)
    assert (later["price"], later["on_sale"]) == (100.0, False)
    assert compile_condition({"attributes.fit.cut": "slim", "category": {"$in": ["Coats"]}})(facts)


def test_what_is_unknown_is_no_fact():
    facts = product_facts(Product(product_id="a", title="x"), 0.0)
    assert not {"brand", "price", "stock", "margin"} & set(facts)
    assert compile_condition({"brand": {"$exists": False}, "stock": None})(facts)

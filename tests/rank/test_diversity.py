"""Slates that do not say the same thing twice, and stay as they are where there is nothing to limit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.catalog.table import build_table
from mtp_plugin.rank.diversity import diversify as in_order
from mtp_plugin.rank.kernels import varied
from mtp_plugin.rank.titles import Titles
from mtp_plugin.records import Candidates, Product, ProductTable


def diversify(found: Candidates, table: ProductTable, size: int) -> list[int]:
    return in_order(found, table, Titles(table), size).tolist()


def candidates(n: int) -> Candidates:
    return Candidates(
        rows=np.arange(n, dtype=np.int32),
        scores=np.linspace(1, 0.1, n).astype(np.float32),
        origins=np.ones(n, dtype=np.int64),
        anchors=np.full(n, -1, dtype=np.int32),
    )


def shop(*products: tuple[str, str, str]) -> ProductTable:
    return build_table(
        [
            Product(product_id=str(n), title=title, brand=brand, category_path=(category,) if category else ())
            for n, (title, brand, category) in enumerate(products)
        ],
        1,
    )


@given(st.integers(0, 30), st.integers(1, 20))
def test_it_is_the_identity_without_titles_and_categories(n: int, size: int) -> None:
    table = shop(*[("", "", "")] * n)
    assert diversify(candidates(n), table, size) == list(range(min(n, size)))


def test_it_is_the_identity_within_one_category() -> None:
    table = shop(*[(f"word{n} other{n}", "b", "Lamps") for n in range(12)])
    assert diversify(candidates(12), table, 8) == list(range(8))


def test_variants_are_put_off() -> None:
    table = shop(
        ("Campus Tee red", "G", "T"),
        ("Campus Tee red S", "G", "T"),
        ("Oak Chair tall", "G", "T"),
        ("Wool Rug", "G", "T"),
    )
    assert diversify(candidates(4), table, 3) == [0, 2, 3]
    assert diversify(candidates(4), table, 4) == [0, 2, 3, 1]


def test_colours_make_variants() -> None:
    table = build_table(
        [
            Product(product_id="1", title="Linen shirt crimson", colors=("crimson",)),
            Product(product_id="2", title="Linen shirt navy blue", colors=("navy blue",)),
            Product(product_id="3", title="Straw hat", colors=()),
        ],
        1,
    )
    assert diversify(candidates(3), table, 2) == [0, 2]


def test_the_same_words_of_two_brands_are_two_products() -> None:
    table = shop(("Table lamp", "A", "L"), ("Table lamp", "B", "L"), ("Rug", "A", "L"))
    assert diversify(candidates(3), table, 2) == [0, 1]


def test_one_category_does_not_fill_the_slate() -> None:
    kinds = ["A"] * 10 + ["B"] * 5
    table = shop(*[(f"thing{n} piece{n}", "", kind) for n, kind in enumerate(kinds)])
    order = diversify(candidates(15), table, 6)
    assert [kinds[place] for place in order].count("A") == 5
    assert order == [0, 1, 2, 3, 4, 10]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["red cup", "blue cup", "oak chair", ""]), st.sampled_from("AB"), st.sampled_from("XY")
        )
    ),
    st.integers(1, 12),
)
def test_nothing_is_lost_or_shown_twice(products: list[tuple[str, str, str]], size: int) -> None:
    order = diversify(candidates(len(products)), shop(*products), size)
    assert len(order) == len(set(order)) == min(size, len(products))
    if products:
        assert order[0] == 0


def test_a_product_without_a_title_stands_behind_the_last_word() -> None:
    """Where memory for words is full to the brim there is no word at that place; compiled or not."""
    table = shop(("x " + " ".join(f"word{n}" for n in range(1023)), "", ""), ("", "", ""))
    titles = Titles(table)
    words = titles.read(np.array([0], dtype=np.int32))
    titles.read(np.array([1], dtype=np.int32))
    assert titles.starts[1] == len(words)
    rows, category, brand = np.array([1, 0], dtype=np.int32), table.category, table.brand
    plain = getattr(varied, "py_func", varied)
    assert plain(rows, category, brand, titles.starts, titles.stops, words, 4, 9, 9, 0.75).tolist() == [0, 1]

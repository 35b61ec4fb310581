"""Conditions as rows of a form: nothing is lost on the way, and nothing breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.conditions import compile_condition
from mtp_plugin.web.admin.conditions_form import LISTS, Row, Rows, read, rows_of, sent_rows, spec_of, write
from mtp_plugin.web.admin.forms import Form

PLAIN = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6) | st.text(max_size=20)
PATHS = st.sampled_from(["segment.name", "context.device", "profile.orders", "tags", "price"])


def compared(plain: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    one = st.tuples(st.sampled_from(["$eq", "$ne"]), plain)
    order = st.tuples(st.sampled_from(["$gt", "$lte"]), st.floats(-100, 100) | st.integers(-9, 9))
    several = st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(plain, min_size=1, max_size=4))
    exists = st.tuples(st.just("$exists"), st.booleans())
    return st.one_of(one, order, several, exists).map(lambda pair: {pair[0]: pair[1]})


CONDITIONS = st.dictionaries(PATHS, compared(PLAIN), max_size=4)
ANY = st.recursive(
    st.dictionaries(st.text(max_size=6), PLAIN | compared(PLAIN), max_size=3),
    lambda inner: st.dictionaries(
        st.sampled_from(["$and", "$or", "$nor", "$not", "a.b", "$elemMatch"]), st.lists(inner, max_size=3) | inner,
        max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip


def sent(rows: Rows, prefix: str = "when") -> Form:
    """The form of these rows as a browser would send it."""
    values = {f"{prefix}.any": "any" if rows.any else "all"}
    for place, row in enumerate(rows.rows):
        values |= {f"{prefix}.{place}.{name}": getattr(row, name) for name in ("fact", "comparison", "value")}
    return Form(values)


@given(value=PLAIN)
def test_a_value_is_read_as_it_was_written(value: Any) -> None:
    again = read(write(value), "$eq")
    assert again == value
    assert type(again) is type(value)


@given(values=st.lists(PLAIN, min_size=1, max_size=5))
def test_so_is_a_list(values: list[Any]) -> None:
    assert read(", ".join(map(write, values)), LISTS[0]) == values


@given(spec=CONDITIONS, several=st.booleans())
def test_a_condition_comes_back_from_its_rows(spec: dict[str, Any], several: bool) -> None:
    if several and len(spec) > 1:
        spec = {"$or": [{name: value} for name, value in spec.items()]}
    rows = rows_of(spec)
    assert rows is not None
    form = sent(rows)
    again = spec_of(sent_rows(form, "when"), form, "when")
    assert form.errors == {}
    compile_condition(again)
    assert again == ({"$or": [short(part) for part in spec["$or"]]} if "$or" in spec else short(spec))


def short(spec: dict[str, Any]) -> dict[str, Any]:
    return {name: value["$eq"] if set(value) == {"$eq"} else value for name, value in spec.items()}


def test_two_comparisons_of_one_fact_are_both_kept() -> None:
    spec = {"price": {"$gte": 10, "$lt": 50}}
    rows = rows_of(spec)
    assert rows == Rows((Row("price", "$gte", "10"), Row("price", "$lt", "50")))
    form = sent(rows)
    assert spec_of(rows, form, "when") == spec
    twice = Rows((Row("tags", "$eq", "a"), Row("tags", "$eq", "b")))
    assert spec_of(twice, sent(twice), "when") == {"$and": [{"tags": "a"}, {"tags": "b"}]}


@pytest.mark.parametrize("spec", [{"$nor": [{"a": 1}]}, {"$not": {"a": 1}}, {"a": {"$elemMatch": {"b": 1}}},
                                  {"$or": [{"a": 1, "b": 2}]}, {"a": {"b": 1}}, {"a": [1]}])  # fmt: skip
def test_what_is_more_than_rows_says_so(spec: dict[str, Any]) -> None:
    assert rows_of(spec) is None


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (Row("a", "$magic", "1"), "when.0.comparison"),
        (Row("$where", "$eq", "1"), "when.0.fact"),
        (Row("a..b", "$eq", "1"), "when.0.fact"),
        (Row("a", "$eq", ""), "when.0.value"),
        (Row("a", "$regex", "("), "when.0.value"),
    ],
)
def test_an_error_names_its_field(row: Row, field: str) -> None:
    form = sent(Rows((row,)))
    spec_of(sent_rows(form, "when"), form, "when")
    assert list(form.errors) == [field]


@given(spec=ANY)
def test_anything_is_rows_or_is_not(spec: Any) -> None:
    rows = rows_of(spec)
    assert rows is None or isinstance(rows, Rows)

"""Both engines answer alike, whatever the rules and the facts; durable's traps stay closed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.rules.native_engine import NativeEngine

durable_engine = pytest.importorskip("mtp_plugin.rules.durable_engine", reason="durable-rules needs Python < 3.13")

NAMES = ("a", "b", "c.d", "c.e.0")
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, -0.5, 1.0, 1e300, 2**70]),
    st.sampled_from(["", "x", "y", "1", " 2 ", "ü\"'\\\n\x00", "xx"]),
)
VALUES = st.one_of(PLAIN, st.lists(PLAIN, max_size=3), st.dictionaries(st.sampled_from(["d", "e"]), PLAIN, max_size=2))
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.one_of(VALUES, st.sampled_from([float("nan"), float("inf")])),
        "b": VALUES,
        "c": st.one_of(VALUES, st.fixed_dictionaries({}, optional={"d": VALUES, "e": VALUES})),
    },
)
OPERATORS = st.one_of(
    st.builds(lambda value: {"$eq": value}, VALUES),
    st.builds(lambda value: {"$ne": value}, VALUES),
    st.builds(lambda name, value: {name: value}, st.sampled_from(["$lt", "$lte", "$gt", "$gte"]), PLAIN),
    st.builds(lambda name, some: {name: some}, st.sampled_from(["$in", "$nin"]), st.lists(VALUES, max_size=3)),
    st.builds(lambda value: {"$exists": value}, st.booleans()),
    st.builds(lambda value: {"$regex": value}, st.sampled_from(["x", "^$", "[0-9]"])),
    st.builds(lambda value: {"$size": value}, st.one_of(st.integers(0, 2), st.just({"$gt": 0}))),
    st.builds(lambda value: {"$type": value}, st.sampled_from(["string", "number", "array", "null"])),
    st.builds(lambda some: {"$all": some}, st.lists(PLAIN, max_size=2)),
    st.builds(lambda value: {"$elemMatch": {"$gt": value}}, st.integers(-2, 2)),
)
TESTS = st.recursive(OPERATORS, lambda inner: st.builds(lambda test: {"$not": test}, inner), max_leaves=2)
LEAVES = st.builds(lambda name, test: {name: test}, st.sampled_from(NAMES), st.one_of(TESTS, VALUES))
GROUPS = st.sampled_from(["$and", "$or", "$nor"])
CONDITIONS = st.recursive(
    st.one_of(LEAVES, st.just({})),
    lambda inner: st.one_of(
        st.builds(
            lambda name, some: {name: some}, st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, max_size=3)
        ),
        st.builds(lambda one: {"$not": one}, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=12), st.lists(FACTS, min_size=1, max_size=4))
def test_both_engines_agree(conditions: list[dict[str, Any]], worlds: list[dict[str, Any]]) -> None:
    native, durable = NativeEngine(conditions), durable_engine.DurableEngine(conditions)
    for facts in worlds:
        assert native.holding(facts) == durable.holding(facts)

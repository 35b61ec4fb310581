"""Laws that every condition keeps, on conditions and facts nobody thought of."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mtp_plugin.conditions import GROUPS, MAX_DEPTH, MAX_LIST, MAX_NODES, MAX_TEXT, OPERATORS, compile_condition
from mtp_plugin.errors import ConditionError

NAMES = st.sampled_from(["a", "b", "c.d", "tags", "tags.0"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, -1.5]),
    st.sampled_from(["", "a", "1", "é"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyd"), inner), max_leaves=4
)
FACTS = st.fixed_dictionaries(
    {}, optional={"a": VALUES, "b": VALUES, "c": VALUES, "tags": st.lists(VALUES, max_size=3)}
)

TESTS = st.recursive(
    st.one_of(
        VALUES,
        st.dictionaries(st.sampled_from(["$eq", "$ne"]), VALUES, min_size=1),
        st.dictionaries(st.sampled_from(["$lt", "$lte", "$gt", "$gte"]), SCALARS, min_size=1),
        st.dictionaries(st.sampled_from(["$in", "$nin", "$all"]), st.lists(VALUES, max_size=3), min_size=1),
        st.builds(lambda flag: {"$exists": flag}, st.booleans()),
        st.sampled_from([{"$regex": "^a"}, {"$regex": "."}, {"$type": "null"}, {"$size": 1}, {"$size": {"$gt": 0}}]),
    ),
    lambda inner: (
        st.builds(lambda test: {"$not": test}, inner) | st.builds(lambda test: {"$elemMatch": {"d": test}}, inner)
    ),
    max_leaves=3,
)
CONDITIONS = st.recursive(
    st.dictionaries(NAMES, TESTS, max_size=2),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"$and": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"$or": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"$nor": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"$not": part}, inner),
    ),
    max_leaves=4,
)
ANYTHING = st.recursive(
    st.one_of(SCALARS, st.floats(), st.text(max_size=5), st.binary(max_size=2), st.sampled_from(OPERATORS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from([*OPERATORS, *GROUPS, "a", "b.c", ""]) | st.text(max_size=3), inner, max_size=4
        ),
        st.dictionaries(st.integers(), inner, max_size=1),
    ),
    max_leaves=12,
)


def holds(condition, facts):
    try:
        return compile_condition(condition)(facts)
    except ConditionError as error:
        assume("levels deep" not in error.message)
        raise


@given(ANYTHING, st.dictionaries(st.text(max_size=2), ANYTHING, max_size=3))
def test_nothing_but_condition_errors(spec, facts):
    try:
        condition = compile_condition(spec)
    except ConditionError:
        return
    assert condition(facts) in (True, False)


@given(CONDITIONS, FACTS)
def test_made_conditions_are_taken_and_repeatable(condition, facts):
    first = holds(condition, facts)
    compiled = compile_condition(condition)
    assert compiled(facts) is compiled(facts) is first


@given(CONDITIONS, FACTS)
def test_not_is_its_own_inverse(condition, facts):
    assert holds({"$not": {"$not": condition}}, facts) is holds(condition, facts)


@given(NAMES, TESTS, FACTS)
def test_not_of_a_value_is_not_of_the_condition(name, test, facts):
    assert holds({name: {"$not": test}}, facts) is holds({"$not": {name: test}}, facts)


@given(st.lists(CONDITIONS, min_size=1, max_size=3), FACTS)
def test_de_morgan(parts, facts):
    each_not = [{"$not": part} for part in parts]
    assert holds({"$nor": parts}, facts) is holds({"$and": each_not}, facts)
    assert holds({"$not": {"$and": parts}}, facts) is holds({"$or": each_not}, facts)


@given(CONDITIONS, FACTS)
def test_fields_side_by_side_mean_and(condition, facts):
    assert holds(condition, facts) is holds({"$and": [{name: test} for name, test in condition.items()]}, facts)


@given(
    NAMES, st.lists(SCALARS, min_size=1, max_size=4), st.fixed_dictionaries({}, optional={"a": SCALARS, "b": SCALARS})
)
def test_in_is_any_of_equals(name, members, facts):
    assert holds({name: {"$in": members}}, facts) is holds({"$or": [{name: {"$eq": m}} for m in members]}, facts)


@given(NAMES, st.lists(VALUES, max_size=4), FACTS)
def test_nin_is_not_in_and_ne_is_not_eq(name, members, facts):
    assert holds({name: {"$nin": members}}, facts) is not holds({name: {"$in": members}}, facts)
    for member in members:
        assert holds({name: {"$ne": member}}, facts) is not holds({name: {"$eq": member}}, facts)


@given(NAMES, st.integers(-3, 3), st.fixed_dictionaries({"a": st.integers(-3, 3), "b": st.floats(-3, 3)}))
def test_comparisons_of_numbers_agree(name, limit, facts):
    assert holds({name: {"$lt": limit}}, facts) is not holds({name: {"$gte": limit}}, facts)
    assert holds({name: {"$gt": limit}}, facts) is not holds({name: {"$lte": limit}}, facts)


def nested(levels):
    condition = {"a": 1}
    for _ in range(levels):
        condition = {"$not": condition}
    return condition


@pytest.mark.parametrize(
    ("within", "beyond", "words"),
    [
        (nested(MAX_DEPTH - 2), nested(MAX_DEPTH + 1), "levels deep"),
        ({"a": {"$in": ["x"] * MAX_LIST}}, {"a": {"$in": ["x"] * (MAX_LIST + 1)}}, "members"),
        ({"$or": [{"a": i} for i in range(200)]}, {"$or": [{"a": i} for i in range(MAX_NODES)]}, "parts"),
        ({"a": "x" * MAX_TEXT}, {"a": "x" * (MAX_TEXT + 1)}, "characters"),
        ({"$or": [{"a": {"$regex": "x"}}] * 10}, {"$or": [{"a": {"$regex": "x"}}] * 11}, "patterns"),
        ({"a": {"$regex": "x" * 150}}, {"a": {"$regex": "x" * 201}}, "characters"),
    ],
)
def test_limits(within, beyond, words):
    compile_condition(within)
    with pytest.raises(ConditionError, match=words):
        compile_condition(beyond)


def test_a_condition_as_deep_as_python_allows_is_refused_not_crashed():
    spec: object = {"a": 1}
    for _ in range(5000):
        spec = {"$not": spec}
    with pytest.raises(ConditionError, match="levels deep"):
        compile_condition(spec)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_are_finite(number):
    with pytest.raises(ConditionError, match="finite"):
        compile_condition({"a": {"$gt": number}})

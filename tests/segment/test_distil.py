"""A distilled rule does what is printed under it, on visitors who had no part in finding it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mtp_plugin.conditions import compile_condition
from mtp_plugin.segment.learn.distil import DECIMALS, MAX_CONDITIONS, Rule, distil, halves

NAMES = ("orders", "margin_affinity", "category.Watches", "category.Bags", "traits.plan=gold", "traits.club=true")
Values = NDArray[np.float32]


def facts(row: Values, names: tuple[str, ...] = NAMES) -> dict[str, Any]:
    """What a condition would read of a visitor with these features: unknown ones are missing, words are words."""
    profile: dict[str, Any] = {}
    for name, value in zip(names, map(float, row), strict=True):
        if np.isnan(value):
            continue
        path, is_word, word = name.partition("=")
        *above, last = path.split(".")
        place = profile
        for step in above:
            place = place.setdefault(step, {})
        said: Any = True if word == "true" else word
        if not is_word:
            place[last] = round(value, DECIMALS)
        elif value >= 1:
            place[last] = said
    return {"profile": profile}


def measured(rule: Rule, values: Values, mine: NDArray[np.bool_]) -> tuple[float, float]:
    condition = compile_condition(rule.condition)
    held = np.array([condition(facts(row)) for row in values], dtype=bool)
    both = int((held & mine).sum())
    return both / max(int(held.sum()), 1), both / max(int(mine.sum()), 1)


def shop(n: int, seed: int = 0) -> tuple[Values, NDArray[np.int32]]:
    """Three kinds of visitors, one of them only told by a word; a tenth of everything unknown."""
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, 3, n).astype(np.int32)
    values = np.zeros((n, len(NAMES)), dtype=np.float32)
    values[:, 0] = chance.poisson(np.choose(labels, [0.2, 5, 2]))
    values[:, 1] = chance.beta(np.choose(labels, [8, 2, 4]), np.choose(labels, [2, 8, 4]))
    values[:, 2] = chance.beta(np.choose(labels, [8, 1, 4]), 4)
    values[:, 3] = 1 - values[:, 2]
    values[:, 4] = labels == 2
    values[:, 5] = chance.random(n) < 0.5
    values[chance.random(values.shape) < 0.1] = np.nan
    return values, labels


def test_the_rule_alone_finds_held_out_visitors_as_printed() -> None:
    values, labels = shop(3000)
    rules = distil(NAMES, values, labels, 3, seed=1)
    _, judge = halves(len(values), 1)
    for segment, rule in enumerate(rules):
        assert measured(rule, values[judge], labels[judge] == segment) == (rule.precision, rule.recall)
        assert rule.precision > 0.75
        assert rule.recall > 0.75
        assert len(rule.condition) <= MAX_CONDITIONS
    assert rules[2].condition["profile.traits.plan"] == {"$in": ["gold"]}


def test_other_visitors_of_the_shop_are_found_as_well() -> None:
    """What is printed is no accident of the visitors it was counted on: others come from the same shop."""
    values, labels = shop(6000)
    others, theirs = shop(6000, seed=77)
    for segment, rule in enumerate(distil(NAMES, values, labels, 3, seed=0)):
        precision, recall = measured(rule, others, theirs == segment)
        # Each share has a standard error of at most .5 / sqrt(1000) = .016; five of the difference are .11.
        assert abs(precision - rule.precision) < 0.11
        assert abs(recall - rule.recall) < 0.11


@settings(max_examples=40)
@given(st.data())
def test_print_and_condition_always_agree(data: st.DataObject) -> None:
    n, count = data.draw(st.integers(0, 60)), data.draw(st.integers(1, 3))
    numbers = st.one_of(st.just(float("nan")), st.integers(-3, 30), st.floats(0, 1, width=32))
    columns = [data.draw(st.lists(numbers, min_size=n, max_size=n)) for _ in range(4)]
    words = [data.draw(st.lists(st.sampled_from([0.0, 1.0, float("nan")]), min_size=n, max_size=n)) for _ in range(2)]
    values = np.array([*columns, *words], dtype=np.float32).T.reshape(n, len(NAMES))
    labels = np.array(data.draw(st.lists(st.integers(-1, count - 1), min_size=n, max_size=n)), dtype=np.int32)
    _, judge = halves(n, 3)
    for segment, rule in enumerate(distil(NAMES, values, labels, count, seed=3)):
        assert measured(rule, values[judge], labels[judge] == segment) == (rule.precision, rule.recall)
        assert (rule.judged, rule.members) == (len(judge), int((labels[judge] == segment).sum()))


@pytest.mark.parametrize("fill", [0.0, 4.5, float("nan")])
def test_visitors_who_are_all_alike_have_a_rule_that_says_nothing(fill: float) -> None:
    values = np.full((100, len(NAMES)), fill, dtype=np.float32)
    (rule,) = distil(NAMES, values, np.zeros(100, dtype=np.int32), 1, seed=0)
    assert (rule.condition, rule.precision, rule.recall) == ({}, 1.0, 1.0)


def test_the_same_seed_gives_the_same_rules() -> None:
    values, labels = shop(500)
    assert distil(NAMES, values, labels, 3, seed=4) == distil(NAMES, values, labels, 3, seed=4)

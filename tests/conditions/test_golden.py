"""Conditions against cases that any language can read: what holds, and what is refused with which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mtp_plugin.conditions import GROUPS, OPERATORS, compile_condition
from mtp_plugin.errors import ConditionError

GOLDEN = Path(__file__).parents[1] / "golden" / "conditions"


def cases(name):
    rows = json.loads((GOLDEN / name).read_text(encoding="utf-8"))["cases"]
    return [pytest.param(*row[1:], id=row[0]) for row in rows]


@pytest.mark.parametrize(("condition", "facts", "holds"), cases("operators.json"))
def test_holds(condition, facts, holds):
    assert compile_condition(condition)(facts) is holds


@pytest.mark.parametrize(("condition", "field", "words"), cases("errors.json"))
def test_refused(condition, field, words):
    with pytest.raises(ConditionError) as caught:
        compile_condition(condition)
    assert caught.value.field == field
    assert words in caught.value.message


def test_every_operator_has_cases_for_both_answers():
    rows = json.loads((GOLDEN / "operators.json").read_text(encoding="utf-8"))["cases"]
    for operator in {*OPERATORS, *GROUPS}:
        answers = {holds for _, condition, _, holds in rows if f'"{operator}"' in json.dumps(condition)}
        assert answers == {True, False}, operator

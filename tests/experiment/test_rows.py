"""What a shop may say of an experiment, and who is assigned to what."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mtp_plugin.errors import SettingError
from mtp_plugin.experiment.rows import load_experiments

TWO = [{"name": "control"}, {"name": "new", "variables": {"percent": 5, "words": ["a", "b"]}}]


def test_a_row_has_what_it_needs() -> None:
    row = load_experiments({"offer": {"variations": TWO, "until": "2026-01-02", "since": "2026-01-01T12:00"}})["offer"]
    assert (row.key, row.names, row.shares, row.goal) == ("offer", ("control", "new"), (0.5, 0.5), "revenue")
    assert row.variations[1].variables == {"percent": 5, "words": ["a", "b"]}
    noon = 1767268800.0
    assert [row.state(noon + hours * 3600) for hours in (-1, 0, 11, 12)] == ["scheduled", "running", "running", "over"]
    assert row.runs(noon)
    assert not row.runs(noon - 1)


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"variations": TWO[:1]}, "name 2 to 16"),
        ({"variations": [TWO[0], TWO[0]]}, "a name of its own"),
        ({"variations": TWO, "weights": [0.5, 0.4]}, "adding up to 1"),
        ({"variations": TWO, "weights": [1.0]}, "one positive number a variation"),
        ({"variations": TWO, "coverage": 0}, "share above 0"),
        ({"variations": TWO, "namespace": ["home", 0.5, 0.5]}, "two shares"),
        ({"variations": TWO, "since": "tomorrow"}, "ISO date"),
        ({"variations": TWO, "since": "2026-02-01", "until": "2026-01-01"}, "end after it begins"),
        ({"variations": TWO, "matters": 0}, "such as 0.05"),
        ({"variations": TWO, "planned": -1}, "number of visitors"),
        ({"variations": TWO, "goals": "ctr"}, "did you mean goal"),
        ({"variations": TWO, "goal": "fame"}, "Invalid enum value"),
        ({"variations": TWO, "key": "x"}, "leave out key"),
        ({}, "variations"),
    ],
)
def test_what_cannot_work_is_refused_with_a_remedy(wrong: dict[str, Any], remedy: str) -> None:
    with pytest.raises(SettingError, match=remedy):
        load_experiments({"offer": wrong})


def test_assignment_is_sticky_divided_as_asked_and_kept_apart() -> None:
    rows = load_experiments(
        {
            "a": {"variations": TWO, "weights": [0.7, 0.3], "coverage": 0.5},
            "left": {"variations": TWO, "namespace": ["home", 0, 0.5]},
            "right": {"variations": TWO, "namespace": ["home", 0.5, 1]},
        }
    )
    units = [f"a:{number}" for number in range(20_000)]
    first = [rows["a"].of(unit) for unit in units]
    assert first == [rows["a"].of(unit) for unit in units]
    counts = Counter(first)
    # Standard errors of these shares are below 75 visitors; five of them.
    assert counts[-1] == pytest.approx(10_000, abs=375)
    assert counts[0] == pytest.approx(7_000, abs=375)
    assert counts[1] == pytest.approx(3_000, abs=375)
    both = [(rows["left"].of(unit) >= 0, rows["right"].of(unit) >= 0) for unit in units]
    assert all(left != right for left, right in both)
    assert rows["a"].of("") == -1


def test_factors_cross_and_ramps_let_nobody_change_sides() -> None:
    crossed = load_experiments({"both": {"factors": {"percent": [0, 5], "message": ["plain", "warm"]}}})["both"]
    assert crossed.names[0] == "percent 0, message plain"
    assert [one.variables for one in crossed.variations] == [
        {"percent": percent, "message": message} for percent in (0, 5) for message in ("plain", "warm")
    ]
    row = load_experiments({"slow": {"variations": TWO, "ramp": [["2026-01-01", 0.1], ["2026-01-08", 0.5]]}})["slow"]
    first, second = 1767225600.0, 1767225600.0 + 7 * 86400
    assert [row.covers(at) for at in (first - 1, first, second - 1, second)] == [0.0, 0.1, 0.1, 0.5]
    units = [f"a:{number}" for number in range(5000)]
    early, late = ([row.of(unit, at) for unit in units] for at in (first, second))
    assert {row.of(unit, first - 1) for unit in units} == {-1}
    assert all(before in (-1, after) for before, after in zip(early, late, strict=True))
    # A tenth and a half of 5,000, five standard errors of at most 36.
    assert sum(one >= 0 for one in early) == pytest.approx(500, abs=110)
    assert sum(one >= 0 for one in late) == pytest.approx(2500, abs=180)


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"factors": {"a": [1]}}, "two levels or more"),
        ({"factors": {"a": [1, 1]}}, "all different"),
        ({"factors": {"a": [1, 2]}, "variations": TWO}, "leave them out"),
        ({"factors": {"a": list(range(17))}}, "name 2 to 16"),
        ({"variations": TWO, "ramp": [["2026-01-08", 0.5], ["2026-01-01", 0.6]]}, "in their order"),
        ({"variations": TWO, "ramp": [["2026-01-01", 0.5], ["2026-01-08", 0.1]]}, "let shares grow"),
        ({"variations": TWO, "ramp": [["soon", 0.5]]}, "ISO date"),
    ],
)
def test_factors_and_ramps_that_cannot_work(wrong: dict[str, Any], remedy: str) -> None:
    with pytest.raises(SettingError, match=remedy):
        load_experiments({"offer": wrong})

"""Effects, their intervals, and verdicts: against an independent engine, as identities, and by simulation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.errors import InputError
from mtp_plugin.experiment.corrections import benjamini_hochberg, holm, shrunk
from mtp_plugin.experiment.crossing import cells
from mtp_plugin.experiment.effects import Effect, adjusted, arms, capped
from mtp_plugin.experiment.factorial import factor_effects
from mtp_plugin.experiment.planning import detectable, power_of, units_needed
from mtp_plugin.experiment.ratio_check import BROKEN, sample_ratio_p
from mtp_plugin.experiment.readings import belief, fixed, mixing, ratio_fixed, ratio_sequence, sequence
from mtp_plugin.experiment.result import Metric, analyse
from mtp_plugin.experiment.units import Sums, UnitTable

from .cases import generated

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/experiment/gbstats.json").read_text())
TUNED_AS_THERE = 5000


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: f"{case['kind']}-{case['seed']}")
def test_readings_agree_with_an_independent_engine(case: dict[str, Any]) -> None:
    """Its intervals go by Student's t, ours by the normal: at 4,000 units they differ by a 2,000th of their width.

    CUPED's slope is of all units there and of the deviations within variations here: a hundredth of the width.
    """
    variation, above, below, before = generated(case["kind"], case["seed"])
    sums = Sums(above, below, before if before.any() else None)
    effect = Effect(*arms(sums, variation, 2, cap=1.0))
    share = 0.01 if case["kind"] == "before" else 0.001
    close = share * (case["once"]["interval"][1] - case["once"]["interval"][0])
    assert [effect.control.units, effect.treatment.units] == case["units"]
    assert effect.lift == pytest.approx(case["lift"], abs=close)
    once = fixed(effect.lift, effect.lift_error)
    assert [once.low, once.high] == pytest.approx(case["once"]["interval"], abs=close)
    assert once.p == pytest.approx(case["once"]["p"], abs=5 * share)
    # As pages show it, which of a ratio is not symmetric.
    shown = effect.once()
    assert [shown.low, shown.high] == pytest.approx(case["once"]["interval"], abs=0.06 * close / share)
    always = sequence(effect.lift, effect.lift_error, effect.units, mixing(TUNED_AS_THERE))
    assert [always.low, always.high] == pytest.approx(case["always"]["interval"], abs=close)
    assert always.p == pytest.approx(case["always"]["p"], rel=50 * share, abs=share)
    believed = belief(effect.lift, effect.lift_error)
    assert believed.chance == pytest.approx(case["belief"]["chance"], abs=5 * share)
    assert [believed.low, believed.high] == pytest.approx(case["belief"]["interval"], abs=close)


UNITS = st.integers(40, 200)


@given(st.integers(0, 10_000), UNITS, st.floats(0.1, 50))
@settings(max_examples=50, deadline=None)
def test_swapping_variations_turns_the_difference_and_scaling_scales_it(seed: int, units: int, scale: float) -> None:
    dice = np.random.default_rng(seed)
    variation = np.arange(units) % 2
    sums = Sums(dice.gamma(1.0, 2.0, units), 1.0 + dice.poisson(2.0, units))
    effect = Effect(*arms(sums, variation, 2))
    turned = Effect(*arms(sums, 1 - variation, 2))
    assert turned.difference == pytest.approx(-effect.difference)
    assert turned.error == pytest.approx(effect.error)
    scaled = Effect(*arms(Sums(sums.above * scale, sums.below), variation, 2))
    assert scaled.difference == pytest.approx(effect.difference * scale, abs=1e-9)
    assert scaled.lift == pytest.approx(effect.lift, abs=1e-9)
    assert scaled.lift_error == pytest.approx(effect.lift_error)


def test_cuped_cuts_the_variance_as_its_correlation_promises() -> None:
    dice = np.random.default_rng(4)
    units = 40_000
    variation = np.arange(units) % 2
    before = dice.normal(0, 1, units)
    values = 5.0 + 0.7 * before + dice.normal(0, np.sqrt(1 - 0.49), units)
    plain = Effect(*arms(Sums(values, np.ones(units)), variation, 2, cap=1.0))
    with_before = Effect(*arms(Sums(values, np.ones(units), before), variation, 2, cap=1.0))
    # 1 - .7 squared = .51; a ratio of variances of 40,000 normal values has a standard error of about .005.
    assert (with_before.error / plain.error) ** 2 == pytest.approx(0.51, abs=0.02)
    unrelated = adjusted(values, dice.normal(0, 1, units), [variation == 0, variation == 1])
    assert unrelated.var() == pytest.approx(values.var(), rel=0.002)
    assert np.array_equal(adjusted(values, np.zeros(units), [variation == 0]), values)


def test_one_enormous_order_does_not_decide() -> None:
    values = np.concatenate((np.full(2000, 30.0), [1e6]))
    assert capped(values, 0.999).max() <= 30.0 + 1e-9
    assert capped(values, 1.0).max() == 1e6
    assert np.array_equal(capped(np.zeros(5), 0.9), np.zeros(5))


def test_a_sequence_holds_at_all_looks_where_a_single_interval_does_not() -> None:
    """400 tests without an effect, looked at on each of 20 days: the sequence errs in at most 5 % of them."""
    dice = np.random.default_rng(11)
    tests, days, a_day = 400, 20, 200
    drawn = dice.lognormal(0, 1, (tests, days, 2, a_day))
    sums, squares = drawn.sum(axis=3).cumsum(axis=1), (drawn**2).sum(axis=3).cumsum(axis=1)
    units = a_day * np.arange(1, days + 1)[None, :, None]
    means = sums / units
    errors = np.sqrt(((squares / units - means**2) / units).sum(axis=2))
    lifts = means[..., 1] - means[..., 0]
    rho2 = mixing(2 * days * a_day)
    ever = {"always": 0, "once": 0}
    for test in range(tests):
        looks = [(lifts[test, day], errors[test, day], 2 * (day + 1) * a_day) for day in range(days)]
        ever["always"] += any(one.above or one.below for one in (sequence(*look, rho2) for look in looks))
        ever["once"] += any(one.above or one.below for one in (fixed(*look[:2]) for look in looks))
    # If it errs in 5 %, more than 35 of 400 have a chance below .0005 (binomial).
    assert ever["always"] <= 35
    # Peeking twenty times is known to err in about a quarter: fewer than 60 of 400 would be odd.
    assert ever["once"] >= 60


def test_the_planner_gives_the_power_that_it_promises() -> None:
    units = units_needed(10.0, 100.0, 0.1)
    # The textbook: 16 s2 / d2 = 1,600, with 15.7 for 16.
    assert units == pytest.approx(1570, abs=2)
    assert power_of(10.0, 100.0, 0.1, units) == pytest.approx(0.8, abs=1e-3)
    assert detectable(10.0, 100.0, units) == pytest.approx(0.1, rel=1e-3)
    always = units_needed(10.0, 100.0, 0.1, always=True)
    assert units < always < 2.5 * units
    assert power_of(10.0, 100.0, 0.1, always, always=True) == pytest.approx(0.8, abs=1e-3)
    dice = np.random.default_rng(2)
    found = 0
    for _ in range(1000):
        control, treatment = dice.normal(10.0, 10.0, units), dice.normal(11.0, 10.0, units)
        error = np.hypot(control.std(ddof=1), treatment.std(ddof=1)) / np.sqrt(units)
        found += fixed(float(treatment.mean() - control.mean()), float(error)).above
    # Four standard errors of a share of .8 in 1,000 are .05.
    assert found / 1000 == pytest.approx(0.8, abs=0.05)
    with pytest.raises(ValueError, match="positive"):
        units_needed(0.0, 1.0, 0.1)


def test_a_wrong_division_is_found_and_a_right_one_is_not() -> None:
    dice = np.random.default_rng(6)
    skewed = dice.binomial(200_000, 0.51, 300)
    assert all(sample_ratio_p((int(n), 200_000 - int(n)), (0.5, 0.5)) < BROKEN for n in skewed)
    # Right divisions, looked at ten times as they grow: none of 300 may be called broken more than by .001 of chance.
    grown = dice.binomial(20_000, 0.5, (300, 10)).cumsum(axis=1)
    alarms = [
        any(sample_ratio_p((int(n), 20_000 * (k + 1) - int(n)), (0.5, 0.5)) < BROKEN for k, n in enumerate(row))
        for row in grown
    ]
    assert sum(alarms) <= 3
    assert sample_ratio_p((0, 0), (0.5, 0.5)) == 1.0
    assert sample_ratio_p((900, 100), (0.9, 0.1)) > 0.1


def test_corrections_for_many_comparisons() -> None:
    p_values = [0.01, 0.04, 0.03, 0.005]
    assert holm(p_values) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(p_values) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert holm([]) == benjamini_hochberg([]) == []


def test_parts_are_drawn_together_as_far_as_they_agree() -> None:
    alike = shrunk([0.05, 0.06, 0.04], [0.05, 0.05, 0.05])
    assert [one.effect for one in alike] == pytest.approx([0.05] * 3)
    assert all(one.weight == 0.0 for one in alike)
    apart = shrunk([0.5, -0.5, 0.0], [0.02, 0.02, 0.02])
    assert [one.effect for one in apart] == pytest.approx([0.5, -0.5, 0.0], abs=0.01)
    unsure = shrunk([0.5, -0.5, 0.4], [0.02, 0.02, 0.6])
    # The spread between parts is about .7 squared: of a part known to .6 just over half of its own effect is left.
    assert 0.5 < unsure[2].weight < 0.7
    assert 0.2 < unsure[2].effect < 0.3
    assert shrunk([0.3], [0.1])[0].effect == 0.3


METRICS = (Metric("revenue", "Revenue", money=True), Metric("latency", "Latency", better=-1))


def _table(effect: float, units: int = 20_000, *, slower: float = 0.0, share: float = 0.5, seed: int = 1) -> UnitTable:
    dice = np.random.default_rng(seed)
    variation = (dice.random(units) < share).astype(int)
    revenue = dice.gamma(2.0, 10.0, units) * (1 + effect * variation)
    latency = dice.gamma(4.0, 10.0, units) * (1 + slower * variation)
    ones = np.ones(units)
    return UnitTable(
        variation,
        ("before", "after"),
        {"revenue": Sums(revenue, ones), "latency": Sums(latency, ones)},
        labels={"segment": np.where(np.arange(units) % 3 == 0, "s1", "s2")},
    )


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (_table(0.1), "ship"),
        (_table(-0.1), "stop"),
        (_table(0.1, slower=0.2), "stop"),
        (_table(0.0, units=2000), "keep-running"),
        (_table(0.0, units=150), "keep-running"),
        (_table(0.1, share=0.45), "broken"),
        (_table(0.0, units=400_000, seed=3), "no-difference"),
    ],
)
def test_the_verdict(table: UnitTable, word: str) -> None:
    result = analyse(
        table, METRICS, goal="revenue", guardrails=("latency",), matters=0.03, started=1.0, now=101.0, part="segment"
    )
    assert result.verdict.word == word
    assert result.verdict.why
    if word == "ship":
        one = result.of("revenue", 1)
        assert result.verdict.variation == 1
        assert one.always.low < 0.1 < one.always.high
        assert one.once.low > one.always.low
        assert one.belief.chance > 0.99
        assert set(one.parts) == set(one.sure) == {"s1", "s2"}
        assert max(one.sure.values()) < 0.05
    if word == "stop":
        assert result.verdict.variation == 1
    if word == "keep-running" and len(table.variation) == 2000:
        assert result.verdict.until > 101.0


def test_a_table_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="one value a unit"):
        UnitTable(np.array([0, 1]), ("a", "b"), {"x": Sums(np.ones(2), np.ones(3))})
    with pytest.raises(InputError, match="no name"):
        UnitTable(np.array([0, 2]), ("a", "b"), {"x": Sums(np.ones(2), np.ones(2))})


FACTORS = {"percent": [0, 5, 10], "message": ["plain", "warm"]}


def _crossed(units: int, effect: dict[str, float], together: float, seed: int) -> UnitTable:
    """Visitors over all cells; effects multiply, and *together* comes on top where both are on."""
    combined, dice = cells(FACTORS), np.random.default_rng(seed)
    variation = dice.integers(0, len(combined), units)
    worth = np.array(
        [
            (1 + effect["percent"] * (cell["percent"] == 10)) * (1 + effect["message"] * (cell["message"] == "warm"))
            + together * (cell["percent"] == 10 and cell["message"] == "warm")
            for cell in combined
        ]
    )
    values = dice.gamma(2.0, 10.0, units) * worth[variation]
    return UnitTable(variation, tuple(map(str, combined)), {"revenue": Sums(values, np.ones(units))})


def test_main_effects_and_interactions_are_found_where_they_are() -> None:
    table = _crossed(60_000, {"percent": 0.2, "message": 0.1}, 0.3, seed=5)
    result = analyse(table, METRICS[:1], goal="revenue", factors=FACTORS, started=1.0, now=2.0)
    told = {(one.factors, one.levels): one for one in result.factors}
    assert len(told) == 3 + 2
    # Averaged over messages: (1.2 + 1.32 + .3) / (1 + 1.1) - 1; over levels: (1.1 + 1.1 + 1.62) / (1 + 1 + 1.2) - 1.
    for key, truth in (
        ((("percent",), (10,)), 2.82 / 2.1 - 1),
        ((("percent",), (5,)), 0.0),
        ((("message",), ("warm",)), 3.82 / 3.2 - 1),
        # 1.62 and 1 beside 1.2 and 1.1, as a share of the mean of these.
        ((("percent", "message"), (10, "warm")), (2.62 - 2.3) / 1.15),
        ((("percent", "message"), (5, "warm")), 0.0),
    ):
        one = told[key]
        assert one.always.low < truth < one.always.high, key
        assert (one.always.low > 0) == (truth > 0), key
        assert one.lift == pytest.approx(truth, abs=0.03), key


def test_a_factor_of_two_levels_is_the_plain_comparison() -> None:
    """With one factor a contrast is the difference of two variations, error and all."""
    dice = np.random.default_rng(8)
    variation, values = np.arange(4000) % 2, dice.gamma(2.0, 10.0, 4000)
    found = arms(Sums(values, np.ones(4000)), variation, 2)
    effect, rho2 = Effect(*found), mixing(4000)
    (one,) = factor_effects(found, {"percent": [0, 5]}, rho2)
    plain = effect.always(rho2)
    assert one.lift == pytest.approx(effect.lift)
    assert (one.always.low, one.always.high) == pytest.approx((plain.low, plain.high))
    nothing = factor_effects(arms(Sums(np.zeros(40), np.ones(40)), variation[:40], 2), {"a": [0, 1]}, rho2)
    assert np.isnan(nothing[0].lift)


@given(st.floats(0.1, 100), st.floats(0.01, 5), st.floats(0.1, 100), st.floats(0.01, 5), st.integers(100, 100_000))
@settings(deadline=None)
def test_a_relative_interval_excludes_no_effect_exactly_when_the_difference_does(
    upper: float, upper_error: float, lower: float, lower_error: float, units: int
) -> None:
    ends, rho2 = ((upper, upper_error), (lower, lower_error)), mixing(10_000)
    difference = upper - lower, float(np.hypot(upper_error, lower_error))
    for relative, absolute in (
        (ratio_sequence(*ends, units, rho2), sequence(*difference, units, rho2)),
        (ratio_fixed(*ends), fixed(*difference)),
    ):
        assert relative.p == absolute.p
        if not np.isfinite(relative.low):
            continue
        assert relative.low - 1e-9 <= upper / lower - 1 <= relative.high + 1e-9
        if min(abs(absolute.low), abs(absolute.high)) > 1e-6:  # not on the very edge
            assert (relative.above, relative.below) == (absolute.above, absolute.below)


def test_where_few_buy_a_single_interval_holds_the_truth() -> None:
    """4,000 tests without an effect of 2,000 visitors each, one in fifty orders: a normal interval around the ratio
    holds it in 92 %; if 94 % is the truth, fewer than 92.9 % have a chance of .002.
    """
    dice = np.random.default_rng(5)
    values = np.where(dice.random((4000, 2, 2000)) < 0.02, dice.lognormal(3.5, 1.0, (4000, 2, 2000)), 0.0)
    means, errors = values.mean(axis=2), values.std(axis=2, ddof=1) / 2000**0.5
    held = 0
    for mean, error in zip(means.tolist(), errors.tolist(), strict=True):
        one = ratio_fixed((mean[1], error[1]), (mean[0], error[0]))
        held += one.low <= 0 <= one.high
    assert held / 4000 >= 0.929


def test_where_few_buy_nothing_harmless_is_stopped() -> None:
    """200 tests without an effect, 13 daily looks each, as the job looks: one visitor in fifty orders, log-normally."""
    dice, stopped, shipped = np.random.default_rng(21), 0, 0
    variation, ones = np.arange(1400) % 2, np.ones(1400)
    for _ in range(200):
        revenue, words = np.where(dice.random(1400) < 0.02, dice.lognormal(3.5, 1.0, 1400), 0.0), set()
        for n in range(200, 1401, 100):
            table = UnitTable(variation[:n], ("a", "b"), {"revenue": Sums(revenue[:n], ones[:n])})
            words.add(analyse(table, METRICS[:1], goal="revenue", started=1.0, now=2.0).verdict.word)
        stopped, shipped = stopped + ("stop" in words), shipped + ("ship" in words)
    # If it erred in 5 % of tests, more than 20 of 200 would have a chance below .002.
    assert stopped + shipped <= 20


def test_what_was_stopped_neither_breaks_nor_hides_the_rest() -> None:
    dice, units = np.random.default_rng(4), 30_000
    variation = dice.integers(0, 3, units)
    keep = (variation != 1) | (np.arange(units) < units // 2)
    values = dice.gamma(2.0, 10.0, units) * np.array([1.0, 0.8, 0.8])[variation]
    table = UnitTable(variation[keep], ("a", "b", "c"), {"revenue": Sums(values[keep], np.ones(int(keep.sum())))})
    assert analyse(table, METRICS[:1], goal="revenue").verdict.word == "broken"
    verdict = analyse(table, METRICS[:1], goal="revenue", stopped={1}).verdict
    assert (verdict.word, verdict.variation) == ("stop", 2)
    assert analyse(table, METRICS[:1], goal="revenue", stopped={1, 2}).verdict.word == "no-difference"


def test_the_date_of_an_answer_lies_ahead() -> None:
    waiting = 0
    for seed in range(40):
        table = _table(0.02, units=20_000, seed=seed)
        verdict = analyse(table, METRICS[:1], goal="revenue", matters=0.05, started=1.0, now=101.0).verdict
        assert verdict.word != "keep-running" or verdict.until >= 101.0
        waiting += verdict.word == "keep-running"
    assert waiting >= 5

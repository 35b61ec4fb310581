"""Drops, spikes and gaps against the own season."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.config import Settings
from mtp_plugin.kpi.anomaly import SCALES, Kind, band, controlled, p_value, silent_since

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

WEEK = np.array([100.0, 110, 120, 130, 160, 60, 40])


def counts(weeks: int, seed: int = 1) -> tuple[np.ndarray, list[int]]:
    means = np.tile(WEEK, weeks)
    return np.random.default_rng(seed).poisson(means).astype(float), [day % 7 for day in range(7 * weeks)]


def test_a_quiet_series_is_scored_like_chance() -> None:
    """Of N(0, 1), 3.5 is passed once in 2,149; the baseline itself is uncertain, so the variance may reach 1.5."""
    values, slots = counts(200)
    score = band(values, slots).score[70:]
    assert 0.7 < np.std(score) < 1.25
    assert np.mean(np.abs(score) > 3.5) < 0.005
    assert abs(np.mean(score)) < 0.1


@pytest.mark.parametrize(("times", "sign"), [(0.5, -1), (1.6, 1)])
def test_drops_and_spikes_are_told_apart(times: float, sign: int) -> None:
    values, slots = counts(12)
    values[-1] = round(WEEK[6] * times * (0.5 if sign < 0 else 1.2))
    found = band(values, slots)
    assert found.score[-1] * sign > 3.5
    assert (values[-1] < found.low[-1]) if sign < 0 else (values[-1] > found.high[-1])


def test_a_sunday_is_compared_with_sundays() -> None:
    """Forty is a Sunday like any other, and a disaster on a Friday."""
    values, slots = counts(12)
    assert abs(band(values, slots).score[-1]) < 3.5
    values[-3] = 40  # a Friday
    assert band(values, slots).score[-3] < -6


def test_closed_days_are_left_out() -> None:
    values, slots = counts(12)
    values[6::7] = math.nan
    found = band(values, slots)
    assert np.isnan(found.score[6::7]).all()
    assert not np.isnan(found.score[-7:-1]).any()


def test_ratios_are_judged_by_their_denominators() -> None:
    """Two clicks of forty are nothing; two hundred of four thousand where there should be four hundred are."""
    chance, slots = np.random.default_rng(2), [day % 7 for day in range(84)]
    for trials, unusual in ((40, False), (4000, True)):
        of = np.full(84, float(trials))
        values = chance.binomial(trials, 0.1, 84) / trials
        values[-1] = 0.05
        score = band(values, slots, kind="ratio", trials=of).score[-1]
        assert bool(score < -3.5) == unusual
    few = band([0.1] * 84, slots, kind="ratio", trials=[5.0] * 84)
    assert np.isnan(few.score).all()


def test_more_clicks_than_blocks_are_a_high_share_and_no_error() -> None:
    slots = [day % 7 for day in range(84)]
    values = np.full(84, 0.4)
    values[-1], values[-40] = 1.3, -0.2
    found = band(values, slots, kind="ratio", trials=np.full(84, 50.0))
    assert found.score[-1] > 3.5
    values[-1] = 1.0
    assert band(values, slots, kind="ratio", trials=np.full(84, 50.0)).score[-1] == pytest.approx(found.score[-1])


def test_one_odd_day_moves_nothing_after_it() -> None:
    values, slots = counts(12)
    plain = band(values, slots).expected[-1]
    values[-8] = 0
    assert band(values, slots).expected[-1] == pytest.approx(plain, rel=0.05)


def test_silence() -> None:
    expected = np.full(30, 5.0)
    assert silent_since([5.0] * 30, expected) is None
    assert silent_since([5.0] * 27 + [0.0] * 3, expected) == 27  # fifteen expected: e^-15 is below one in a million
    assert silent_since([5.0] * 28 + [0.0] * 2, expected) is None
    assert silent_since([0.0] * 30, np.full(30, 0.01)) is None


def test_many_series_together() -> None:
    """At 200 series of noise one passes 2.8 now and then; together with the rate, hardly any is named."""
    chance = np.random.default_rng(3)
    noise = [controlled(chance.normal(size=200).tolist(), threshold=2.8) for _ in range(200)]
    # Each round names one falsely with probability at most 0.05; of 200 rounds 10 are expected, 3 sd more are 20.
    assert sum(map(bool, noise)) <= 20
    scores = [*chance.normal(size=198).tolist(), -6.0, math.nan]
    assert controlled(scores) == [198]


@given(st.floats(0, 1e6), st.sampled_from(sorted(SCALES)), st.integers(30, 10_000))
def test_scales_go_there_and_back(value: float, kind: Kind, trials: int) -> None:
    value = value / 1e6 if kind == "ratio" else value
    scale = SCALES[kind]
    assert scale.back(scale.to(value, trials), trials) == pytest.approx(value, rel=1e-6, abs=1e-6)


def test_the_p_value_is_the_normal_one() -> None:
    assert p_value(1.959964) == pytest.approx(0.05, rel=1e-5)


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        band([1.0, 2.0], [1])
    with pytest.raises(ValueError, match="trials"):
        band([0.1], [1], kind="ratio")


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("orders by day", Settings().alert_threshold_day),
        ("revenue by day", Settings().alert_threshold_day),
        ("orders by hour", Settings().alert_threshold),
        ("revenue by hour", Settings().alert_threshold),
    ],
)
def test_planted_drops_on_real_orders(name: str, threshold: float) -> None:
    """The defaults find nine of ten, at one false alarm of a drop a month; benchmarks/alerts.py has the whole curve."""
    folder = os.environ.get("MTP_TEST_DATA")
    if not folder:
        pytest.skip("MTP_TEST_DATA is not set")
    import alerts

    kind, values, slots, month = alerts.series(
        alerts.read(Path(folder) / "online_retail" / "online_retail.csv.gz")
    )[name]  # fmt: skip
    points = alerts.curve(kind, values, slots, month, alerts.WARM[name.split()[-1]], 100)["points"]
    here = next(one for one in points if one["threshold"] == threshold)
    assert here["found_within_a_step"] >= 0.9
    assert here["false_drops_a_month"] <= 1
    assert points[0]["false_alarms_a_month"] > points[-1]["false_alarms_a_month"]

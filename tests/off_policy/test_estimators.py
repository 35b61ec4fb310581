"""What must hold of the estimators whatever the log, and how often their intervals do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.bandit.off_policy import CellMeans, Log, Target, compare, mean_interval
from mtp_plugin.bandit.off_policy.estimators import cross_fitted, direct, doubly_robust, ips, snips, weights_of
from mtp_plugin.bandit.off_policy.intervals import totals
from mtp_plugin.errors import InputError

from .logs import World

NAMES = ("ips", "snips", "direct", "doubly-robust")


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Any log of a few actions in a few groups, with its own true propensities."""
    dice = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, actions, groups = draw(st.integers(2, 60)), draw(st.integers(2, 5)), draw(st.integers(1, 3))
    table = dice.dirichlet(np.ones(actions), groups) * 0.9 + 0.1 / actions
    group = dice.integers(0, groups, n)
    action = np.array([dice.choice(actions, p=table[one]) for one in group])
    positions = draw(st.integers(1, 3))
    return Log(
        dice.gamma(1, 1, n).round(3),
        table[group, action],
        action,
        actions,
        position=np.arange(n) % positions + 1,
        group=group,
        unit=np.arange(n) // positions,
        cluster=np.arange(n) // positions // 2,
    )


def some_target(log: Log, seed: int = 0) -> Target:
    return Target.dense(np.random.default_rng(seed).dirichlet(np.ones(log.n_actions), len(log)))


def itself(log: Log) -> np.ndarray:
    """Weights of the policy that served, as a target."""
    return np.ones(len(log))


@settings(max_examples=25, deadline=None)
@given(logs())
def test_the_policy_that_served_earns_what_it_earned(log: Log) -> None:
    weights, zero = itself(log), np.zeros(len(log))
    for values in (ips(log, weights), snips(log, weights), doubly_robust(log, weights, zero, zero)):
        assert values.sum() == pytest.approx(log.reward.sum())


@settings(max_examples=25, deadline=None)
@given(logs(), st.floats(-5, 5))
def test_snips_moves_with_a_shift_of_all_rewards(log: Log, shift: float) -> None:
    weights = weights_of(log, some_target(log))
    moved = Log(
        log.reward + shift, log.propensity, log.action, log.n_actions, log.position, log.group, log.unit, log.cluster
    )
    assert snips(moved, weights).sum() == pytest.approx(snips(log, weights).sum() + shift * len(log), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(logs())
def test_doubly_robust_without_a_model_is_ips(log: Log) -> None:
    weights, zero = weights_of(log, some_target(log)), np.zeros(len(log))
    assert doubly_robust(log, weights, zero, zero) == pytest.approx(ips(log, weights))


@settings(max_examples=25, deadline=None)
@given(logs())
def test_doubly_robust_with_a_perfect_model_is_that_model(log: Log) -> None:
    truth = np.random.default_rng(3).random((log.n_groups, log.n_actions))
    exact = Log(
        truth[log.group, log.action], log.propensity, log.action, log.n_actions, log.position, log.group, log.unit
    )
    target = some_target(log)
    expected = np.bincount(target.rows, target.probabilities * truth.ravel()[target.cells(log)], minlength=len(log))
    assert doubly_robust(exact, weights_of(log, target), expected, exact.reward) == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(logs())
def test_the_direct_method_is_the_sum_of_what_the_model_expects(log: Log) -> None:
    target, means = some_target(log), CellMeans.fit(log).means
    assert direct(log, target).sum() == pytest.approx(float(target.probabilities @ means[target.cells(log)]))


@settings(max_examples=25, deadline=None)
@given(logs())
def test_no_row_is_expected_from_itself(log: Log) -> None:
    target, clusters = some_target(log), np.unique(log.cluster)
    before = cross_fitted(log, target)
    here = log.cluster == clusters[0]
    other = Log(
        np.where(here, log.reward + 100, log.reward),
        log.propensity, log.action, log.n_actions, log.position, log.group, log.unit, log.cluster,
    )  # fmt: skip
    after = cross_fitted(other, target)
    assert after[0][here] == pytest.approx(before[0][here])
    assert after[1][here] == pytest.approx(before[1][here])


@settings(max_examples=25, deadline=None)
@given(logs())
def test_the_order_of_rows_is_no_matter(log: Log) -> None:
    dice = np.random.default_rng(1)
    order = dice.permutation(len(log))
    mixed = Log(
        log.reward[order], log.propensity[order], log.action[order], log.n_actions,
        log.position[order], log.group[order], log.unit[order], log.cluster[order],
    )  # fmt: skip
    one, two = compare(log, Target.uniform(log)), compare(mixed, Target.uniform(mixed))
    for name in NAMES:
        assert two.estimates[name].value == pytest.approx(one.estimates[name].value)
        assert two.estimates[name].low == pytest.approx(one.estimates[name].low)


@settings(max_examples=25, deadline=None)
@given(logs())
def test_positions_add_up_to_the_slate(log: Log) -> None:
    report = compare(log, Target.uniform(log))
    total = sum(one.value for one in report.positions.values())
    assert total == pytest.approx(report.estimates["doubly-robust"].value)


def test_totals_of_clusters_have_the_mean_for_each_unit() -> None:
    values, unit, cluster = np.array([1.0, 2, 3, 4, 5]), np.array([0, 0, 1, 2, 3]), np.array([0, 0, 0, 1, 1])
    found = totals(values, unit, cluster)
    assert found.mean() == pytest.approx(15 / 4)
    assert len(found) == 2


def test_a_slate_is_worth_the_sum_of_its_positions() -> None:
    """Two positions, each with its own propensity, as the item-position model has it; IPS is exact by enumeration."""
    rates = np.array([[0.5, 0.2], [0.3, 0.1]])
    rows = [(p, a) for p in range(2) for a in range(2)]
    log = Log(
        np.array([rates[p, a] for p, a in rows]),
        np.full(4, 0.5),
        np.array([a for _, a in rows]),
        2,
        position=np.array([p + 1 for p, _ in rows]),
        unit=np.array([0, 1, 0, 1]),
    )
    assert compare(log, Target.always(log, 0)).estimates["ips"].value == pytest.approx(0.5 + 0.3)


def test_intervals_hold_as_often_as_they_say() -> None:
    """Of 300 logs a 95 % interval misses 15 on average, with a deviation of sqrt(300 * .05 * .95) = 3.8: 4.2 of them
    either way are exceeded once in 30,000 times. The benchmark has 1,000 logs of each of several worlds."""
    world = World(4, 6, 0.05, served=0.7, target=1.0)
    truth, more = world.value(world.target), world.value(world.target) - world.value(world.served)
    hits = {"ips": 0, "snips": 0, "doubly-robust": 0, "difference": 0}
    for seed in range(300):
        found = compare(*world.draw(2000, seed)).estimates
        for name in ("ips", "snips", "doubly-robust"):
            hits[name] += found[name].low <= truth <= found[name].high
        decides = found["doubly-robust"]
        hits["difference"] += decides.difference_low <= more <= decides.difference_high
    assert all(269 <= count <= 300 for count in hits.values()), hits


def test_an_interval_without_clusters_would_not_hold() -> None:
    """Visitors who come thirty times and click alike: their visits are not thirty opinions."""
    log, target = World(2, 3, 0.2, served=0.5, target=0.5).draw(3000, 1, visits=30)
    apart = Log(log.reward, log.propensity, log.action, log.n_actions, group=log.group)
    wide, narrow = compare(log, target).logged, compare(apart, target).logged
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_what_cannot_be_a_log_is_refused() -> None:
    good = {"reward": np.ones(2), "propensity": np.full(2, 0.5), "action": np.zeros(2, np.int64), "n_actions": 2}
    for name, value in (
        ("propensity", np.array([0.0, 1.0])),
        ("propensity", np.array([0.5, 1.5])),
        ("action", np.array([0, 2])),
        ("reward", np.array([1.0, np.nan])),
        ("propensity", np.ones(3)),
    ):
        with pytest.raises(InputError) as error:
            Log(**{**good, name: value})
        assert error.value.field == name
    with pytest.raises(InputError, match="add up"):
        compare(Log(**good), Target(np.arange(2), np.zeros(2, np.int64), np.full(2, 0.5)))


def test_fewer_than_two_values_leave_all_open() -> None:
    assert mean_interval(np.array([1.0])) == (-np.inf, np.inf)

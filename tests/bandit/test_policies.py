"""Policies: what a probability has to be, what they learn, and that change is noticed."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mtp_plugin.bandit
from mtp_plugin.bandit.counts import Counts, added, shrunk
from mtp_plugin.bandit.draw import draw, seed_of, uniform
from mtp_plugin.bandit.epsilon_greedy import EpsilonGreedy
from mtp_plugin.bandit.kernels import fast_exp
from mtp_plugin.bandit.linucb import Linear, LinUCB
from mtp_plugin.bandit.thompson import Thompson
from mtp_plugin.bandit.ucb1 import UCB1
from mtp_plugin.records import SlateRequest

from .worlds import regret_of

MODULES = [module.name for module in pkgutil.iter_modules(mtp_plugin.bandit.__path__, f"{mtp_plugin.bandit.__name__}.")]
ARM = st.tuples(st.floats(0, 1e6), st.floats(0, 1))
ARMS = st.lists(ARM, min_size=2, max_size=20)
POLICIES = {"epsilon": EpsilonGreedy, "thompson": Thompson, "ucb1": UCB1}


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def counts_of(arms: list[tuple[float, float]]) -> Counts:
    tries = np.array([tries for tries, _ in arms])
    return Counts(tries, tries * np.array([mean for _, mean in arms]))


@pytest.mark.parametrize("name", POLICIES)
@given(arms=ARMS, share=st.floats(0, 1))
def test_probabilities_add_up_and_keep_the_floor(name: str, arms: list[tuple[float, float]], share: float) -> None:
    floor = share / len(arms)
    probabilities = POLICIES[name](floor=floor).probabilities(counts_of(arms))
    assert math.isclose(probabilities.sum(), 1.0, abs_tol=1e-9)
    assert probabilities.min() >= floor - 1e-12


@given(arms=ARMS, share=st.floats(0, 1), seed=st.integers(0, 2**63))
def test_linucb_keeps_the_floor_too(arms: list[tuple[float, float]], share: float, seed: int) -> None:
    rng, floor = np.random.default_rng(seed), share / len(arms)
    policy = LinUCB(floor=floor)
    known = Linear.none(len(arms), 3)
    for _ in range(5):
        known = policy.update(known, int(rng.integers(len(arms))), rng.normal(size=3), float(rng.random()))
    probabilities = policy.probabilities(known, rng.normal(size=3))
    assert math.isclose(probabilities.sum(), 1.0, abs_tol=1e-9)
    assert probabilities.min() >= floor - 1e-12


@given(arms=ARMS, seed=st.integers(0, 2**64))
def test_a_draw_tells_the_probability_it_had(arms: list[tuple[float, float]], seed: int) -> None:
    policy, counts = Thompson(floor=0.01), counts_of(arms)
    arm, propensity = policy.choose(counts, seed)
    assert propensity == policy.probabilities(counts)[arm]
    assert policy.choose(counts, seed) == (arm, propensity)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 2**64))
def test_what_has_no_probability_is_never_drawn(weights: list[float], seed: int) -> None:
    weights[0] += 0.5
    shares = np.array(weights) / sum(weights)
    assert draw(shares, seed).propensity > 0


def test_draws_are_as_frequent_as_their_propensities() -> None:
    shares, draws = np.array([0.5, 0.3, 0.15, 0.05]), 40_000
    found = np.bincount([draw(shares, seed).arm for seed in range(draws)], minlength=4)
    # Chi-squared with 3 degrees of freedom: above 16.3 once in a thousand draws of the seed, which is fixed.
    assert ((found - draws * shares) ** 2 / (draws * shares)).sum() < 16.3


def test_seeds_of_requests_in_a_row_are_unlike() -> None:
    values = [uniform(seed_of(SlateRequest(placement="home-hero", now=1e9 + k / 1000), "hero")) for k in range(5000)]
    assert abs(np.mean(values) - 0.5) < 4 * math.sqrt(1 / 12 / 5000)
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 4 / math.sqrt(5000)
    one = SlateRequest(placement="home-hero", now=1.0, seed=3)
    assert seed_of(one, "hero") == seed_of(one, "hero") != seed_of(one, "other")


@pytest.mark.parametrize("case", range(12))
def test_thompsons_probabilities_are_those_of_sampling(case: int) -> None:
    rng, draws = np.random.default_rng(case), 40_000
    tries = 10 ** rng.uniform(0, rng.uniform(0.5, 6), int(rng.integers(2, 21)))
    rewards = tries * rng.uniform(0, rng.uniform(0.05, 1), len(tries))
    best = rng.beta(rewards[:, None] + 1, (tries - rewards)[:, None] + 1, (len(tries), draws)).argmax(axis=0)
    sampled = np.bincount(best, minlength=len(tries)) / draws
    # The integral is good to 0.02; the sample's standard error is at most 0.0025.
    assert np.abs(Thompson().probabilities(Counts(tries, rewards)) - sampled).max() < 0.02 + 3 * 0.0025


@given(st.floats(-700, 59))
def test_the_quick_exponential(x: float) -> None:
    expected = 0.0 if x < -600 else math.exp(x)
    assert math.isclose(fast_exp(x), expected, rel_tol=1e-6, abs_tol=1e-260)


def test_two_arms_alike_share_evenly() -> None:
    counts = Counts(np.array([50.0, 50.0]), np.array([5.0, 5.0]))
    for policy in (Thompson(), UCB1(), EpsilonGreedy()):
        assert policy.probabilities(counts) == pytest.approx([0.5, 0.5])


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1)), max_size=30), st.randoms())
def test_without_discount_the_order_does_not_matter(steps: list[tuple[int, float]], chance: object) -> None:
    def fold(some: list[tuple[int, float]]) -> Counts:
        counts = Counts.none(3)
        for arm, reward in some:
            counts = added(counts, arm, reward)
        return counts

    mixed = list(steps)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = fold(steps), fold(mixed)
    assert one.tries == pytest.approx(other.tries)
    assert one.rewards == pytest.approx(other.rewards)


@given(own=ARM, rest=ARM, weight=st.floats(0, 1e4))
def test_a_segment_lies_between_itself_and_everybody(
    own: tuple[float, float], rest: tuple[float, float], weight: float
) -> None:
    mine, others = counts_of([own]), counts_of([rest])
    mixed = shrunk(mine, others, weight)
    assert mixed.tries[0] <= mine.tries[0] + weight + 1e-6
    if mixed.tries[0] > 1e-6:
        means = [counts.means[0] for counts in (mine, others) if counts.tries[0] > 0]
        assert min(means) - 1e-6 <= mixed.means[0] <= max(means) + 1e-6


def test_updates_leave_the_state_before_as_it_was() -> None:
    counts, known = Counts.none(2), Linear.none(2, 2)
    UCB1().update(counts, 0, 1.0)
    LinUCB().update(known, 0, np.ones(2), 1.0)
    assert counts.tries.tolist() == [0.0, 0.0]
    assert not known.gram.any()
    assert known.inverse[0].tolist() == np.eye(2).tolist()


@given(st.integers(0, 2**32))
def test_sherman_and_morrison_agree_with_the_inverse(seed: int) -> None:
    rng, policy = np.random.default_rng(seed), LinUCB()
    known = Linear.none(2, 4)
    for _ in range(20):
        known = policy.update(known, 1, rng.normal(size=4), float(rng.random()))
    assert np.allclose(known.inverse, Linear.of(known.gram, known.moments).inverse)


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (lambda: EpsilonGreedy(1.5), "epsilon"),
        (lambda: UCB1(0.0), "alpha"),
        (lambda: Thompson((0.5, 1.0)), "prior"),
        (lambda: LinUCB(ridge=0.0), "ridge"),
        (lambda: LinUCB(alpha=-1.0), "alpha"),
        (lambda: Thompson(floor=0.6), "floor"),
    ],
)
def test_constructors_check_what_they_are_given(make: object, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        make()  # type: ignore[operator]


MEANS = (0.9, 0.8, 0.7, 0.6)


def test_regret_stays_within_the_bound_of_ucb1() -> None:
    steps, gaps = 3000, [0.9 - mean for mean in MEANS[1:]]
    # Theorem 1 of Auer et al.: 8 * sum(ln n / gap) + (1 + pi^2 / 3) * sum(gap).
    bound = 8 * sum(math.log(steps) / gap for gap in gaps) + (1 + math.pi**2 / 3) * sum(gaps)
    assert 0 < np.mean([regret_of(UCB1(), MEANS, steps, seed) for seed in range(5)]) < bound


def test_regret_of_thompson_is_of_lai_and_robbins_order() -> None:
    """Its regret comes near ``sum(gap / KL) * ln n`` (Kaufmann, Korda and Munos, 2012), far below that of chance."""

    def divergence(p: float, q: float) -> float:
        return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))

    steps = 3000
    rate = sum((0.9 - mean) / divergence(mean, 0.9) for mean in MEANS[1:])
    regret = np.mean([regret_of(Thompson(), MEANS, steps, seed) for seed in range(8)])
    # The constant is asymptotic: below three times of it after 3,000 steps, and growing by less than a third of what
    # is left from there to twice the steps, where a linear regret doubles.
    assert regret < 3 * rate * math.log(steps)
    later = np.mean([regret_of(Thompson(), MEANS, 2 * steps, seed) for seed in range(8)])
    assert later < 1.35 * regret


def test_late_feedback_costs_no_more_than_one_batch() -> None:
    """Delay adds to the regret what is lost within one delay (Joulani, Gyorgy and Szepesvari, 2013)."""
    steps, batch, seeds = 3000, 200, range(8)
    at_once = np.array([regret_of(Thompson(), MEANS, steps, seed) for seed in seeds])
    late = np.array([regret_of(Thompson(), MEANS, steps, seed, batch) for seed in seeds])
    # The first batch is spread evenly: 200 times the mean gap. Three standard errors of the difference of the means.
    error = math.sqrt((at_once.var(ddof=1) + late.var(ddof=1)) / len(seeds))
    assert late.mean() < at_once.mean() + batch * (0.9 - np.mean(MEANS)) + 3 * error


def test_regret_of_linucb_flattens() -> None:
    """Linear rewards of known weights: the regret is of the order of sqrt(n) (Chu et al., 2011), not of n."""
    steps, arms, size = 1600, 5, 4

    def halves(seed: int) -> tuple[float, float]:
        rng, policy, known = np.random.default_rng(seed), LinUCB(), Linear.none(5, 4)
        weights, lost = rng.normal(size=(arms, size)) / 2, np.zeros(steps)
        for step in range(steps):
            x = rng.normal(size=size)
            means = weights @ x
            arm = policy.choose(known, x, step).arm
            known = policy.update(known, arm, x, float(means[arm] + rng.normal(0, 0.1)))
            lost[step] = means.max() - means[arm]
        return float(lost[: steps // 2].sum()), float(lost[steps // 2 :].sum())

    first, second = np.mean([halves(seed) for seed in range(4)], axis=0)
    # A regret of sqrt(n) adds 0.42 of the first half's in the second one, a linear one adds as much again.
    assert 0 < second < 0.6 * first


def test_discounting_finds_the_new_best_arm() -> None:
    def rewards_after(discount: float) -> float:
        policy, counts, earned = Thompson(floor=0.02), Counts.none(2), 0.0
        for step in range(4000):
            means = (0.6, 0.4) if step < 2000 else (0.2, 0.4)
            arm = policy.choose(counts, step).arm
            reward = float(uniform(10_000_019 * (step + 1) + arm) < means[arm])
            counts = policy.update(counts, arm, reward, discount)
            earned += reward if step >= 2000 else 0.0
        return earned / 2000

    # The best there is earns 0.4, the arm that was best 0.2: the standard error of 2,000 rewards is below 0.012.
    assert rewards_after(0.99) > 0.4 - 0.02 * 0.2 - 0.05
    assert rewards_after(0.99) > rewards_after(1.0)

"""What policies cost and what they lose. Prints one JSON object.

``time``: one choice and one update with 20 arms, each on the state before, beside plain Thompson sampling in numpy (20
beta draws and the largest) in the same run. ``regret``: what is lost against always taking the best arm on made-up
problems, each reward drawn beforehand so that all policies have the same luck; beside the order that theory gives, and
beside MABWiser and river at equal settings where those are installed (``pip install mabwiser river``).

Run it alone on the machine, with ``OMP_NUM_THREADS=1``: ``python benchmarks/bandits.py [--steps 3000] [--runs 40]``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mtp_plugin.bandit.counts import Counts
from mtp_plugin.bandit.epsilon_greedy import EpsilonGreedy
from mtp_plugin.bandit.linucb import Linear, LinUCB
from mtp_plugin.bandit.thompson import Thompson
from mtp_plugin.bandit.ucb1 import UCB1

ARMS, FEATURES = 20, 10
MEANS = np.random.default_rng(5).permutation(np.linspace(0.1, 0.55, 10))
"""Of the arms of the Bernoulli problem, in no order: who takes the first of equals gains nothing by it."""
Act = Callable[[Any], int]
Learn = Callable[[int, float, Any], None]
Player = Callable[[int], tuple[Act, Learn]]


def microseconds(act: Callable[[int], object], rounds: int = 15, times: int = 2000) -> dict[str, float]:
    """The median and the best of the rounds' means."""
    took = []
    act(0)
    for _ in range(rounds):
        began = time.perf_counter()
        for number in range(times):
            act(number)
        took.append((time.perf_counter() - began) / times * 1e6)
    return {"p50_us": round(float(np.median(took)), 2), "best_us": round(min(took), 2)}


def timing() -> dict[str, Any]:
    """Choose and update with 20 arms of 500 impressions each, all near 5 %: none can be left out."""
    rng = np.random.default_rng(0)
    counts = Counts(np.full(ARMS, 500.0), rng.uniform(20, 30, ARMS))
    known, contexts = Linear.none(ARMS, FEATURES), rng.normal(size=(2000, FEATURES))
    for number in range(400):
        known = LinUCB().update(known, number % ARMS, contexts[number], float(number % 7 == 0))
    found: dict[str, Any] = {}
    for policy in (EpsilonGreedy(), UCB1(), Thompson()):
        found[type(policy).__name__] = microseconds(
            lambda seed, policy=policy: policy.update(counts, policy.choose(counts, seed).arm, 1.0)
        )
    linear = LinUCB()
    found["LinUCB"] = microseconds(
        lambda seed: linear.update(known, linear.choose(known, contexts[seed], seed).arm, contexts[seed], 1.0)
    )

    def plain(seed: int) -> Counts:
        arm = int(rng.beta(counts.rewards + 1.0, counts.tries - counts.rewards + 1.0).argmax())
        return Thompson().update(counts, arm, 1.0)

    floor = microseconds(plain)
    for one in found.values():
        one["ratio_to_floor"] = round(one["best_us"] / floor["best_us"], 2)
    return {"arms": ARMS, "features": FEATURES, "limit_us": 15, "floor_numpy_thompson": floor, **found}


def ours(policy: Any) -> Player:
    """One of our policies as a player."""

    def play(seed: int) -> tuple[Act, Learn]:
        rng, state = np.random.default_rng(seed), [Counts.none(len(MEANS))]

        def learn(arm: int, reward: float, x: Any) -> None:
            state[0] = policy.update(state[0], arm, reward)

        return lambda x: policy.choose(state[0], int(rng.integers(2**62))).arm, learn

    return play


def ours_linear(policy: LinUCB, arms: int, size: int) -> Player:
    """LinUCB as a player."""

    def play(seed: int) -> tuple[Act, Learn]:
        rng, state = np.random.default_rng(seed), [Linear.none(arms, size)]

        def learn(arm: int, reward: float, x: Any) -> None:
            state[0] = policy.update(state[0], arm, x, reward)

        return lambda x: policy.choose(state[0], x, int(rng.integers(2**62))).arm, learn

    return play


def mabwiser(policy: Any, arms: int, linear: bool = False) -> Player:
    """One of MABWiser's policies, given each arm once to begin with: what it never saw it takes for 0."""
    from mabwiser.mab import MAB

    def play(seed: int) -> tuple[Act, Learn]:
        mab, seen = MAB(list(range(arms)), policy, seed=seed), [0]

        def act(x: Any) -> int:
            if seen[0] < arms:
                return seen[0]
            return int(mab.predict([x]) if linear else mab.predict())

        def learn(arm: int, reward: float, x: Any) -> None:
            seen[0] += 1
            mab.partial_fit([arm], [reward], [x]) if linear else mab.partial_fit([arm], [reward])

        return act, learn

    return play


def river(make: Callable[[int], Any], arms: int) -> Player:
    """One of river's policies; its LinUCB has another bound, so it is left out."""
    names = list(range(arms))

    def play(seed: int) -> tuple[Act, Learn]:
        policy = make(seed)
        return lambda x: int(policy.pull(names)), lambda arm, reward, x: policy.update(arm, reward)

    return play


def bernoulli(player: Player, steps: int, seed: int) -> float:
    """The regret of one run on arms that earn 0 or 1."""
    luck = np.random.default_rng(seed).random(steps)
    act, learn = player(seed)
    regret = 0.0
    for step in range(steps):
        arm = act(None)
        learn(arm, float(luck[step] < MEANS[arm]), None)
        regret += float(MEANS.max() - MEANS[arm])
    return regret


def linear_world(player: Player, steps: int, seed: int, arms: int = 8, size: int = 5) -> float:
    """The regret of one run on arms whose rewards are linear in the context, with noise of 0.1."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(arms, size)) / math.sqrt(size)
    contexts, noise = rng.normal(size=(steps, size)), rng.normal(0, 0.1, steps)
    act, learn = player(seed)
    regret = 0.0
    for step in range(steps):
        means = theta @ contexts[step]
        arm = act(contexts[step])
        learn(arm, float(means[arm] + noise[step]), contexts[step])
        regret += float(means.max() - means[arm])
    return regret


def players() -> Iterator[tuple[str, str, Player, bool]]:
    """Problem's policy, whose it is, the player, and whether it is for the linear world."""
    alike, size = len(MEANS), 5
    yield "thompson", "ours", ours(Thompson()), False
    yield "ucb1", "ours", ours(UCB1()), False
    yield "epsilon-greedy", "ours", ours(EpsilonGreedy(0.1)), False
    yield "linucb", "ours", ours_linear(LinUCB(), 8, size), True
    if importlib.util.find_spec("mabwiser"):
        from mabwiser.mab import LearningPolicy as Policy

        yield "thompson", "mabwiser", mabwiser(Policy.ThompsonSampling(), alike), False
        yield "ucb1", "mabwiser", mabwiser(Policy.UCB1(alpha=1.0), alike), False
        yield "epsilon-greedy", "mabwiser", mabwiser(Policy.EpsilonGreedy(epsilon=0.1), alike), False
        yield "linucb", "mabwiser", mabwiser(Policy.LinUCB(alpha=1.0, l2_lambda=1.0), 8, True), True
    if importlib.util.find_spec("river"):
        from river import bandit, proba

        beta = proba.Beta
        yield "thompson", "river", river(lambda s: bandit.ThompsonSampling(reward_obj=beta(), seed=s), alike), False
        yield "ucb1", "river", river(lambda s: bandit.UCB(delta=1.0, seed=s), alike), False
        yield "epsilon-greedy", "river", river(lambda s: bandit.EpsilonGreedy(epsilon=0.1, seed=s), alike), False


def regrets(steps: int, runs: int) -> dict[str, Any]:
    """Mean regret and its standard error by policy and whose it is, with our ratio to each peer."""
    found: dict[str, dict[str, Any]] = {}
    for name, whose, player, linear in players():
        world = linear_world if linear else bernoulli
        lost = np.array([world(player, steps, seed) for seed in range(runs)])
        error = float(lost.std(ddof=1) / math.sqrt(runs))
        found.setdefault(name, {})[whose] = {"mean": round(float(lost.mean()), 2), "error": round(error, 2)}
    for one in found.values():
        for whose in [name for name in one if name != "ours"]:
            one[f"ratio_to_{whose}"] = round(one["ours"]["mean"] / one[whose]["mean"], 3)
    return {"steps": steps, "runs": runs, "order": orders(steps), **found}


def orders(steps: int) -> dict[str, float]:
    """What theory says of the Bernoulli problem: Lai and Robbins' rate, and the bound of UCB1 (Auer et al. 2002)."""
    best = float(MEANS.max())
    gaps = [best - mean for mean in MEANS.tolist() if mean < best]

    def divergence(p: float, q: float) -> float:
        return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))

    rate = sum((best - mean) / divergence(mean, best) for mean in MEANS.tolist() if mean < best)
    bound = 8 * sum(math.log(steps) / gap for gap in gaps) + (1 + math.pi**2 / 3) * sum(gaps)
    return {"lai_robbins": round(rate * math.log(steps), 2), "ucb1_bound": round(bound, 2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=40)
    given = parser.parse_args()
    print(json.dumps({"time": timing(), "regret": regrets(given.steps, given.runs)}))


if __name__ == "__main__":
    main()

"""How far the statistics of experiments hold: simulated tests with no effect, and with a known one. One JSON object.

``python benchmarks/experiments.py [--tests 2000]``. Nobody real is in it. Each test is looked at on every day; the same
data are read once at the end, once a day as if each look were the only one, and by confidence sequences.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1]))

from mtp_plugin.experiment.effects import Effect, arms
from mtp_plugin.experiment.planning import units_needed
from mtp_plugin.experiment.ratio_check import BROKEN, sample_ratio_p
from mtp_plugin.experiment.readings import fixed, mixing, ratio_fixed, ratio_sequence, sequence
from mtp_plugin.experiment.units import Sums

DAYS, A_DAY = 28, 250
"""Days, and units of each variation a day."""
Draw = NDArray[np.float64]


def revenue(dice: np.random.Generator, count: int, effect: float) -> Draw:
    """Skewed: one visitor in ten orders, log-normally much."""
    orders = dice.random(count) < 0.1
    return np.where(orders, dice.lognormal(3.5, 1.0, count), 0.0) * (1 + effect)


def clicks(dice: np.random.Generator, count: int, effect: float) -> Draw:
    """A share of one in twenty."""
    return (dice.random(count) < 0.05 * (1 + effect)).astype(float)


def rare(dice: np.random.Generator, count: int, effect: float) -> Draw:
    """The same where one visitor in fifty orders."""
    orders = dice.random(count) < 0.02
    return np.where(orders, dice.lognormal(3.5, 1.0, count), 0.0) * (1 + effect)


DRAWS = {"share": clicks, "skewed revenue": revenue, "skewed revenue, few buyers": rare}


def run(name: str, tests: int, effect: float, seed: int) -> dict[str, Any]:
    """So many tests of this effect: how often each reading errs or finds it."""
    dice, rho2 = np.random.default_rng(seed), mixing(2 * DAYS * A_DAY)
    counted = dict.fromkeys(("peeked", "sequence", "once", "covered", "always_covered"), 0)
    for _ in range(tests):
        values = [DRAWS[name](dice, DAYS * A_DAY, of) for of in (0.0, effect)]
        sums = [np.stack((one, one**2)).reshape(2, DAYS, A_DAY).sum(axis=2).cumsum(axis=1) for one in values]
        units = A_DAY * np.arange(1, DAYS + 1)
        means = [one[0] / units for one in sums]
        spread = [(one[1] - units * mean**2) / (units - 1) / units for one, mean in zip(sums, means, strict=True)]
        known = [
            [(float(mean[day]), float(np.sqrt(one[day]))) for mean, one in zip(means, spread, strict=True)]
            for day in range(DAYS)
        ]
        always = [
            ratio_sequence(treatment, control, int(2 * units[day]), rho2)
            for day, (control, treatment) in enumerate(known)
        ]
        single = [ratio_fixed(treatment, control) for control, treatment in known]
        counted["sequence"] += any(one.above or one.below for one in always)
        counted["peeked"] += any(one.above or one.below for one in single)
        counted["once"] += single[-1].above or single[-1].below
        counted["covered"] += single[-1].low <= effect <= single[-1].high
        counted["always_covered"] += all(one.low <= effect <= one.high for one in always)
    return {
        "metric": name,
        "effect": effect,
        "tests": tests,
        "looks": DAYS,
        "found_by_sequence_at_any_look": counted["sequence"] / tests,
        "found_by_peeking_at_single_looks": counted["peeked"] / tests,
        "found_by_one_look_at_the_end": counted["once"] / tests,
        "single_intervals_that_cover": counted["covered"] / tests,
        "sequences_that_cover_at_all_looks": counted["always_covered"] / tests,
    }


def power(tests: int, seed: int) -> dict[str, Any]:
    """The share of tests at the planned size that find the planned effect, once and by a sequence tuned to it."""
    dice = np.random.default_rng(seed)
    mean, variance, then, effect = 0.05, 0.05 * 0.95, 0.055 * 0.945, 0.1
    found: dict[str, Any] = {"metric": "share", "effect": effect, "asked": 0.8}
    for name, always in (("once", False), ("sequence", True)):
        units = units_needed(mean, variance, effect, then=then, always=always)
        hits = 0
        shares = dice.binomial(units, (mean, mean * (1 + effect)), (tests, 2)) / units
        for control, treatment in shares.tolist():
            error = float(np.sqrt((control * (1 - control) + treatment * (1 - treatment)) / units))
            one = sequence(treatment - control, error, 2 * units, mixing(2 * units)) if always else None
            hits += (one or fixed(treatment - control, error)).above
        found[name] = {"units_each": units, "power": hits / tests}
    return found


def cuped(seed: int) -> list[dict[str, float]]:
    """Variance left beside what the correlation with the past promises."""
    dice, units, found = np.random.default_rng(seed), 200_000, []
    variation = np.arange(units) % 2
    for correlation in (0.3, 0.6, 0.9):
        before = dice.normal(0, 1, units)
        values = 5 + correlation * before + dice.normal(0, np.sqrt(1 - correlation**2), units)
        plain, after = (
            Effect(*arms(Sums(values, np.ones(units), past), variation, 2, cap=1.0)) for past in (None, before)
        )
        left = (after.error / plain.error) ** 2
        found.append({"correlation": correlation, "left": round(left, 4), "promised": round(1 - correlation**2, 4)})
    return found


def divisions(tests: int, seed: int) -> dict[str, Any]:
    """51/49 sold as 50/50 at 200,000 visitors, and right divisions looked at a hundred times as they grow."""
    dice = np.random.default_rng(seed)
    wrong = dice.binomial(200_000, 0.51, tests)
    grown = dice.binomial(2000, 0.5, (tests, 100)).cumsum(axis=1)
    alarms = [
        any(sample_ratio_p((int(n), 2000 * (look + 1) - int(n)), (0.5, 0.5)) < BROKEN for look, n in enumerate(row))
        for row in grown
    ]
    found = [sample_ratio_p((int(n), 200_000 - int(n)), (0.5, 0.5)) < BROKEN for n in wrong]
    return {"tests": tests, "wrong_found": sum(found) / tests, "right_called_wrong": sum(alarms) / tests}


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, default=2000)
    tests, began = parser.parse_args().tests, time.process_time()
    results = []
    for seed, (name, effect) in enumerate((name, effect) for effect in (0.0, 0.2) for name in DRAWS):
        print(f"{tests:,} tests of {name}, effect {effect:.0%}", file=sys.stderr)
        results.append(run(name, tests, effect, seed))
    print(
        json.dumps(
            {
                "benchmark": "experiments",
                "simulated": True,
                "a_day": A_DAY,
                "results": results,
                "power": power(tests, 7),
                "cuped": cuped(8),
                "divisions": divisions(tests, 9),
                "processor_seconds": round(time.process_time() - began, 1),
            }
        )
    )


if __name__ == "__main__":
    main()

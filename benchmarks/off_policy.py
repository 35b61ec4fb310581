"""How often off-policy intervals hold on simulated logs with known truth, as JSON.

Each world is drawn a thousand times (``--runs``); a 95 % interval should cover the true value, and the true difference
to the policy that served, in 93 to 97 %. ``shift`` is a world that the log tells little of: there the verdict has to be
"can't tell".
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mtp_plugin.bandit.off_policy import compare
from tests.off_policy.logs import World

WORLDS = {
    "clicks of 5 %": (World(4, 6, 0.05, served=0.7, target=1.0), 2000, 1),
    "clicks of 1 %": (World(3, 5, 0.01, served=0.7, target=1.0), 5000, 1),
    "three visits each": (World(4, 6, 0.05, served=0.7, target=1.0), 3000, 3),
    "shift": (World(4, 10, 0.05, served=1.0, target=1.5), 3000, 1),
}


def measure(world: World, n: int, visits: int, runs: int) -> dict[str, Any]:
    """Coverage of values and differences by estimator, and what the verdicts were."""
    truth = world.value(world.target)
    more = truth - world.value(world.served)
    values: Counter[str] = Counter()
    differences: Counter[str] = Counter()
    words: Counter[str] = Counter()
    ess = 0.0
    for seed in range(runs):
        report = compare(*world.draw(n, seed, visits))
        words[report.verdict.word] += 1
        ess += report.support.ess / runs
        for name, one in report.estimates.items():
            values[name] += one.low <= truth <= one.high
            differences[name] += one.difference_low <= more <= one.difference_high
    return {
        "decisions": n,
        "true_value": round(truth, 5),
        "true_difference": round(more, 5),
        "mean_ess": round(ess, 1),
        "covers_value": {name: round(values[name] / runs, 3) for name in report.estimates},
        "covers_difference": {name: round(differences[name] / runs, 3) for name in report.estimates},
        "verdicts": dict(words),
    }


def main() -> None:
    """Measure all worlds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    found = {name: measure(*world, runs) for name, world in WORLDS.items()}
    print(json.dumps({"runs": runs, "level": 0.95, "worlds": found}, indent=1))


if __name__ == "__main__":
    main()

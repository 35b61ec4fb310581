"""The verdict says better or worse where the log tells, and that it can't tell where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from mtp_plugin.bandit.off_policy import Log, Target, compare


def log_of(rates: tuple[float, ...], n: int, propensities: tuple[float, ...]) -> Log:
    """A log of one group where each action was taken as often, and rewarded as often, as it says."""
    action = np.repeat(np.arange(len(rates)), [round(n * p) for p in propensities])
    reward = np.concatenate(
        [np.arange(round(n * p)) < round(n * p * r) for r, p in zip(rates, propensities, strict=True)]
    )
    return Log(reward.astype(float), np.array(propensities)[action], action, len(rates))


def test_better_worse_and_no_clear_difference() -> None:
    log = log_of((0.02, 0.06), 20_000, (0.5, 0.5))
    assert compare(log, Target.always(log, 1)).verdict.word == "better"
    assert compare(log, Target.always(log, 0)).verdict.word == "worse"
    even = log_of((0.2, 0.2), 200_000, (0.5, 0.5))
    assert compare(even, Target.always(even, 1)).verdict.word == "no-clear-difference"


def test_too_few_rewards() -> None:
    log = log_of((0.01, 0.01), 400, (0.5, 0.5))
    verdict = compare(log, Target.always(log, 1)).verdict
    assert verdict.word == "cant-tell"
    assert "rewards" in verdict.why
    assert verdict.more_data > 1


def test_too_wide_says_how_much_more_data_would_do() -> None:
    log = log_of((0.05, 0.05), 4000, (0.5, 0.5))
    verdict = compare(log, Target.always(log, 1)).verdict
    assert verdict.word == "cant-tell"
    more = verdict.more_data
    larger = log_of((0.05, 0.05), int(4000 * more * 1.3), (0.5, 0.5))
    assert compare(larger, Target.always(larger, 1)).verdict.word == "no-clear-difference"


def test_what_was_never_tried() -> None:
    seen = log_of((0.05, 0.05), 8000, (0.5, 0.5))
    log = Log(seen.reward, seen.propensity, seen.action, 3)
    verdict = compare(log, Target.uniform(log)).verdict
    assert verdict.word == "cant-tell"
    assert "33% of what it would have done was never tried" in verdict.why
    assert verdict.more_data == 0


def test_propensities_that_are_not_those_that_served() -> None:
    seen = log_of((0.05, 0.05), 8000, (0.5, 0.5))
    log = Log(seen.reward, np.where(seen.action == 1, 0.8, 0.2), seen.action, 2)
    verdict = compare(log, Target.always(log, 1)).verdict
    assert verdict.word == "cant-tell"
    assert "propensities" in verdict.why


def test_support_tells_how_few_rows_bear_the_weight() -> None:
    log = log_of((0.1, 0.1), 10_000, (0.99, 0.01))
    support = compare(log, Target.always(log, 1)).support
    assert support.ess == pytest.approx(100)
    assert support.max_weight == pytest.approx(100)
    assert support.tail == pytest.approx(1)
    assert support.unsupported == 0

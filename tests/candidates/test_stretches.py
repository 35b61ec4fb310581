"""Held-out stretches of orders: each is asked about with an index of what was before it, and none overlaps another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mtp_plugin.candidates.learn import experts
from mtp_plugin.candidates.learn.experts import BASKET_DAYS, STRETCHES, learn_experts
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.recommender import Recommender

DAY_S = 86_400.0


def shop(days: int) -> TrainingLog:
    """Ten orders a day, each of three products, by forty customers."""
    random = np.random.default_rng(5)
    rows = [
        (f"c{random.integers(40)}", f"p{item}", day * DAY_S + place, f"o{day}-{place}")
        for day in range(days + 1)
        for place in range(10)
        for item in random.choice(60, 3, replace=False)
    ]
    return TrainingLog.from_orders(rows)


@pytest.mark.parametrize(("days", "each"), [(300, float(BASKET_DAYS)), (100, 15.0)])
def test_trees_are_asked_about_three_stretches(days: int, each: float, monkeypatch: pytest.MonkeyPatch) -> None:
    known, asked, log = [], [], shop(days)
    recommender, questions = experts.Models.of, experts.return_questions

    def opened(models: experts.Models, before: TrainingLog, *args: Any, **options: Any) -> Recommender:
        known.append(before.purchases().time.max())
        return recommender(models, before, *args, **options)

    def noted(of: Recommender, purchases: TrainingLog, start: float, *more: Any) -> Any:
        asked.append((start, purchases.time.max()))
        return questions(of, purchases, start, *more)

    monkeypatch.setattr(experts.Models, "of", opened)
    monkeypatch.setattr(experts, "return_questions", noted)
    learn_experts(log, table=None, content=None, seed=0, progress=lambda text: None)
    starts = [log.end - number * each * DAY_S for number in range(STRETCHES, 0, -1)]
    assert len(known) == STRETCHES
    # the latest is opened first: the experts learn from it before trees do
    assert all(start - 2 * DAY_S < last < start for last, start in zip(sorted(known), starts, strict=True))
    later, *earlier = asked  # those to judge by are opened first, and asked last
    assert [start for start, _ in earlier] == pytest.approx(starts, abs=5)
    ends = (*starts[1:], later[0])
    assert all(last < end for (_, last), end in zip(earlier, ends, strict=True)), "none hears of the next"
    assert starts[-1] < later[0] < later[1] == log.end

"""A long training holds one log and one model of sessions at a time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from mtp_plugin.candidates.learn import experts
from mtp_plugin.candidates.learn.cap import MOST_OF_ONE
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.train import train

from .shop import DAY, event, events


def alive(kind: type) -> list[Any]:
    """What there is of a kind, what is garbage included."""
    return [one for one in gc.get_objects() if type(one) is kind]


def test_the_log_that_was_read_is_let_go_when_a_shorter_one_is_learnt_from() -> None:
    flood = [event("Product Viewed", "u:flood", 25 * DAY + place, "p095") for place in range(40)]
    read = TrainingLog.from_events([events() + flood])
    rows, whole, longest = len(read), [read], []
    del read
    train(whole.pop(), progress=lambda text: longest.append(max(map(len, alive(TrainingLog)))))
    assert max(longest) == rows - len(flood) + MOST_OF_ONE


def test_re_rankers_of_sessions_are_grown_with_one_model_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, held = experts.session_questions, []

    def counted(*told: Any) -> Iterator[Any]:
        held.append(len(alive(Recommender)))
        yield from asked(*told)

    monkeypatch.setattr(experts, "session_questions", counted)
    monkeypatch.setattr("mtp_plugin.candidates.learn.reranker.FEWEST", 1)
    monkeypatch.setattr("mtp_plugin.candidates.learn.session_choice.FEWEST_CASES", 1)
    gc.collect()
    before = len(alive(Recommender))
    gc.disable()
    try:
        train(TrainingLog.from_events([events()]))
    finally:
        gc.enable()
    assert held == [before + 1, before + 1]

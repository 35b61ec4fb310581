"""Each trap of durable-rules that we know of, and that ours does not fall into it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mtp_plugin.memory import Remembered
from mtp_plugin.rules.native_engine import NativeEngine

durable = pytest.importorskip("mtp_plugin.rules.durable_engine", reason="durable-rules needs Python < 3.13")

CONDITIONS: list[dict[str, Any]] = [
    {"device": "mobile"},
    {"hour": {"$gte": 7, "$lt": 10}},
    {"$or": [{"device": "mobile"}, {"hour": 8}]},
    {"device": {"$ne": "mobile"}},
    {},
    {"place": {"$regex": "^New"}},
    {"device": "mobile"},
]
FACTS: list[dict[str, Any]] = [
    {"device": "mobile", "hour": 8, "place": "New York"},
    {"device": "desktop", "hour": 8.5},
    {},
    {"hour": "9"},
]


def answers(engine: Any) -> list[frozenset[int]]:
    return [engine.holding(facts) for facts in FACTS]


def test_it_is_durable_that_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking the text of its rules away takes the outcomes away."""
    assert answers(durable.DurableEngine(CONDITIONS)) == answers(NativeEngine(CONDITIONS))
    whole = durable.rule_text
    monkeypatch.setattr(durable, "rule_text", lambda *args: {durable.SENTINEL: whole(*args)[durable.SENTINEL]})
    assert answers(durable.DurableEngine(CONDITIONS)) == [frozenset()] * len(FACTS)


def test_more_evaluations_than_it_has_states() -> None:
    """A ruleset holds about a thousand states; ours has one, deleted at once, and ids that never come again."""
    engine = durable.DurableEngine(CONDITIONS)
    expected = answers(engine)
    for _ in range(1200):
        assert engine.holding(FACTS[0]) == expected[0]
    assert answers(engine) == expected


def test_every_rule_that_holds_fires_and_none_twice() -> None:
    """An event would fire one rule; a fact fires all, and with `or` a rule fires once for every branch."""
    some = [{"$or": [{"device": "mobile"}, {"device": {"$ne": "desktop"}}]} for _ in range(30)]
    assert durable.DurableEngine(some).holding(FACTS[0]) == frozenset(range(30))


def test_nothing_that_matches_is_no_error() -> None:
    """A message that meets no rule raises, and frees its state twice: a rule that always fires sees to that."""
    engine = durable.DurableEngine([{"device": "tv"}])
    assert [engine.holding(facts) for facts in FACTS * 300] == [frozenset()] * len(FACTS) * 300


def test_it_starts_no_threads() -> None:
    before = threading.active_count()
    engines = [durable.DurableEngine(CONDITIONS) for _ in range(3)]
    assert answers(engines[0])
    assert threading.active_count() == before


def test_more_facts_than_a_message_bears() -> None:
    many = [{f"fact{number}": number} for number in range(300)]
    facts = {f"fact{number}": number for number in range(0, 300, 3)}
    assert durable.DurableEngine(many).holding(facts) == frozenset(range(0, 300, 3))
    wide = {"$and": [{f"fact{number}": {"$ne": -1}} for number in range(120)]}
    assert durable.DurableEngine([wide, {"fact3": 3}]).holding(facts) == {0, 1}


def test_when_it_fails_our_own_evaluator_takes_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = durable.DurableEngine(CONDITIONS)
    fired = durable.Ruleset._fired
    monkeypatch.setattr(durable.Ruleset, "_fired", lambda self, state: fired(self, state) - {durable.SENTINEL})
    assert answers(engine) == answers(NativeEngine(CONDITIONS))
    assert "left out a rule that always holds" in caplog.text


@pytest.mark.parametrize("kind", ["native", "durable"])
def test_sixteen_threads(kind: str) -> None:
    engine = durable.DurableEngine(CONDITIONS) if kind == "durable" else NativeEngine(CONDITIONS)
    expected = answers(engine)
    ready = threading.Barrier(16)

    def ask(worker: int) -> bool:
        ready.wait()
        return all(engine.holding(FACTS[n % 4]) == expected[n % 4] for n in range(worker, worker + 60))

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(16)))


def _in_child(engine: Any, expected: list[frozenset[int]], parent: int) -> None:
    right = os.getpid() != parent and answers(engine) == expected
    os._exit(0 if right else 1)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("kind", ["native", "durable"])
def test_after_a_fork(kind: str) -> None:
    engine = durable.DurableEngine(CONDITIONS) if kind == "durable" else NativeEngine(CONDITIONS)
    expected = answers(engine)
    if kind == "durable":
        engine._lock.acquire()  # as if another thread were in the middle of an evaluation
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(engine, expected, os.getpid()))
    child.start()
    child.join(60)
    assert child.exitcode == 0


def test_memory_stays_flat() -> None:
    engine = durable.DurableEngine(CONDITIONS)

    def resident() -> int:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096

    def run(times: int) -> None:
        for number in range(times):
            engine.holding({"device": f"d{number}", "hour": number % 24})

    run(2000)
    before = resident()
    run(6000)
    assert resident() - before < 3_000_000, "an evaluation keeps less than 500 bytes"


def test_decisions_remembered_are_bounded() -> None:
    known: Remembered[int, int] = Remembered(100)
    for number in range(1000):
        known.keep(number, number)
    assert len(known) <= 100

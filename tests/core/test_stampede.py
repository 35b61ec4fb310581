"""What many want at once is made once; what expires is made anew a little before; what is late, afterwards."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mtp_plugin.afterwards import Afterwards
from mtp_plugin.draft import Draft, DraftCache, Pick, Question
from mtp_plugin.flights import Flights
from mtp_plugin.pipeline import Pipeline
from mtp_plugin.records import ConsentLevel, SlateRequest
from mtp_plugin.state import State
from mtp_plugin.store.cache import SharedCache

from ..servers import wait_until
from .shops import mounted, watches

MANY = 16


def shared(**more: Any) -> SlateRequest:
    return SlateRequest(placement="home-trending", now=time.time(), consent_level=ConsentLevel.NON_PERSONAL, **more)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return mounted(tmp_path, watches(), MTP_LATENCY_BUDGET_MS=10_000)[1]


def test_one_makes_what_many_want(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, made, go = state.pipeline, [], threading.Event()
    pipeline.settings = dataclasses.replace(pipeline.settings, latency_budget_ms=30_000.0)
    compose = pipeline._compose

    def slowly(*asked: Any) -> Draft:
        made.append(asked)
        go.wait(30.0)
        return compose(*asked)

    monkeypatch.setattr(pipeline, "_compose", slowly)
    with ThreadPoolExecutor(MANY) as pool:
        waiting = [pool.submit(pipeline.recommend, shared()) for _ in range(MANY)]
        while not made:
            time.sleep(0.001)
        go.set()
        slates = [one.result(30.0) for one in waiting]
    assert len(made) == 1
    assert len({slate.recommendation_id for slate in slates}) == 1
    assert len(pipeline._flights) == 0


def test_who_has_waited_long_enough_makes_it_alone() -> None:
    flights, go, entered = Flights(), threading.Event(), threading.Event()

    def lead() -> None:
        with flights.first("x", math.inf) as first:
            assert first
            entered.set()
            go.wait(30.0)

    thread = threading.Thread(target=lead)
    thread.start()
    entered.wait(30.0)
    with flights.first("x", time.perf_counter() + 0.01) as first:
        assert not first
    go.set()
    thread.join()
    with flights.first("x", math.inf) as first:
        assert first, "who fails or ends makes room"


def test_a_fault_sets_those_free_who_wait(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = state.pipeline

    def fail(*asked: Any) -> Draft:
        raise RuntimeError("no")

    with monkeypatch.context() as broken:
        broken.setattr(pipeline, "_compose", fail)
        with pytest.raises(RuntimeError):
            pipeline.recommend(shared())
    assert pipeline.recommend(shared()).items


def test_what_expires_is_made_anew_by_a_few_before_it_does() -> None:
    clock, dice = [1000.0], np.random.default_rng(7)
    drafts = DraftCache(SharedCache(), 60, clock=lambda: clock[0], chance=dice.random)
    draft = Draft(recommendation_id="r", picks=(Pick("p", 1.0, (), "", 0, "s"),))

    def share(before: float) -> float:
        """Of 4,000 who ask so many seconds before the end, those who are to make it anew."""
        clock[0] = 1000.0
        drafts.set("k", draft, took=2.0)
        clock[0] = 1060.0 - before
        found = [drafts.get("k") for _ in range(4000)]
        return sum(one is not None and one.ageing for one in found) / 4000

    # The chance is exp(-before / took); 4,000 draws have a standard error below 0.008.
    for before in (1.0, 2.0, 4.0, 10.0):
        assert share(before) == pytest.approx(float(np.exp(-before / 2.0)), abs=0.03)
    assert share(0.0) == 1.0


def reduced(tmp_path: Path) -> Pipeline:
    """A shop whose first strategy answers with two of the eight products that are wanted."""
    first, second, *rest = watches()
    few = [msgspec.structs.replace(one, sale_price=1.0) for one in (first, second)]
    pipeline = mounted(tmp_path, [*few, *rest], MTP_LATENCY_BUDGET_MS=10_000)[1].pipeline
    placement = pipeline.placements["home-trending"]
    placement = msgspec.structs.replace(placement, strategies=("on-sale", "best-sellers"), size=8)
    pipeline.placements = {**pipeline.placements, "home-trending": placement}
    return pipeline


def with_budget(pipeline: Pipeline, milliseconds: float) -> None:
    pipeline.settings = dataclasses.replace(pipeline.settings, latency_budget_ms=milliseconds)


def test_what_is_always_late_is_made_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is never time for more than the first strategy; who comes when the thread is done has all of it."""
    pipeline = reduced(tmp_path)
    with_budget(pipeline, 0.0)
    go, compose, hurried = threading.Event(), pipeline._compose, []

    def counted(question: Question, spares: int) -> Draft:
        if question.deadline == math.inf:
            go.wait(30.0)
        else:
            hurried.append(question)
        return compose(question, spares)

    monkeypatch.setattr(pipeline, "_compose", counted)
    late, again = pipeline.recommend(shared()), pipeline.recommend(shared())
    assert late.late
    assert again.late, "what was kept says that there was no time for it"
    assert len(late.items) == 2
    assert again.recommendation_id == late.recommendation_id
    go.set()
    wait_until(lambda: not len(pipeline._afterwards), "the rest of it")
    whole, kept = pipeline.recommend(shared()), pipeline.recommend(shared())
    assert not whole.late
    assert len(whole.items) == 8
    assert whole.recommendation_id == kept.recommendation_id != late.recommendation_id
    assert len(hurried) == 1, "nobody made again what there was no time for"
    pipeline.slates.flush(30.0)
    assert pipeline.slates.get(whole.recommendation_id), "it is logged with all that it came from"


def test_a_draft_that_is_to_be_made_anew_serves_where_there_is_no_time(tmp_path: Path) -> None:
    pipeline = reduced(tmp_path)
    whole = pipeline.recommend(shared())
    pipeline.drafts._clock = lambda: time.time() + 61.0  # it expires: whoever asks is picked
    with_budget(pipeline, 0.0)
    again = pipeline.recommend(shared())
    assert not again.late
    assert [item.product_id for item in again.items] == [item.product_id for item in whole.items]
    wait_until(lambda: not len(pipeline._afterwards), "the new one")
    assert pipeline.recommend(shared()).recommendation_id != whole.recommendation_id, "it was made meanwhile"


def test_what_was_made_afterwards_is_kept_for_what_is_left_of_its_time(tmp_path: Path) -> None:
    """It waits a while to be taken, and is no younger for that; and it is renewed early by how long it took."""
    pipeline = reduced(tmp_path)
    with_budget(pipeline, 0.0)
    assert pipeline.recommend(shared()).late
    wait_until(lambda: not len(pipeline._afterwards), "the rest of it")
    ((key, made),) = pipeline._afterwards._made.items()
    assert isinstance(key, str)
    assert made.took > 0.0
    pipeline._afterwards._made[key] = dataclasses.replace(made, at=made.at - 50.0)
    whole = pipeline.recommend(shared())
    assert len(whole.items) == 8
    found = pipeline.drafts._cache.get(key)
    assert found is not None
    kept = pipeline.drafts._decoder.decode(found)
    assert kept.recommendation_id == whole.recommendation_id
    assert kept.until <= time.time() + 10.0
    assert kept.took == made.took


def test_a_late_one_never_takes_the_place_of_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits no longer begins by itself; when it is done with the little it had time for, the first one is there."""
    pipeline, lead, entered = reduced(tmp_path), threading.Event(), threading.Event()
    with_budget(pipeline, 600_000.0)
    compose = pipeline._compose

    def ordered(question: Question, spares: int) -> Draft:
        if not entered.is_set():
            entered.set()
            lead.wait(60.0)
        else:
            lead.set()
            wait_until(lambda: not len(pipeline._flights), "the end of the first")
        return compose(question, spares)

    monkeypatch.setattr(pipeline, "_compose", ordered)
    with ThreadPoolExecutor(1) as pool:
        leading = pool.submit(pipeline.recommend, shared())
        entered.wait(60.0)
        with_budget(pipeline, 0.0)
        hurried = pipeline.recommend(shared())
        whole = leading.result(60.0)
    assert not whole.late
    for slate in (hurried, pipeline.recommend(shared())):
        assert slate.recommendation_id == whole.recommendation_id
    assert not len(pipeline._afterwards), "there is nothing left to make"


def test_nobody_who_has_a_good_one_waits_for_another_s_renewal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, go, entered = reduced(tmp_path), threading.Event(), threading.Event()
    with_budget(pipeline, 600_000.0)
    whole = pipeline.recommend(shared())
    pipeline.drafts._clock = lambda: time.time() + 61.0  # it expires: whoever asks is picked
    compose = pipeline._compose

    def slowly(question: Question, spares: int) -> Draft:
        entered.set()
        go.wait(60.0)
        return compose(question, spares)

    monkeypatch.setattr(pipeline, "_compose", slowly)
    with ThreadPoolExecutor(2) as pool:
        renewing = pool.submit(pipeline.recommend, shared())
        entered.wait(60.0)
        try:
            meanwhile = pool.submit(pipeline.recommend, shared()).result(30.0)  # waiting would be for ten minutes
        finally:
            go.set()
        assert meanwhile.recommendation_id == whole.recommendation_id
        assert renewing.result(60.0).recommendation_id != whole.recommendation_id


def test_afterwards_makes_each_once_and_survives_what_fails() -> None:
    later: Afterwards[int] = Afterwards(60.0, limit=2)
    go, made = threading.Event(), []

    def make(number: int) -> int:
        go.wait(30.0)
        made.append(number)
        return 1 // number

    for number in (0, 0, 1, 2):
        later.want(number, lambda number=number: make(number))
    go.set()
    wait_until(lambda: not len(later), "the thread is done")
    assert made == [0, 1], "once each, and no more than two"
    made_one = later.take(1)
    assert made_one is not None
    assert made_one.value == 1
    assert [later.take(number) for number in (0, 1)] == [None, None]
    later.want(3, lambda: make(3))
    wait_until(lambda: not len(later), "the thread begins again")
    assert Afterwards[int](0.0).take(3) is None
    later._seconds = 0.0
    assert later.take(3) is None, "too old"


def test_a_forked_child_waits_for_nobody_of_its_parent() -> None:
    flights, later, entered, go = Flights(), Afterwards[int](60.0), threading.Event(), threading.Event()

    def lead() -> None:
        with flights.first("x", math.inf):
            entered.set()
            go.wait(60.0)

    thread = threading.Thread(target=lead)
    thread.start()
    later.want("x", lambda: int(go.wait(60.0)))
    entered.wait(30.0)
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # ends a child that hangs
        if len(flights) or len(later):
            os._exit(2)  # whoever comes first would clear up, two at once under one another's feet
        with flights.first("x", math.inf) as first:
            later.want("x", lambda: 7)
            while len(later):
                time.sleep(0.001)
            taken = later.take("x")
            os._exit(0 if first and taken is not None and taken.value == 7 else 1)
    status = os.waitpid(child, 0)[1]
    go.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_child_forked_by_who_makes_something_leaves_it_unharmed() -> None:
    flights = Flights()
    try:
        with flights.first("x", math.inf):
            child = os.fork()
    except KeyError:
        os._exit(1)
    if child == 0:
        os._exit(len(flights))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_one_budget_for_the_whole_request(state: State) -> None:
    """What reading the profile took is not there for candidates any more."""
    assert state.pipeline._question(shared(), started=5.0).deadline == 15.0

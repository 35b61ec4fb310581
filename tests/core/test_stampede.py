"""What many want at once is made once; what expires is made anew a little before; what was cut short is not kept."""

from __future__ import annotations

import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mtp_plugin.draft import Draft, DraftCache, Pick
from mtp_plugin.flights import Flights
from mtp_plugin.records import ConsentLevel, SlateRequest
from mtp_plugin.state import State
from mtp_plugin.store.cache import SharedCache

from .shops import mounted, watches

MANY = 16


def shared(**more: Any) -> SlateRequest:
    return SlateRequest(placement="home-trending", now=time.time(), consent_level=ConsentLevel.NON_PERSONAL, **more)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return mounted(tmp_path, watches(), MTP_LATENCY_BUDGET_MS=10_000)[1]


def test_one_makes_what_many_want(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, made, go = state.pipeline, [], threading.Event()
    pipeline._flights = Flights(patience=30.0)
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
    flights, go, entered = Flights(patience=0.01), threading.Event(), threading.Event()

    def lead() -> None:
        with flights.first("x") as first:
            assert first
            entered.set()
            go.wait(30.0)

    thread = threading.Thread(target=lead)
    thread.start()
    entered.wait(30.0)
    with flights.first("x") as first:
        assert not first
    go.set()
    thread.join()
    with flights.first("x") as first:
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


def test_what_there_was_no_time_for_is_not_kept(tmp_path: Path) -> None:
    """The first strategy answers with little, the time is over; whoever comes next gets all of it."""
    first, second, *rest = watches()
    reduced = [msgspec.structs.replace(one, sale_price=1.0) for one in (first, second)]
    state = mounted(tmp_path, [*reduced, *rest], MTP_LATENCY_BUDGET_MS=10_000)[1]
    pipeline = state.pipeline
    placement = pipeline.placements["home-trending"]
    placement = msgspec.structs.replace(placement, strategies=("on-sale", "best-sellers"), size=8)
    pipeline.placements = {**pipeline.placements, "home-trending": placement}
    hurried = pipeline.settings
    pipeline.settings = dataclasses.replace(hurried, latency_budget_ms=0.0)
    late = pipeline.recommend(shared())
    pipeline.settings = hurried
    whole = pipeline.recommend(shared())
    assert late.late
    assert not whole.late
    assert len(late.items) == 2
    assert len(whole.items) == 8
    assert whole.recommendation_id != late.recommendation_id


def test_a_draft_that_is_to_be_made_anew_serves_where_there_is_no_time(tmp_path: Path) -> None:
    first, second, *rest = watches()
    reduced = [msgspec.structs.replace(one, sale_price=1.0) for one in (first, second)]
    pipeline = mounted(tmp_path, [*reduced, *rest], MTP_LATENCY_BUDGET_MS=10_000)[1].pipeline
    placement = pipeline.placements["home-trending"]
    placement = msgspec.structs.replace(placement, strategies=("on-sale", "best-sellers"), size=8)
    pipeline.placements = {**pipeline.placements, "home-trending": placement}
    whole = pipeline.recommend(shared())
    pipeline.drafts._clock = lambda: time.time() + 61.0  # it expires: whoever asks is picked
    pipeline.settings = dataclasses.replace(pipeline.settings, latency_budget_ms=0.0)
    again = pipeline.recommend(shared())
    assert not again.late
    assert [item.product_id for item in again.items] == [item.product_id for item in whole.items]
    pipeline.settings = dataclasses.replace(pipeline.settings, latency_budget_ms=10_000.0)
    assert pipeline.recommend(shared()).recommendation_id != whole.recommendation_id, "with time it is made anew"


def test_one_budget_for_the_whole_request(state: State) -> None:
    """What reading the profile took is not there for candidates any more."""
    assert state.pipeline._question(shared(), started=5.0).deadline == 15.0

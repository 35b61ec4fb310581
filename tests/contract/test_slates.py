"""What every slate log promises, and that the one in the database keeps nobody waiting."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import text

from mtp_plugin.config import Settings
from mtp_plugin.errors import UnavailableError
from mtp_plugin.ports import SlateLog
from mtp_plugin.records import (
    Choice,
    ConsentLevel,
    Context,
    Profile,
    Rung,
    SegmentRef,
    Slate,
    SlateEntry,
    SlateItem,
    SlateRequest,
)
from mtp_plugin.store.background import Background
from mtp_plugin.store.memory import MemorySlates
from mtp_plugin.store.open import Stores
from mtp_plugin.store.sql_slates import SqlSlates
from tests.servers import wait_until

from .conftest import DATABASES, settings_of


@pytest.fixture(params=("memory", *DATABASES))
def logs(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Callable[[], SlateLog]:
    if request.param == "memory":
        only = MemorySlates()
        return lambda: only
    settings = settings_of(request.param, request)
    return lambda: open_again(settings).slates


@pytest.fixture
def log(logs: Callable[[], SlateLog]) -> SlateLog:
    return logs()


def entry(number: int, *profile_ids: str, score: float = 1 / 3) -> SlateEntry:
    slate = Slate(
        recommendation_id=f"{number:032x}",
        placement="home-hero",
        strategy="best-sellers",
        items=(SlateItem(product_id="p1", position=1, score=score, reason_codes=("popular",)),),
        consent_level=ConsentLevel.FULL,
        created_at=1000.0 + number,
    )
    request = SlateRequest(
        placement="home-hero",
        consent_level=ConsentLevel.FULL,
        now=1000.0 + number,
        seed=7,
        profile_ids=profile_ids,
        context=Context(device="phone"),
        filter={"brand": {"$in": ["Ω", None, 1.5]}},
    )
    rung = Rung(
        strategy="best-sellers",
        product_ids=("p1",),
        scores=(score,),
        origins=(1,),
        anchors=("",),
        sources=("popular",),
    )
    profile = Profile(profile_id=profile_ids[0], affinities={"brand": {"x": 2.0**60}}) if profile_ids else None
    return SlateEntry(slate=slate, request=request, profile=profile, rungs=(rung,), versions={"catalog": "3"})


def test_a_slate_comes_back_as_it_was(logs: Callable[[], SlateLog]) -> None:
    log, other = logs(), logs()
    given = entry(1, "u:1", "a:1")
    log.append(given)
    log.flush()
    assert other.get(given.slate.recommendation_id) == given
    assert other.get("none") is None
    assert other.get("n\0ne") is None


@pytest.mark.parametrize("kind", DATABASES)
def test_what_slates_are_counted_by_stands_in_columns(kind: str, stores: Stores) -> None:
    given = entry(1, "a:1")
    chosen = Choice(policy="hero", about="strategy", arm="on-sale", propensity=0.4)
    made = msgspec.structs.replace(
        given.slate,
        segment=SegmentRef("s1", "One", 0.9),
        fallback_level=2,
        took_us=321,
        model_version="m1",
        choices=(chosen,),
    )
    stores.slates.append(msgspec.structs.replace(given, slate=made, exposures=(("exp", 1),)))
    stores.slates.append(entry(2))
    stores.slates.flush()
    assert isinstance(stores.slates, SqlSlates)
    names = "strategy segment_id consent_level device fallback_level took_us items model_version choices experiments"
    with stores.slates._database.reading() as connection:
        rows = connection.execute(text(f"SELECT {names.replace(' ', ', ')} FROM mtp_slate ORDER BY created_at")).all()
    arm = '[{"policy":"hero","about":"strategy","arm":"on-sale","position":0}]'
    assert tuple(rows[0]) == ("best-sellers", "s1", "full", "phone", 2, 321, 1, "m1", arm, '[["exp",1]]')
    assert tuple(rows[1]) == ("best-sellers", "", "full", "phone", 0, 0, 1, "", "[]", "[]")


def test_infinite_scores_come_back(log: SlateLog) -> None:
    log.append(entry(1, score=float("inf")))
    log.flush()
    assert log.get(f"{1:032x}") == entry(1, score=float("inf"))


def test_all_that_was_appended_is_there_after_a_flush(log: SlateLog) -> None:
    for number in range(1200):
        log.append(entry(number, f"a:{number % 7}"))
    log.flush(60)
    assert all(log.get(f"{number:032x}") for number in range(1200))


def test_erasure_takes_the_slates_of_one_visitor_queued_ones_too(log: SlateLog) -> None:
    log.append(entry(1, "u:1", "a:1"))
    log.append(entry(2, "a:1"))
    log.append(entry(3, "a:2"))
    log.append(entry(4))
    assert log.erase("a:1") == 2
    assert [log.get(f"{number:032x}") is not None for number in range(1, 5)] == [False, False, True, True]
    assert log.erase("a:\0") == 0


def test_purge_takes_what_is_old(log: SlateLog) -> None:
    for number in range(2500):
        log.append(entry(number, "a:1"))
    log.flush(60)
    assert log.purge(1000.0 + 2100) == 2100
    assert log.get(f"{2099:032x}") is None
    assert log.get(f"{2100:032x}") == entry(2100, "a:1")


def test_a_sample_is_spread_over_the_time_and_no_larger_than_asked(log: SlateLog) -> None:
    for number in range(100):
        log.append(entry(number))
    log.flush()
    made = [one.slate.created_at for one in log.sample(1000.0, 1100.0, 40)]
    assert made == sorted(made)
    assert 20 <= len(made) <= 40
    assert made[0] < 1010
    assert made[-1] > 1090
    assert [one.slate.created_at for one in log.sample(1020.0, 1023.0, 100)] == [1020.0, 1021.0, 1022.0]
    assert log.sample(5000.0, 6000.0, 10) == []


def test_those_of_a_time_come_in_order_and_in_bounded_lists(log: SlateLog) -> None:
    for number in reversed(range(60)):
        log.append(entry(number // 2 if number < 20 else number) if number % 2 or number >= 20 else entry(100 + number))
    log.flush()
    lists = list(log.between(1000.0, 1050.0, batch=7))
    assert [len(some) for some in lists] == [7, 7, 7, 7, 7, 5]
    made = [(one.slate.created_at, one.slate.recommendation_id) for some in lists for one in some]
    assert made == sorted(set(made))
    assert [at for at, _ in made] == [1000.0 + number for number in (*range(10), *range(20, 50))]
    assert list(log.between(1050.0, 1050.0)) == []


def test_what_waits_is_written_at_the_end(logs: Callable[[], SlateLog]) -> None:
    log, other = logs(), logs()
    for number in range(50):
        log.append(entry(number))
    log.close()
    assert all(other.get(f"{number:032x}") for number in range(50))
    log.append(entry(99))
    log.flush()
    assert other.get(f"{99:032x}") is not None


def test_one_that_cannot_be_stored_does_not_take_others_along(stores_slates: SqlSlates) -> None:
    wrong = entry(2)
    wrong = msgspec.structs.replace(wrong, request=msgspec.structs.replace(wrong.request, filter={"x": 2**70}))
    for one in (entry(1), wrong, entry(3)):
        stores_slates.append(one)
    stores_slates.flush()
    assert [stores_slates.get(f"{number:032x}") is not None for number in (1, 2, 3)] == [True, False, True]


@pytest.fixture
def stores_slates(open_again: Callable[[Settings], Stores]) -> SqlSlates:
    slates = open_again(Settings()).slates
    assert isinstance(slates, SqlSlates)
    return slates


def test_a_forked_child_writes_its_own(stores_slates: SqlSlates) -> None:
    stores_slates.append(entry(1))
    stores_slates.flush()
    child = os.fork()
    if child == 0:
        try:
            stores_slates.append(entry(2))
            stores_slates.flush(30)
            os._exit(0 if stores_slates.get(f"{2:032x}") else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    stores_slates.append(entry(3))
    stores_slates.flush()
    assert all(stores_slates.get(f"{number:032x}") for number in (1, 2, 3))


# ------------------------------------------------------------------------------------------ the queue itself


def test_what_is_too_much_drops_the_oldest_and_counts_them() -> None:
    gate, written = threading.Event(), []

    def write(items: list[int]) -> None:
        gate.wait(30)
        written.extend(items)

    queue = Background("test", write, limit=5, group=1)
    queue.put(0)
    wait_until(lambda: not queue._queue, "the first item's turn")
    for number in range(1, 11):
        queue.put(number)
    assert queue.lost == 5
    gate.set()
    assert queue.flush(30)
    assert written == [0, 6, 7, 8, 9, 10]
    queue.close()


def test_it_tries_again_while_the_store_is_away() -> None:
    tries, written = [], []

    def write(items: list[int]) -> None:
        tries.append(len(items))
        if len(tries) < 3:
            raise UnavailableError("away")
        written.extend(items)

    queue = Background("test", write)
    queue.put(1)
    assert queue.flush(30)
    assert (written, queue.lost) == ([1], 0)
    queue.close()


def test_at_the_end_it_does_not_wait_for_a_store_that_is_away() -> None:
    def write(items: list[int]) -> None:
        raise UnavailableError("away")

    queue = Background("test", write)
    queue.put(1)
    queue.close(30)
    assert queue.lost == 1


def test_a_fault_of_ours_does_not_end_the_thread() -> None:
    written = []

    def write(items: list[int]) -> None:
        if 1 in items:
            raise KeyError(1)
        written.extend(items)

    queue = Background("test", write, group=1)
    queue.put(1)
    queue.put(2)
    assert queue.flush(30)
    assert (written, queue.lost) == ([2], 1)
    queue.close()


def test_slates_that_experiments_changed(logs: Callable[[], SlateLog]) -> None:
    """Their variations, with what they are told apart by; others are left out, and what lies outside of the time."""
    log = logs()
    for number in range(7):
        exposures = (("offer", number % 2), ("words", 1)) if number != 3 else ()
        log.append(msgspec.structs.replace(entry(number, f"a:{number}"), exposures=exposures))
    log.flush()
    found = [one for some in log.exposed(1001.0, 1006.0, batch=2) for one in some]
    assert [one.created_at for one in found] == [1001.0, 1002.0, 1004.0, 1005.0]
    assert [one.exposures for one in found] == [{"offer": number % 2, "words": 1} for number in (1, 2, 4, 5)]
    assert {(one.device, one.segment_id) for one in found} == {("phone", "")}
    assert found[0].recommendation_id == f"{1:032x}"
    assert not [one for some in log.exposed(2000.0, 3000.0) for one in some]

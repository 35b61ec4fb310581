"""What every store of outcomes promises: once each, numbered as they are committed, gone when they have to be."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from mtp_plugin.config import Settings
from mtp_plugin.ports import Outcomes
from mtp_plugin.records import Outcome
from mtp_plugin.store.memory import MemoryOutcomes
from mtp_plugin.store.open import Stores
from mtp_plugin.store.schema import outcome as table
from mtp_plugin.store.sql_outcomes import SqlOutcomes
from tests.servers import wait_until

from .conftest import DATABASES, settings_of

Open = Callable[[], Outcomes]


@pytest.fixture(params=("memory", *DATABASES))
def opened(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Open:
    if request.param == "memory":
        only = MemoryOutcomes()
        return lambda: only
    settings = settings_of(request.param, request)
    return lambda: open_again(settings).outcomes


@pytest.fixture
def outcomes(opened: Open) -> Outcomes:
    return opened()


def outcome(number: int, **changes: object) -> Outcome:
    given: dict[str, object] = {
        "outcome_id": number.to_bytes(16, "big"),
        "kind": "purchase",
        "recommendation_id": f"r{number % 3}",
        "profile_id": f"a:{number % 5}",
        "at": 1000.0 + number,
        "product_id": "p1",
        "position": 3,
        "quantity": 2.0,
        "value": 19.9,
        "margin": 1 / 3,
        "order_id": "ö1",
    }
    return Outcome(**given | changes)  # type: ignore[arg-type]


def test_an_outcome_comes_back_as_it_was_and_counts_once(opened: Open) -> None:
    one, other = opened(), opened()
    given = [outcome(1), outcome(2, kind="refund", value=-5.0), outcome(1)]
    assert one.record(given) == 2
    assert other.record([outcome(2, value=7.0), outcome(3)]) == 1
    assert one.record([]) == 0
    assert other.after(0)[0] == [outcome(1), outcome(2, kind="refund", value=-5.0), outcome(3)]
    assert one.of("r1") == [outcome(1)]
    assert one.of("none") == one.of("n\0ne") == []


def test_readers_go_on_from_a_number(outcomes: Outcomes) -> None:
    assert outcomes.after(0) == ([], 0)
    outcomes.record([outcome(number) for number in range(700)])
    found, place = outcomes.after(0, limit=400)
    assert [one.at for one in found] == [1000.0 + number for number in range(400)]
    rest, last = outcomes.after(place, limit=400)
    assert [one.at for one in rest] == [1000.0 + number for number in range(400, 700)]
    assert outcomes.after(last) == ([], last)
    outcomes.record([outcome(900), outcome(5)])
    assert outcomes.after(last)[0] == [outcome(900)]


def test_those_of_a_time_come_in_bounded_lists(outcomes: Outcomes) -> None:
    outcomes.record([outcome(number) for number in reversed(range(50))])
    lists = list(outcomes.between(1010.0, 1030.0, batch=8))
    assert [len(some) for some in lists] == [8, 8, 4]
    assert [one.at for some in lists for one in some] == [1000.0 + number for number in reversed(range(10, 30))]


def test_those_of_many_slates_are_found_at_once(outcomes: Outcomes) -> None:
    outcomes.record([outcome(number) for number in range(7)])
    found = outcomes.of_slates(["r0", "r2", "none", "n\0ne"])
    assert {name: [one.at for one in some] for name, some in found.items()} == {
        "r0": [1000.0, 1003.0, 1006.0],
        "r2": [1002.0, 1005.0],
    }


def test_erasure_takes_those_of_one_visitor(outcomes: Outcomes) -> None:
    outcomes.record([outcome(number) for number in range(20)])
    assert [one.at for one in outcomes.of_visitor("a:2")] == [1002.0, 1007.0, 1012.0, 1017.0]
    assert outcomes.erase("a:2") == 4
    assert outcomes.of_visitor("a:2") == []
    assert len(outcomes.after(0)[0]) == 16
    assert outcomes.erase("a:2") == outcomes.erase("a:\0") == 0
    assert outcomes.of_visitor("a:\0") == []


def test_what_is_old_goes_and_numbers_are_not_given_again(outcomes: Outcomes) -> None:
    outcomes.record([outcome(number) for number in range(10)])
    place = outcomes.after(0)[1]
    assert outcomes.purge(1004.0, dry=True) == 4
    assert outcomes.purge(1004.0) == 4
    assert outcomes.purge(2000.0) == 6
    outcomes.record([outcome(50)])
    assert outcomes.after(place)[0] == [outcome(50)]


@pytest.mark.parametrize("kind", DATABASES)
def test_all_or_none(kind: str, stores: Stores) -> None:
    outcomes = stores.outcomes
    with pytest.raises(Exception, match=r"(?i)null"):
        outcomes.record([outcome(1), outcome(2, kind=None)])
    assert outcomes.after(0) == ([], 0)


def test_many_writers_at_once_lose_nothing_and_count_once(opened: Open) -> None:
    stores, counts = [opened() for _ in range(4)], []

    def write(place: int) -> None:
        for start in range(0, 200, 20):
            counts.append(stores[place].record([outcome(start + number) for number in range(20 + place)]))

    threads = [threading.Thread(target=write, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == len(stores[0].after(0)[0]) == 203


@pytest.mark.postgres
def test_a_writer_that_began_earlier_is_never_overtaken(
    request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]
) -> None:
    settings = settings_of("postgres", request)
    slow, quick = (open_again(settings).outcomes for _ in range(2))
    assert isinstance(slow, SqlOutcomes)
    quick.record([outcome(1)])
    database = slow._database
    with database.writing() as connection:
        slow._alone(connection)
        connection.execute(table.insert(), {name: getattr(outcome(2), name) for name in Outcome.__struct_fields__})
        writer = threading.Thread(target=quick.record, args=([outcome(3)],))
        writer.start()
        waiting = select(table.c.number)
        wait_until(lambda: _someone_waits(quick), "the second writer to wait for the first")
        assert quick.after(0)[0] == [outcome(1)], "the second may not be seen before the first"
        assert connection.execute(waiting).all() == [(1,), (2,)]
    writer.join()
    assert quick.after(0)[0] == [outcome(1), outcome(2), outcome(3)]


def _someone_waits(store: Outcomes) -> bool:
    from sqlalchemy import text

    assert isinstance(store, SqlOutcomes)
    with store._database.reading() as connection:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'mtp_outcome'::regclass"
        return connection.execute(text(query)).scalar_one() > 0

"""What is counted of the shop's life, and what was changed about placements."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import insert, text

from mtp_plugin.config import Settings
from mtp_plugin.errors import ConflictError
from mtp_plugin.ports import ChangeLog
from mtp_plugin.store.memory import MemoryChanges
from mtp_plugin.store.open import Stores
from mtp_plugin.store.schema import experiment_change
from mtp_plugin.store.sql_changes import SqlChanges
from tests.servers import wait_until

from .conftest import DATABASES, settings_of
from .events import make_event, note
from .test_slates import entry


@pytest.fixture(params=DATABASES)
def stores(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Stores:
    return open_again(settings_of(request.param, request))


def test_events_by_name_and_time(stores: Stores) -> None:
    assert stores.activity.events(0, 1e12, 60) == {}
    events = [msgspec.structs.replace(make_event(number), timestamp=1000.0 + 25 * number) for number in range(8)]
    stores.journal.record(events, note)
    (name,) = {event.name for event in events}
    assert stores.activity.events(1000, 1100, 50) == {name: {0: 2, 1: 2}}
    assert stores.activity.events(1000, 1200, 1000) == {name: {0: 8}}
    with pytest.raises(ValueError, match="step"):
        stores.activity.events(0, 1, 0)


def test_slates_by_placement_and_the_latest(stores: Stores) -> None:
    for number in range(10):
        stores.slates.append(entry(number))
    stores.slates.flush()
    assert stores.activity.slates(1000, 1010, 4) == {"home-hero": {0: 4, 1: 4, 2: 2}}
    latest = stores.activity.latest_slates(3)
    assert [found.slate.created_at for found in latest] == [1009.0, 1008.0, 1007.0]
    assert len(stores.activity.latest_slates(100, since=1006.0)) == 4
    assert stores.activity.latest_slates(100, placement="elsewhere") == []


@pytest.fixture(params=[f"{of} {where}" for where in ("memory", *DATABASES) for of in ("placements", "experiments")])
def changes(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> ChangeLog:
    of, _, where = request.param.partition(" ")
    if where == "memory":
        return MemoryChanges()
    found: ChangeLog = getattr(open_again(settings_of(where, request)), of)
    return found


def test_the_newest_change_holds(changes: ChangeLog) -> None:
    assert (changes.version(), changes.current(), changes.history("a")) == (0, {}, [])
    first = changes.change("a", {"size": 3, "strategies": ["on-sale"]}, who="Ada", now=1.5)
    version = changes.version()
    second = changes.change("a", {}, who="Ben", now=2.5)
    other = changes.change("b", {"title": "Ω"}, who="Ada", now=3.5)
    assert 0 < version < changes.version()
    assert changes.current() == {"a": second, "b": other}
    assert changes.history("a") == [second, first]
    assert changes.history("a", 1) == [second]
    assert changes.history("a\0") == []


def test_a_change_of_an_older_state_is_refused(changes: ChangeLog) -> None:
    first = changes.change("a", {"size": 1}, who="Ada", now=1.0, expected=0)
    with ThreadPoolExecutor(4) as threads:
        tried = [
            threads.submit(changes.change, "a", {"size": size}, who="Ben", now=2.0, expected=first.number)
            for size in range(2, 10)
        ]
    refused = [one.exception() for one in tried if one.exception()]
    assert [type(error) for error in refused] == [ConflictError] * 7
    assert len(changes.history("a")) == 2
    changes.change("b", {}, who="Ada", now=3.0)
    newest = changes.current()["a"]
    assert changes.change("a", {}, who="Ada", now=4.0, expected=newest.number).number > newest.number


@pytest.mark.postgres
def test_who_changes_it_at_the_same_moment_waits_and_is_refused(
    request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]
) -> None:
    changes = open_again(settings_of("postgres", request)).experiments
    assert isinstance(changes, SqlChanges)
    database = changes._database
    first = changes.change("a", {"size": 1}, who="Ada", now=1.0)

    def waits() -> bool:
        with database.reading() as other:
            return bool(other.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first())

    with ThreadPoolExecutor(1) as thread:
        with database.writing() as connection:
            assert changes._locked(connection, "a") == first.number
            late = thread.submit(changes.change, "a", {"size": 2}, who="Ben", now=2.0, expected=first.number)
            wait_until(waits, "the other one to wait")
            row = {"name": "a", "options": "{}", "changed_at": 1.5, "changed_by": "Ada"}
            connection.execute(insert(experiment_change).values(row))
        assert isinstance(late.exception(30), ConflictError)
    assert [change.changed_by for change in changes.history("a")] == ["Ada", "Ada"]

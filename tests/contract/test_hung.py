"""A PostgreSQL that stands still and a SQLite that somebody keeps locked: nobody waits for long, and it heals."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from mtp_plugin.config import Settings
from mtp_plugin.errors import UnavailableError
from mtp_plugin.patience import hurry, patiently, rest
from mtp_plugin.store.breaker import Breaker
from mtp_plugin.store.database import Database
from mtp_plugin.store.open import Stores
from tests.servers import PostgresServer, wait_until

from .events import make_event, note, noted

Open = Callable[[Settings], Stores]

FOR_EVER = 120.0
"""Seconds after which the server goes on by itself: who waited for it has then failed."""


@contextmanager
def standing_still(server: PostgresServer) -> Iterator[threading.Event]:
    """Stops all processes of the server; gives what is set when it had to be woken up because somebody waited on."""
    parent = server._process._pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    family = [parent, *map(int, children)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    woken = threading.Event()

    def wake() -> None:
        for pid in family:
            os.kill(pid, signal.SIGCONT)

    def give_up() -> None:
        woken.set()
        wake()

    alarm = threading.Timer(FOR_EVER, give_up)
    alarm.start()
    try:
        yield woken
    finally:
        alarm.cancel()
        wake()


def calls_of(stores: Stores) -> list[Callable[[], object]]:
    return [
        lambda: stores.journal.profiles(["a:1"]),
        lambda: stores.catalog_store.availability(["p"]),
        lambda: stores.catalog_store.version(),
        lambda: stores.registry.current("behaviour"),
        lambda: stores.journal.record([make_event(2)], note),
    ]


@pytest.mark.postgres
@pytest.mark.parametrize("first", range(5))
def test_a_server_that_stands_still_holds_up_nobody(
    mortal_postgres: PostgresServer, open_again: Open, first: int
) -> None:
    stores = open_again(Settings(database_url=mortal_postgres.url("postgres"), latency_budget_ms=1000))
    assert stores.journal.record([make_event(1)], note) == [True]
    wait_until(lambda: stores.probes["database"]() == "", "an answer within the budget")
    calls = calls_of(stores)
    with standing_still(mortal_postgres) as woken:
        for call in (calls[first], *calls):
            with pytest.raises(UnavailableError):
                call()
        assert not woken.is_set(), "somebody waited until the server went on"
    wait_until(lambda: stores.probes["database"]() == "", "the return of the database")
    stores.journal.record([make_event(2)], note)
    assert noted(stores.journal.profiles(["a:1"])[0]) == ["a:1|1", "a:1|2"]


@pytest.mark.postgres
def test_a_crowd_does_not_queue_for_a_server_that_stands_still(
    mortal_postgres: PostgresServer, open_again: Open
) -> None:
    stores = open_again(Settings(database_url=mortal_postgres.url("postgres"), latency_budget_ms=1000))
    stores.journal.record([make_event(1)], note)

    def ask(worker: int) -> str:
        calls = calls_of(stores)
        for step in range(10):
            try:
                calls[(worker + step) % len(calls)]()
            except UnavailableError:
                continue
            return "answered"
        return "refused"

    with standing_still(mortal_postgres) as woken, ThreadPoolExecutor(40) as pool:
        assert set(pool.map(ask, range(40))) == {"refused"}
        assert not woken.is_set()
    wait_until(lambda: stores.probes["database"]() == "", "the return of the database")
    assert len(stores.journal.profiles(["a:1", "a:2"])) == 2


@pytest.mark.postgres
def test_requests_whose_senders_send_again_leave_a_server_that_stands_still(
    mortal_postgres: PostgresServer, open_again: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a write or a late answer may take otherwise: threads that all wait leave none for pages."""
    monkeypatch.setattr("mtp_plugin.store.database.PAGE_WRITE_S", 10 * FOR_EVER)
    monkeypatch.setattr("mtp_plugin.patience.LONGEST_S", 10 * FOR_EVER)
    stores = open_again(Settings(database_url=mortal_postgres.url("postgres"), latency_budget_ms=50))
    stores.journal.record([make_event(1)], note)
    calls = calls_of(stores)

    def ask(worker: int) -> str:
        hurry()
        try:
            with patiently(resent=worker > 0):
                calls[(4, 0)[worker % 2]]()
        except UnavailableError:
            return "refused"
        finally:
            rest()
        return "answered"

    def page() -> None:
        hurry()
        try:
            with pytest.raises(UnavailableError):
                calls[1]()
        finally:
            rest()

    with ThreadPoolExecutor(12) as pool, standing_still(mortal_postgres) as woken:
        waiting = [pool.submit(ask, worker) for worker in range(1, 9)]
        page()  # finds out
        assert {future.result() for future in waiting} == {"refused"}
        assert {ask(worker) for worker in (1, 2)} == {"refused"}, "and who comes later, at once"
        assert not woken.is_set(), "somebody waited until the server went on"
        own = pool.submit(ask, 0)  # nobody sends this again: it waits
        waitings = own.done()
    assert not waitings
    assert own.result() == "answered"
    wait_until(lambda: stores.probes["database"]() == "", "the return of the database")


@pytest.mark.postgres
def test_a_server_that_stops_during_a_transaction_is_left(
    mortal_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtp_plugin.store.database.PAGE_WRITE_S", 1.0)
    database = Database(mortal_postgres.url("postgres"), 50)
    assert database.revision()

    def write() -> None:
        with database.writing(page=True) as connection, standing_still(mortal_postgres):
            connection.execute(text("SELECT 1"))

    with pytest.raises(UnavailableError, match="no answer"):
        write()
    wait_until(lambda: database.probe() == "", "the return of the database")
    database.close()


# ---------------------------------------------------------------------------------------- SQLite's lock


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Callable[[], sqlite3.Connection]]:
    """Takes the write lock as another process would."""
    taken: list[sqlite3.Connection] = []

    def take() -> sqlite3.Connection:
        taken.append(sqlite3.connect(tmp_path / "instance" / "mtp.sqlite", isolation_level=None))
        taken[-1].execute("BEGIN IMMEDIATE")
        return taken[-1]

    yield take
    for connection in taken:
        connection.close()


def test_pages_do_not_queue_for_a_lock_that_somebody_keeps(
    open_again: Open, lock: Callable[[], sqlite3.Connection]
) -> None:
    stores = open_again(Settings())
    assert stores.journal.record([make_event(1)], note) == [True]
    other = lock()
    with pytest.raises(UnavailableError, match="locked"):
        stores.journal.record([make_event(2)], note)
    with pytest.raises(UnavailableError, match="a moment ago"):
        stores.journal.record([make_event(3)], note)
    assert noted(stores.journal.profiles(["a:1"])[0]) == ["a:1|1"], "reading goes on"
    other.rollback()
    wait_until(lambda: _recorded(stores, 2), "the end of the pause")
    assert noted(stores.journal.profiles(["a:1"])[0]) == ["a:1|1", "a:1|2"]


def _recorded(stores: Stores, number: int) -> bool:
    try:
        return stores.journal.record([make_event(number)], note) == [True]
    except UnavailableError:
        return False


def test_a_page_waits_less_for_the_lock_than_a_job(open_again: Open, lock: Callable[[], sqlite3.Connection]) -> None:
    stores = open_again(Settings())
    stores.journal.record([make_event(1)], note)
    other = lock()
    got: list[bool] = []
    job = threading.Thread(target=lambda: got.append(stores.leases.acquire("job", "me", 60)))
    job.start()
    with pytest.raises(UnavailableError):
        stores.journal.record([make_event(2)], note)
    assert job.is_alive(), "the job still waits for its turn"
    other.rollback()
    job.join(60)
    assert got == [True]


# ------------------------------------------------------------------------------------------- half-open


def test_after_the_pause_one_tries_for_all() -> None:
    now = [0.0]
    breaker = Breaker("something", pause=1, longest=2, clock=lambda: now[0])
    assert breaker.admits()
    assert breaker.admits(), "while all is well there is no limit"
    breaker.failed(OSError("no"))
    assert not breaker.admits()
    now[0] = 1.0
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    now[0] = 3.0
    assert [breaker.admits() for _ in range(2)] == [True, False], "who tried has not come back: the next one"
    breaker.succeeded()
    assert breaker.admits()
    assert breaker.admits()


def test_a_breaker_pauses_for_two_seconds_at_most() -> None:
    now = [0.0]
    breaker = Breaker("something", clock=lambda: now[0])
    for _ in range(20):
        breaker.failed(OSError("no"))
    now[0] = 2.0
    assert breaker.admits()

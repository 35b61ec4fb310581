"""Databases that are away, slow or shared by a forked child."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mtp_plugin.config import Settings
from mtp_plugin.errors import SettingError, SetupError, UnavailableError
from mtp_plugin.records import Event, Profile
from mtp_plugin.store.database import Database
from mtp_plugin.store.open import Stores
from mtp_plugin.store.sql_journal import SqlJournal
from mtp_plugin.store.turns import Turns
from tests.servers import PostgresServer, wait_until

from .conftest import DATABASES, PATIENT_MS, settings_of
from .events import make_event, note, noted

Open = Callable[[Settings], Stores]


def seen(stores: Stores) -> list[str]:
    return noted(stores.journal.profiles(["a:1"])[0])


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_nothing_is_touched_before_it_is_used(open_again: Open, tmp_path: Path) -> None:
    open_again(Settings())
    assert not (tmp_path / "instance").exists()
    open_again(Settings(database_url="postgresql://nobody@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0"))


def test_every_port_says_unavailable_when_the_database_is_away(open_again: Open) -> None:
    stores = open_again(Settings(database_url="postgresql://nobody@127.0.0.1:1/none"))
    calls: list[Callable[[], object]] = [
        lambda: stores.journal.record([make_event(1)], note),
        lambda: stores.journal.profiles(["a:1"]),
        lambda: list(stores.journal.scan()),
        lambda: stores.catalog_store.version(),
        lambda: stores.catalog_store.availability(["p"]),
        lambda: stores.slates.get("r"),
        lambda: stores.consents.of("a:1"),
        lambda: stores.leases.acquire("x", "me", 1),
        lambda: stores.registry.current("behaviour"),
    ]
    for call in calls:
        with pytest.raises(UnavailableError):
            call()
    assert stores.probes["database"]()


@pytest.mark.parametrize("wrong", [{"database_url": "sqlite://"}, {"model_folder": "no-such-thing://models"}], ids=str)
def test_what_cannot_work_stops_the_start(open_again: Open, wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="MTP_"):
        open_again(Settings(**wrong))


def test_a_folder_that_cannot_be_made_is_said(open_again: Open, tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("a file where the folder should be")
    stores = open_again(Settings())
    with pytest.raises(UnavailableError, match="folder"):
        stores.journal.count()
    assert "folder" in stores.probes["database"]()


def test_the_drivers_error_is_the_cause(open_again: Open) -> None:
    stores = open_again(Settings(database_url="postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(UnavailableError) as raised:
        stores.journal.count()
    assert "OperationalError" in type(raised.value.__cause__).__name__


def test_a_file_that_is_no_database_is_said(open_again: Open, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"this is not a database" * 100)
    stores = open_again(Settings(database_url=f"sqlite:///{tmp_path}/x"))
    with pytest.raises(UnavailableError, match="not a database"):
        stores.journal.count()
    assert "not a database" in stores.probes["database"]()


@pytest.mark.postgres
def test_after_a_restart_of_the_server_it_goes_on(mortal_postgres: PostgresServer, open_again: Open) -> None:
    stores = open_again(Settings(database_url=mortal_postgres.url("postgres"), latency_budget_ms=PATIENT_MS))
    stores.journal.record([make_event(1)], note)
    assert seen(stores) == ["a:1|1"]
    mortal_postgres.stop()
    with pytest.raises(UnavailableError):
        stores.journal.record([make_event(2)], note)
    with pytest.raises(UnavailableError):
        stores.journal.profiles(["a:1"])
    mortal_postgres.start()
    wait_until(lambda: stores.probes["database"]() == "", "the return of the database")
    assert stores.journal.record([make_event(2)], note) == [True]
    assert seen(stores) == ["a:1|1", "a:1|2"]


@pytest.mark.postgres
def test_a_restart_nobody_noticed_costs_nothing(mortal_postgres: PostgresServer, open_again: Open) -> None:
    stores = open_again(Settings(database_url=mortal_postgres.url("postgres"), latency_budget_ms=PATIENT_MS))
    stores.journal.record([make_event(1)], note)
    assert seen(stores) == ["a:1|1"]
    mortal_postgres.stop()
    mortal_postgres.start()
    assert seen(stores) == ["a:1|1"]
    assert stores.journal.record([make_event(2)], note) == [True]


@pytest.mark.postgres
def test_a_page_waits_no_longer_than_its_budget(postgres_url: str) -> None:
    database = Database(postgres_url, 50)
    with pytest.raises(UnavailableError, match="statement timeout"):
        database.glance(text("SELECT pg_sleep(30)"))
    wait_until(lambda: database.probe() == "", "one slow statement shuts the database off only until it was asked")
    database.close()


def test_what_is_our_own_fault_is_not_called_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/mtp.sqlite", PATIENT_MS)
    with pytest.raises(IntegrityError), database.writing() as connection:
        connection.execute(text("INSERT INTO mtp_catalog_version (id, version) VALUES (1, 1)"))
    with database.writing() as connection:
        assert connection.execute(text("SELECT version FROM mtp_catalog_version")).scalar() == 0
    database.close()


def test_a_newer_databases_tables_are_left_alone(open_again: Open, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/instance/mtp.sqlite", PATIENT_MS)
    with database.writing() as connection:
        connection.execute(text("UPDATE mtp_schema_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(SetupError, match="9999"):
        open_again(Settings()).journal.count()


def test_a_forked_child_has_connections_of_its_own(kind: str, request: pytest.FixtureRequest, open_again: Open) -> None:
    stores = open_again(settings_of(kind, request))
    stores.journal.record([make_event(1)], note)
    assert seen(stores) == ["a:1|1"]
    child = os.fork()
    if child == 0:
        try:
            new = stores.journal.record([make_event(2)], note)
            os._exit(0 if new == [True] and seen(stores) == ["a:1|1", "a:1|2"] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert stores.journal.record([make_event(3)], note) == [True]
    assert seen(stores) == ["a:1|1", "a:1|2", "a:1|3"]


def test_a_child_waits_for_no_lock_of_its_parent() -> None:
    parent, started, gate = os.getpid(), threading.Event(), threading.Event()

    def run(items: Sequence[int]) -> list[BaseException | None]:
        started.set()
        if os.getpid() == parent:
            gate.wait(60)
        return [None] * len(items)

    turns = Turns(run)
    thread = threading.Thread(target=turns.take, args=(1,))
    thread.start()
    started.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # ends a child that hangs
        turns.take(2)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    gate.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


# ---------------------------------------------------------------------------------------- group commit


def test_one_failing_fold_spoils_only_its_own_batch(open_again: Open) -> None:
    journal = open_again(Settings()).journal
    ready = threading.Barrier(8)
    outcomes: dict[int, str] = {}

    def broken(profile: Profile | None, events: Sequence[Event]) -> Profile:
        raise ZeroDivisionError

    def work(worker: int) -> None:
        ready.wait()
        for step in range(10):
            try:
                journal.record([make_event(worker * 100 + step)], broken if worker == 3 else note)
                outcomes[worker * 100 + step] = "recorded"
            except ZeroDivisionError:
                outcomes[worker * 100 + step] = "failed"

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number for number, outcome in outcomes.items() if outcome == "failed"} == set(range(300, 310))
    assert journal.count() == 70


def test_a_group_is_recorded_as_if_one_after_the_other(
    kind: str, request: pytest.FixtureRequest, open_again: Open
) -> None:
    stores = open_again(settings_of(kind, request))
    journal = stores.journal
    assert isinstance(journal, SqlJournal)
    stores.journal.record([make_event(1)], note)
    folds: list[list[str]] = []

    def counting(profile: Profile | None, events: Sequence[Event]) -> Profile:
        folds.append([event.dedupe_key for event in events])
        return note(profile, events)

    numbers = [[1, 2], [2, 3], [3, 3], [4]]
    batches = [journal.batch([make_event(number) for number in some], counting) for some in numbers]
    batches[3].stale = True
    assert journal._commit_group(batches) == [None] * 4
    assert [batch.new for batch in batches] == [[False, True], [False, True], [False, False], [True]]
    assert folds == [["a:1|2", "a:1|3", "a:1|4"]], "one profile is folded once"
    assert [sorted(batch.profiles) for batch in batches] == [["a:1"], ["a:1"], [], ["a:1"]]
    assert seen(stores) == ["a:1|1", "a:1|2", "a:1|3", "a:1|4"]
    assert next(journal.stale())[1] == ["a:1"]


def test_who_is_interrupted_while_waiting_holds_up_nobody() -> None:
    ran: list[int] = []
    started, gate = threading.Event(), threading.Event()

    def run(items: Sequence[int]) -> list[BaseException | None]:
        started.set()
        gate.wait(60)
        ran.extend(items)
        return [None] * len(items)

    def interrupt(*told: object) -> None:
        raise InterruptedError

    turns = Turns(run)
    first, third = (threading.Thread(target=turns.take, args=(item,)) for item in (1, 3))
    first.start()
    started.wait(60)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(InterruptedError):
            turns.take(2)
    finally:
        signal.signal(signal.SIGALRM, before)
    third.start()
    wait_until(lambda: len(turns._waiting) == 1, "the third to wait")
    gate.set()
    for thread in (first, third):
        thread.join(60)
    assert ran == [1, 3]
    turns.take(4)
    assert ran == [1, 3, 4]


def test_an_interrupt_is_the_leaders_alone() -> None:
    """Those whose batches it carried are told to send them again, not that they were interrupted."""
    started, gate, told = threading.Event(), threading.Event(), dict[int, str]()

    def run(items: Sequence[int]) -> list[BaseException | None]:
        if 2 in items:
            raise SystemExit
        started.set()
        gate.wait(60)
        return [None] * len(items)

    def take(item: int) -> None:
        try:
            turns.take(item)
            told[item] = "stored"
        except BaseException as error:
            told[item] = type(error).__name__

    turns = Turns(run)
    threads = [threading.Thread(target=take, args=(item,)) for item in (1, 2, 3)]
    for place, thread in enumerate(threads):
        thread.start()
        started.wait(60)
        wait_until(lambda place=place: len(turns._waiting) == place, "the next to wait")
    gate.set()
    for thread in threads:
        thread.join(60)
    assert told == {1: "stored", 2: "SystemExit", 3: "UnavailableError"}


def test_who_waits_goes_along_with_the_next_group() -> None:
    groups: list[list[int]] = []
    started, gate = threading.Event(), threading.Event()

    def run(items: Sequence[int]) -> list[BaseException | None]:
        groups.append(sorted(items))
        started.set()
        gate.wait(30)
        return [ValueError("its own") if item == 2 else None for item in items]

    turns = Turns(run, largest=3)
    errors: list[BaseException] = []

    def take(item: int) -> None:
        try:
            turns.take(item)
        except ValueError as error:
            errors.append(error)

    threads = [threading.Thread(target=take, args=(item,)) for item in range(6)]
    threads[0].start()
    started.wait(30)
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: len(turns._waiting) == 5, "five to wait")
    gate.set()
    for thread in threads:
        thread.join(30)
    assert [len(group) for group in groups] == [1, 3, 2]
    assert sorted(item for group in groups for item in group) == list(range(6))
    assert [str(error) for error in errors] == ["its own"]


def test_what_befalls_a_group_is_told_to_all_of_it() -> None:
    def run(items: Sequence[int]) -> list[BaseException | None]:
        raise UnavailableError("the disk is full")

    turns = Turns(run)
    for item in range(2):
        with pytest.raises(UnavailableError, match="the disk is full"):
            turns.take(item)
    with pytest.raises(ValueError, match="largest"):
        Turns(run, largest=0)

"""A real streaming replica: what reads many events reads it there, as the database has it, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import SettingError
from mtp_plugin.ports import Journal
from mtp_plugin.store.open import Stores
from mtp_plugin.store.sql_journal import SqlJournal
from tests.servers import PostgresServer, postgres_programs

from .conftest import PATIENT_MS
from .events import make_event, note

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def replica_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    programs = postgres_programs()
    assert programs is not None
    server = PostgresServer(programs, follows=postgres_server)
    yield server
    server.close()


@pytest.fixture
def followed(
    postgres_url: str, replica_server: PostgresServer, open_again: Callable[[Settings], Stores]
) -> tuple[SqlJournal, str]:
    """The journal, and the URL of the replica."""
    url = replica_server.url(postgres_url.rpartition("/")[2])
    stores = open_again(Settings(database_url=postgres_url, replica_url=url, latency_budget_ms=PATIENT_MS))
    assert isinstance(stores.journal, SqlJournal)
    return stores.journal, url


def read(journal: Journal) -> list[str]:
    return [name for some in journal.interactions() for name in some.product_ids]


def test_it_is_read_with_all_that_is_committed(followed: tuple[SqlJournal, str]) -> None:
    journal, _ = followed
    for number in range(30):
        journal.record([make_event(number)], note)
        assert read(journal)[-1] == f"p{number}", "not one commit behind"
    assert journal._for_many() is journal._replica
    assert [event.message_id for some in journal.scan() for event in some] == [f"m{number}" for number in range(30)]
    journal.erase("a:1")
    assert read(journal) == [], "what is erased is learnt from no more"


def test_a_replica_behind_or_away_is_passed_over(
    followed: tuple[SqlJournal, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, url = followed
    monkeypatch.setattr("mtp_plugin.store.replica.WAIT_S", 0.1)
    journal.record([make_event(1)], note)
    with psycopg.connect(url, autocommit=True) as replica:
        replica.execute("SELECT pg_wal_replay_pause()")
        try:
            journal.record([make_event(2)], note)
            assert read(journal) == ["p1", "p2"]
            assert journal._for_many() is journal._database
        finally:
            replica.execute("SELECT pg_wal_replay_resume()")


def test_one_that_is_not_there_costs_nothing_but_a_line(
    postgres_url: str, open_again: Callable[[Settings], Stores]
) -> None:
    away = "postgresql://mtp@127.0.0.1:1/nowhere"
    stores = open_again(Settings(database_url=postgres_url, replica_url=away, latency_budget_ms=PATIENT_MS))
    stores.journal.record([make_event(1)], note)
    assert read(stores.journal) == ["p1"]
    assert stores.probes["replica"]()


def test_a_database_that_follows_nobody_is_no_replica(
    postgres_url: str, open_again: Callable[[Settings], Stores], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database_url=postgres_url, replica_url=postgres_url, latency_budget_ms=PATIENT_MS)
    stores = open_again(settings)
    assert isinstance(stores.journal, SqlJournal)
    stores.journal.record([make_event(1)], note)
    monkeypatch.setattr("mtp_plugin.store.replica.WAIT_S", 0.05)
    assert stores.journal._for_many() is stores.journal._database


def test_it_goes_with_postgresql_alone() -> None:
    with pytest.raises(SettingError, match="has to follow MTP_DATABASE_URL"):
        Settings.read({"MTP_REPLICA_URL": "postgresql://x/y"})

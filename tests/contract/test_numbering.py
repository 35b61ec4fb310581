"""Readers that follow the journal pass over nothing, however long a transaction with lower numbers stays open."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence

import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import UnavailableError
from mtp_plugin.records import Event, Profile
from mtp_plugin.store.open import Stores, open_stores

from ..servers import wait_until
from .events import make_event, note


@pytest.fixture
def stores(postgres_url: str, tmp_path: object) -> Stores:
    opened = open_stores(Settings(database_url=postgres_url, latency_budget_ms=10_000), str(tmp_path))
    yield opened  # type: ignore[misc]
    opened.close()


class Held:
    """A fold that stands still, so that its transaction stays open with its numbers taken."""

    def __init__(self) -> None:
        self.there, self.go_on = threading.Event(), threading.Event()

    def __call__(self, profile: Profile | None, events: Sequence[Event]) -> Profile:
        self.there.set()
        self.go_on.wait()
        return note(profile, events)


@pytest.mark.postgres
def test_nothing_is_passed_over_while_a_transaction_is_open(
    stores: Stores, postgres_url: str, tmp_path: object
) -> None:
    journal, held = stores.journal, Held()
    other = open_stores(Settings(database_url=postgres_url, latency_budget_ms=10_000), str(tmp_path))
    journal.record([make_event(1)], note)
    slow = threading.Thread(target=other.journal.record, args=([make_event(2, "a:slow", received_at=0.0)], held))
    slow.start()
    held.there.wait()
    journal.record([make_event(3, "a:other"), make_event(4, "a:other")], note)  # numbers above, committed before
    found, reached = journal.tail(0)
    assert [number for number, _ in found] == [1]
    assert reached == 1
    assert journal.last_number() == 1
    assert journal.tail(reached) == ([], 1), "it stays so, whatever the clock says"
    held.go_on.set()
    slow.join()
    found, reached = journal.tail(reached)
    assert [event.profile_id for _, event in found] == ["a:slow", "a:other", "a:other"]
    assert reached == journal.last_number() == 4
    other.close()


@pytest.mark.postgres
def test_who_dies_at_work_holds_up_nobody(stores: Stores, postgres_url: str, tmp_path: object) -> None:
    import psycopg

    journal, held = stores.journal, Held()
    other = open_stores(Settings(database_url=postgres_url, latency_budget_ms=10_000), str(tmp_path))
    dying = threading.Thread(target=lambda: _quietly(other, held))
    dying.start()
    held.there.wait()
    journal.record([make_event(2, "a:other")], note)
    assert journal.tail(0) == ([], 0)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        others = "pid <> pg_backend_pid() AND datname = current_database() AND state = 'idle in transaction'"
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    wait_until(lambda: journal.last_number() == 2, "the end of the dead one's transaction")
    assert [event.profile_id for _, event in journal.tail(0)[0]] == ["a:other"]
    held.go_on.set()
    dying.join()
    other.close()


def _quietly(stores: Stores, held: Held) -> None:
    with contextlib.suppress(UnavailableError):
        stores.journal.record([make_event(1, "a:dying")], held)

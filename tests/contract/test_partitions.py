"""Events in a table a month: a database with data is split where it is, and keeps every promise of a journal."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from mtp_plugin.config import Settings
from mtp_plugin.errors import SetupError
from mtp_plugin.records import Event
from mtp_plugin.store.memory import MemoryJournal
from mtp_plugin.store.open import Stores
from mtp_plugin.store.partitions import months
from mtp_plugin.store.sql_journal import SqlJournal
from tests.servers import postgres_programs

from .conftest import PATIENT_MS, settings_of
from .events import START, make_event, note, noted

pytestmark = pytest.mark.postgres
MONTH = 31 * 86_400.0


@pytest.fixture
def journals(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Callable[[], SqlJournal]:
    """Gives one journal more on the same database."""
    settings = settings_of("postgres", request)

    def open_one() -> SqlJournal:
        journal = open_again(settings).journal
        assert isinstance(journal, SqlJournal)
        return journal

    return open_one


def tables(journal: SqlJournal) -> dict[str, int]:
    """How many events lie in each part."""
    query = text("SELECT tableoid::regclass::text, count(*) FROM mtp_event GROUP BY 1")
    with journal._database.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def at(moment: float, number: int, **fields: object) -> Event:
    return make_event(number, received_at=moment, **fields)


def test_what_is_there_stays_and_what_comes_goes_by_month(journals: Callable[[], SqlJournal]) -> None:
    journal, other = journals(), journals()
    old = [at(START + number, number, permanent=number < 3) for number in range(10)]
    journal.record(old, note)
    other.record([at(START, 90, profile_id="a:2")], note)
    assert journal.partition(START) is True
    assert journal.partition(START) is False
    this, following, third = months(START, 3)
    new = [at(following.start + 5, 20), at(third.start, 21), at(this.end - 1, 22), at(START + 400 * 86_400, 23)]
    assert other.record(new, note) == [True] * 4
    assert tables(journal) == {"mtp_event_before": 12, following.table: 1, third.table: 1, "mtp_event_rest": 1}
    assert [event.dedupe_key for event in journal.events_of("a:1")] == [event.dedupe_key for event in [*old, *new]]
    assert noted(journal.profiles(["a:1"])[0]) == [event.dedupe_key for event in [*old, *new]]
    assert journal.record([*old, *new], note) == [False] * 14
    assert journal.last_number() == 15
    assert sum(len(some.names) for some in journal.interactions(after=11)) == 4
    found, _ = journal.tail(10)
    assert [number for number, _ in found] == [11, 12, 13, 14, 15]
    assert journal.rebuild(note) == 2
    assert journal.erase("a:1") == 14
    assert tables(journal) == {"mtp_event_before": 1}


def test_the_permanent_is_there_once_whoever_brings_it(journals: Callable[[], SqlJournal]) -> None:
    writers = [journals() for _ in range(4)]
    writers[0].partition(START)
    first = [make_event(number, f"a:{number % 5}", permanent=True) for number in range(60)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda journal: journal.record(first, note), writers))
    assert [sum(told) for told in zip(*answers, strict=True)] == [1] * 60
    assert writers[0].count() == 60
    later = [make_event(number, f"a:{number % 5}", permanent=True, received_at=START + MONTH) for number in range(5)]
    again = [
        event.__class__(**{**_fields(event), "event_id": first[place].event_id}) for place, event in enumerate(later)
    ]
    assert writers[1].record(again, note) == [False] * 5, "in another month, too"


def _fields(event: Event) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_old_months_are_dropped_whole(journals: Callable[[], SqlJournal]) -> None:
    journal = journals()
    journal.record([at(START, 1), at(START + 1, 2, profile_id="a:2")], note)
    journal.partition(START)
    _, following, third = months(START, 3)
    journal.record([at(following.start, 3), at(following.end - 1, 4), at(third.start + 10, 5)], note)
    before = third.start + 5.0
    assert journal.expire(before, dry=True) == 4
    assert journal.expire(before) == 4
    assert tables(journal) == {third.table: 1}
    with journal._database.reading() as connection:
        gone = connection.execute(
            text("SELECT to_regclass('mtp_event_before'), to_regclass(:name)"), {"name": following.table}
        )
        assert tuple(gone.one()) == (None, None)
    assert journal.record([at(third.start + 20, 6)], note) == [True], "numbers go on"
    assert journal.last_number() == 6


def test_months_to_come_are_made_by_the_daily_job(journals: Callable[[], SqlJournal]) -> None:
    journal = journals()
    journal.partition(START)
    later = START + 7 * MONTH
    journal.record([at(later, 1)], note)
    assert tables(journal) == {"mtp_event_rest": 1}
    journal.purge(later)
    month = next(months(later, 1))
    assert tables(journal) == {month.table: 1}, "what waited for its month moves there"
    journal.purge(later)


def test_a_clock_that_ran_ahead_does_not_stop_the_split(journals: Callable[[], SqlJournal]) -> None:
    journal = journals()
    journal.record([at(START + 3 * MONTH, 1)], note)
    assert journal.partition(START)
    assert tables(journal) == {"mtp_event_before": 1}
    journal.record([at(START, 2)], note)
    assert tables(journal) == {"mtp_event_before": 2}


def test_months_follow_the_calendar() -> None:
    def utc(*when: int) -> float:
        return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[arg-type,misc]

    december, january = months(utc(2026, 12, 31, 23, 59), 2)
    assert (december.table, december.start, december.end) == ("mtp_event_p202612", utc(2026, 12, 1), utc(2027, 1, 1))
    assert (january.table, january.start) == ("mtp_event_p202701", december.end)


def test_other_stores_say_that_they_cannot(open_again: Callable[[Settings], Stores]) -> None:
    with pytest.raises(SetupError, match="SQLite"):
        open_again(Settings()).journal.partition(time.time())
    with pytest.raises(SetupError, match="memory"):
        MemoryJournal().partition(time.time())


def test_a_dump_comes_back(postgres_url: str, open_again: Callable[[Settings], Stores], tmp_path: Path) -> None:
    settings = Settings(database_url=postgres_url, latency_budget_ms=PATIENT_MS)
    stores = open_again(settings)
    stores.journal.record([at(START, 1)], note)
    stores.journal.partition(START)
    following = list(months(START, 2))[1]
    stores.journal.record([at(following.start, 2)], note)
    stores.close()
    programs = postgres_programs()
    assert programs is not None
    kept = str(tmp_path / "mtp.dump")
    subprocess.run([programs / "pg_dump", "--format=custom", f"--file={kept}", postgres_url], check=True)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP TABLE mtp_event")
    options = ["--clean", "--if-exists", "--no-owner", "--exit-on-error", f"--dbname={postgres_url}"]
    subprocess.run([programs / "pg_restore", *options, kept], check=True)
    journal = open_again(settings).journal
    assert isinstance(journal, SqlJournal)
    assert tables(journal) == {"mtp_event_before": 1, following.table: 1}
    assert journal.record([at(following.start, 2), at(following.start, 3)], note) == [False, True]
    assert journal.last_number() > 2

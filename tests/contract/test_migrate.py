"""Databases are made, and brought from any release to this one, with what is in them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from mtp_plugin.errors import SetupError
from mtp_plugin.records import Product
from mtp_plugin.store import migrate
from mtp_plugin.store.database import Database
from mtp_plugin.store.engine import open_engine
from mtp_plugin.store.rows import profile_bytes, row_event
from mtp_plugin.store.schema import metadata
from mtp_plugin.store.sql_catalog import SqlCatalog
from mtp_plugin.store.sql_journal import SqlJournal

from .conftest import DATABASES, PATIENT_MS, settings_of
from .events import make_event, note, noted
from .test_slates import entry as slate_entry

WINDOW_S = 172_800.0
PROFILE = "(profile_id, last_seq, body) VALUES (:id, :seq, :body)"
PRODUCT = "(product_id, hidden, stock, body) VALUES (:id, :hidden, :stock, :body)"


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return settings_of(request.param, request).database_url or f"sqlite:///{tmp_path}/mtp.sqlite"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url, 30_000)
    yield engine
    engine.dispose()


def revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return migrate.current(connection)


def test_the_head_is_the_newest_file() -> None:
    assert migrate.head() == migrate.HEAD


def test_migrated_tables_are_those_the_code_knows(engine: Engine) -> None:
    assert revision(engine) is None
    migrate.upgrade(engine)
    assert revision(engine) == migrate.HEAD
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, parents: kind != "table" or name != migrate.VERSION_TABLE},
        )
        assert compare_metadata(context, metadata) == []


def test_migrations_only_add(engine: Engine) -> None:
    """Workers of the version before serve on while new ones start."""
    before: set[tuple[str, str]] = set()
    for number in range(1, int(migrate.HEAD) + 1):
        migrate.upgrade(engine, f"{number:04}")
        found = inspect(engine)
        columns = {(table, one["name"]) for table in found.get_table_names() for one in found.get_columns(table)}
        assert before <= columns, number
        before = columns


def test_again_it_does_nothing(engine: Engine) -> None:
    migrate.upgrade(engine)
    migrate.upgrade(engine)
    assert revision(engine) == migrate.HEAD


def test_a_database_of_a_newer_release_is_refused(engine: Engine) -> None:
    migrate.upgrade(engine)
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        connection.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(SetupError, match="9999"):
        migrate.upgrade(engine)


def _fill_first_release(engine: Engine) -> None:
    """What a shop on revision 0001 has: rows as that revision wrote them."""
    from mtp_plugin.store.rows import event_row

    events = [make_event(n, recommendation_id=f"r{n}" if n % 2 else "") for n in range(7)]
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        for number, event in enumerate(events, 1):
            row: dict[str, Any] = event_row(event)._replace(seq=number)._asdict()
            del row["recommendation_id"]
            columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO mtp_event ({columns}) VALUES ({values})"), row)
        profile = {"id": "a:1", "seq": 7, "body": profile_bytes(note(None, events))}
        connection.execute(text(f"INSERT INTO mtp_profile {PROFILE}"), profile)
        body = '{"product_id":"p1","title":"Größe","price":9.5}'
        product = {"id": "p1", "hidden": False, "stock": 4, "body": body}
        connection.execute(text(f"INSERT INTO mtp_product {PRODUCT}"), product)
        connection.execute(text("UPDATE mtp_catalog_version SET version = 5"))
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT setval('mtp_event_seq_seq', 7)"))


def test_a_database_with_data_is_upgraded(url: str, engine: Engine) -> None:
    migrate.upgrade(engine, "0001")
    _fill_first_release(engine)
    database = Database(url, PATIENT_MS)
    journal, catalog = SqlJournal(database, WINDOW_S), SqlCatalog(database)
    assert noted(journal.profiles(["a:1"])[0]) == [f"a:1|{n}" for n in range(7)]
    assert [event.dedupe_key for event in journal.events_of("a:1")] == [f"a:1|{n}" for n in range(7)]
    assert list(catalog.products()) == [Product(product_id="p1", title="Größe", price=9.5, stock=4)]
    assert catalog.version() == 5
    assert database.revision() == migrate.HEAD
    with database.reading() as connection:
        found = connection.execute(text("SELECT recommendation_id FROM mtp_event ORDER BY seq")).scalars().all()
        assert found == [None, "r1", None, "r3", None, "r5", None]
    assert journal.record([make_event(20, recommendation_id="r9")], note) == [True]
    assert [event.recommendation_id for event in journal.events_of("a:1")][-1] == "r9"
    journal.close()
    database.close()


def test_slates_from_before_are_counted_like_new_ones(url: str, engine: Engine) -> None:
    migrate.upgrade(engine, "0008")
    given = [slate_entry(1, "a:1"), slate_entry(2)]
    columns = "(recommendation_id, created_at, placement, body) VALUES (:id, 1.0, 'home-hero', :body)"
    rows = [{"id": one.slate.recommendation_id, "body": msgspec.msgpack.encode(one)} for one in given]
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        connection.execute(text(f"INSERT INTO mtp_slate {columns}"), [*rows, {"id": "unreadable", "body": b"\xc1"}])
    migrate.upgrade(engine)
    with engine.connect() as connection:
        query = "SELECT strategy, consent_level, device, items, experiments FROM mtp_slate ORDER BY recommendation_id"
        found = [tuple(row) for row in connection.execute(text(query))]
    assert found == [("best-sellers", "full", "phone", 1, "[]")] * 2 + [("", "", "", 0, "[]")]


def test_bodies_of_the_first_release_are_read_for_ever() -> None:
    body = '{"dedupe_key":"k","products":[{"product_id":"p","quantity":2.0}],"recommendation_id":"r"}'
    event = row_event((1, bytes(16), "Product Viewed", "a:1", 1.5, 2.5, 0, body, "r"))
    assert (event.dedupe_key, event.products[0].quantity, event.recommendation_id) == ("k", 2.0, "r")


def _open_and_record(url: str, number: int) -> None:
    database = Database(url, PATIENT_MS)
    journal = SqlJournal(database, WINDOW_S)
    journal.record([make_event(number)], note)
    journal.close()
    database.close()


def test_several_workers_make_it_at_once(url: str, engine: Engine) -> None:
    processes = multiprocessing.get_context("spawn")
    workers = [processes.Process(target=_open_and_record, args=(url, number)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 4
    database = Database(url, PATIENT_MS)
    journal = SqlJournal(database, WINDOW_S)
    assert len(noted(journal.profiles(["a:1"])[0])) == 4
    journal.close()
    database.close()


def test_sqlite_is_set_to_survive_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/folder/mtp.sqlite", PATIENT_MS)
    with database.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    database.close()

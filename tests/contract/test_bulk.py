"""How PostgreSQL is asked about thousands of rows at once: in its own form, and key by key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from mtp_plugin.store import migrate
from mtp_plugin.store.arrays import BytesArray, NumberArray, TextArray
from mtp_plugin.store.engine import open_engine
from mtp_plugin.store.postgres_work import COPY_SEEN, SEEN, SEEN_TYPES
from mtp_plugin.store.words import storable

pytestmark = pytest.mark.postgres
KEYS, SENT = 30_000, 100


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    opened = open_engine(postgres_url, 10_000)
    migrate.upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Any]:
    raw = engine.raw_connection()
    yield raw.driver_connection
    raw.close()


texts = st.lists(st.text(max_size=20).filter(storable), max_size=5)
numbers = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5)


@given(texts, numbers, st.lists(st.binary(max_size=20), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_arrays_arrive_as_they_are(connection, words, counts, bodies):
    given_away = (TextArray.of_texts(words), NumberArray.of_numbers(counts), BytesArray.of(bodies))
    row = connection.execute("SELECT %b, %b, %b", given_away, binary=True).fetchone()
    assert row == (words, counts, bodies)
    connection.rollback()


def visited(node: dict[str, Any]) -> Iterator[float]:
    """How many rows each step of a plan looked at."""
    yield (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    for below in node.get("Plans", ()):
        yield from visited(below)


def test_repetitions_are_looked_for_key_by_key_whatever_is_known_of_the_table(connection: psycopg.Connection) -> None:
    """Statistics are behind: of a window that has just begun PostgreSQL knows nothing."""
    for bucket in (1, 2):
        with connection.cursor() as cursor, cursor.copy(COPY_SEEN) as copy:
            copy.set_types(SEEN_TYPES)
            for number in range(KEYS):
                copy.write_row((bucket, number.to_bytes(16, "big")))
        marks = BytesArray.of([number.to_bytes(16, "big") for number in range(KEYS - SENT // 2, KEYS + SENT // 2)])
        asked = (marks, NumberArray.of_numbers([bucket, bucket - 1]))
        (plan,) = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {SEEN}", asked).fetchone()
        top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
        assert top["Actual Rows"] == SENT // 2
        assert max(visited(top)) <= SENT
        connection.execute("ANALYZE mtp_message_seen")


def test_profiles_have_room_beside_them(connection: psycopg.Connection) -> None:
    options = connection.execute("SELECT reloptions FROM pg_class WHERE relname = 'mtp_profile'").fetchone()
    assert options == (["fillfactor=70"],)

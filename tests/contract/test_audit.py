"""What every audit log promises: nothing that is written can be changed, removed or moved unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from mtp_plugin.ports import AuditEntry, AuditHead, AuditLog
from mtp_plugin.privacy.audit import Sealer, check
from mtp_plugin.store.database import Database
from mtp_plugin.store.memory import MemoryAudit
from mtp_plugin.store.schema import audit, audit_head
from mtp_plugin.store.sql_audit import SqlAudit

from .conftest import DATABASES, PATIENT_MS, settings_of

KEYS = [b"an older key of the seals", b"the newest key of the seals"]


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[Database]:
    url = settings_of(request.param, request).database_url or f"sqlite:///{tmp_path}/mtp.sqlite"
    opened = Database(url, PATIENT_MS)
    yield opened
    opened.close()


@pytest.fixture(params=("memory", *DATABASES))
def log(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[AuditLog]:
    if request.param == "memory":
        yield MemoryAudit(KEYS)
        return
    url = settings_of(request.param, request).database_url or f"sqlite:///{tmp_path}/mtp.sqlite"
    opened = Database(url, PATIENT_MS)
    yield SqlAudit(opened, KEYS)
    opened.close()


def fill(log: AuditLog, count: int = 6) -> None:
    for step in range(count):
        log.append("cli", "rule.published", f"rule:{step}", {"step": step, "share": step / 7}, at=1000.1 + step)


def test_entries_come_back_as_they_were_written(log: AuditLog) -> None:
    assert log.head().number == 0
    assert log.verify() == []
    fill(log)
    found = list(log.entries(batch=4))
    assert [entry.number for entry in found] == [1, 2, 3, 4, 5, 6]
    assert (found[3].details, found[3].at, found[3].subject) == ({"step": 3, "share": 3 / 7}, 1003.1, "rule:3")
    assert list(log.entries(after=4)) == found[4:]
    assert log.head() == AuditHead(number=6, seal=found[-1].seal)
    assert log.verify() == []


def test_the_latest_come_first_and_can_be_told_apart(log: AuditLog) -> None:
    fill(log, 3)
    log.append("visitor", "consent.granted", "k1:ab", at=5.0)
    assert [entry.number for entry in log.latest(2)] == [4, 3]
    assert [entry.number for entry in log.latest(9, action="rule.")] == [3, 2, 1]
    assert [entry.number for entry in log.latest(9, action="consent", subject="k1:ab")] == [4]
    assert log.latest(9, action="%") == []


def test_personal_data_that_strays_into_details_is_masked(log: AuditLog) -> None:
    entry = log.append(
        "cli", "x.y", details={"why": "asked by ann@example.org from 203.0.113.9, +49 30 123456"}, at=1.0
    )
    assert entry.details == {"why": "asked by *** from ***, ***"}
    assert log.verify() == []


def test_writers_at_the_same_time_make_one_chain(log: AuditLog) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log.append("cli", "x.y", str(n), at=float(n)), range(40)))
    assert sorted(entry.subject for entry in log.entries()) == sorted(map(str, range(40)))
    assert log.verify() == []


TAMPERED = {
    "text": ("UPDATE mtp_audit SET actor = 'somebody else' WHERE number = 3", [(3, "changed")]),
    "time": ("UPDATE mtp_audit SET at = at + 1 WHERE number = 3", [(3, "changed")]),
    "details": ("""UPDATE mtp_audit SET details = '{}' WHERE number = 3""", [(3, "changed")]),
    "no json": ("UPDATE mtp_audit SET details = 'x' WHERE number = 3", [(3, "changed")]),
    "removed": ("DELETE FROM mtp_audit WHERE number = 3", [(4, "missing")]),
    "first removed": ("DELETE FROM mtp_audit WHERE number = 1", [(2, "missing")]),
    "end cut off": ("DELETE FROM mtp_audit WHERE number > 4", [(5, "missing")]),
    "all gone": ("DELETE FROM mtp_audit", [(1, "missing")]),
    "closed up": (
        "DELETE FROM mtp_audit WHERE number = 3; UPDATE mtp_audit SET number = number - 1 WHERE number = 4;"
        "UPDATE mtp_audit SET number = number - 1 WHERE number = 5; UPDATE mtp_audit SET number = 5 WHERE number = 6;"
        "UPDATE mtp_audit_head SET number = 5",
        [(3, "missing")],
    ),
    "swapped": (
        "UPDATE mtp_audit SET number = 99 WHERE number = 2; UPDATE mtp_audit SET number = 2 WHERE number = 3;"
        "UPDATE mtp_audit SET number = 3 WHERE number = 99",
        [(2, "reordered"), (3, "reordered"), (4, "reordered")],
    ),
    "added at the end": (
        "INSERT INTO mtp_audit SELECT 7, at, actor, action, subject, details, key_id, previous, seal FROM mtp_audit "
        "WHERE number = 6",
        [(7, "reordered"), (8, "reordered")],
    ),
    "sealed without the key": (
        "UPDATE mtp_audit SET key_id = '' WHERE number = 3",
        [(3, "unsealed")],
    ),
}


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_tampering_is_found(database: Database) -> None:
    log = SqlAudit(database, KEYS)
    fill(log)
    with database.reading() as connection:
        kept = {table: connection.execute(select(table)).mappings().all() for table in (audit, audit_head)}
    for how, (statements, expected) in TAMPERED.items():
        with database.writing() as connection:
            for statement in statements.split(";"):
                connection.execute(text(statement))
        assert [(fault.number, fault.kind) for fault in log.verify()] == expected, how
        with database.writing() as connection:
            for table, rows in kept.items():
                connection.execute(table.delete())
                connection.execute(table.insert(), [dict(row) for row in rows])
        assert log.verify() == []


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_processes_share_one_chain(database: Database) -> None:
    one, other = SqlAudit(database, KEYS), SqlAudit(Database(database.url.render_as_string(False), PATIENT_MS), KEYS)
    for step in range(3):
        one.append("cli", "x.y", at=float(step))
        other.append("server", "x.z", at=float(step))
    assert [entry.actor for entry in one.entries()] == ["cli", "server"] * 3
    assert one.verify() == other.verify() == []
    other._database.close()


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_failed_change_leaves_no_entry(database: Database) -> None:
    log = SqlAudit(database, KEYS)

    def fail() -> None:
        with database.writing() as connection:
            log.append_within(connection, "cli", "x.y", at=1.0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert log.head().number == 0
    assert log.verify() == []


def test_after_a_rotation_old_seals_can_still_be_checked() -> None:
    entries: list[AuditEntry] = []
    head = AuditHead(number=0, seal="0" * 64)
    for sealer in (Sealer(KEYS[:1]), Sealer(KEYS)):
        entries.append(sealer.entry(head, 1.0, "cli", "x.y", "", None))
        head = AuditHead(number=entries[-1].number, seal=entries[-1].seal)

    def faults(keys: list[bytes]) -> list[tuple[int, str]]:
        read = check(lambda number: entries[number:], lambda: head, Sealer(keys))
        return [(fault.number, fault.kind) for fault in read]

    assert faults(KEYS) == []
    assert faults(KEYS[1:]) == [(1, "unknown-key")]
    assert faults([]) == [(1, "unknown-key"), (2, "unknown-key")]


Change = Callable[[list[AuditEntry], Any], list[AuditEntry]]


@given(data=st.data(), size=st.integers(2, 12))
def test_no_change_of_any_kind_goes_unseen(data: st.DataObject, size: int) -> None:
    log = MemoryAudit(KEYS)
    fill(log, size)
    right = list(log.entries())
    one, two = data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))
    kind = data.draw(st.sampled_from(("drop", "swap", "copy", "change")))
    wrong = list(right)
    if kind == "drop":
        del wrong[one]
    elif kind == "swap":
        wrong[one], wrong[two] = wrong[two], wrong[one]
    elif kind == "copy":
        wrong.insert(one, right[two])
    else:
        field = data.draw(
            st.sampled_from(("at", "actor", "action", "subject", "details", "previous", "seal", "key_id"))
        )
        value = {"at": -1.0, "details": {"step": -1}}.get(field, "other")
        wrong[one] = msgspec.structs.replace(wrong[one], **{field: value})
    wrong = [msgspec.structs.replace(entry, number=number) for number, entry in enumerate(wrong, 1)]
    head = AuditHead(number=len(wrong), seal=wrong[-1].seal)
    # The head and the numbers are mended by whoever tampers; only what was cut off at the end stays unseen then.
    found = check(lambda number: wrong[number:], lambda: head, Sealer(KEYS))
    assert found or wrong == right[: len(wrong)]

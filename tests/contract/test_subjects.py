"""What every log of subject requests promises, and what stores do about retention."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.ports import SubjectLog, SubjectRequest, Suppression
from mtp_plugin.store.memory import MemoryJournal, MemorySubjects
from mtp_plugin.store.open import Stores

from .conftest import DATABASES, REAL, settings_of
from .events import make_event, note


@pytest.fixture(params=("memory", *DATABASES))
def logs(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Callable[[], SubjectLog]:
    if request.param == "memory":
        only = MemorySubjects()
        return lambda: only
    settings = settings_of(request.param, request)
    return lambda: open_again(settings).requests


def asked(number: int, **more: object) -> SubjectRequest:
    request = SubjectRequest(
        request_id=f"r{number}",
        kind="erase",
        subject="k1:ab",
        actor="cli",
        requested_at=float(number),
        profile_ids=("u:1", "a:2"),
        steps={"events": 3, "sweep": {"slates": 1}},
    )
    return msgspec.structs.replace(request, **more)


def test_requests_are_written_and_go_on(logs: Callable[[], SubjectLog]) -> None:
    log, other = logs(), logs()
    for number in (2, 1):
        log.save(asked(number))
    assert other.unfinished() == other.of("k1:ab") == [asked(1), asked(2)]
    done = asked(1, finished_at=9.0, profile_ids=())
    log.save(done)
    assert other.get("r1") == done
    assert other.unfinished() == [asked(2)]
    assert other.of("k1:xy") == []
    assert other.get("r\0") is None
    assert [log.purge(9.5, dry=True), log.purge(8.0), log.purge(9.5), log.purge(9.5)] == [1, 0, 1, 0]
    assert other.of("k1:ab") == [asked(2)], "what is open is kept"


def test_suppressions_tell_that_they_changed(logs: Callable[[], SubjectLog]) -> None:
    log, other = logs(), logs()
    assert (other.suppressions(), other.suppression_version()) == ([], 0)
    one, two = (Suppression(subject=f"k1:{name}", kind="erased", since=5.0) for name in "ab")
    log.suppress(one, two)
    first = other.suppression_version()
    assert first > 0
    lifted = msgspec.structs.replace(one, active=False)
    log.suppress(lifted)
    assert other.suppression_version() > first
    assert sorted(other.suppressions(), key=lambda found: found.subject) == [lifted, two]


@pytest.mark.parametrize("kind", ["memory", *REAL])
def test_events_expire_and_visitors_go_idle(
    kind: str, request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]
) -> None:
    journal = MemoryJournal() if kind == "memory" else open_again(settings_of(kind, request)).journal
    for number, (name, received) in enumerate((("a:1", 10.0), ("a:2", 10.0), ("a:2", 30.0), ("a:3", 40.0))):
        journal.record([msgspec.structs.replace(make_event(number, name), received_at=received)], note)
    assert [name for names in journal.idle(20.0, batch=1) for name in names] == ["a:1"]
    assert [name for names in journal.idle(99.0) for name in names] == ["a:1", "a:2", "a:3"]
    assert [journal.expire(20.0, dry=True), journal.count()] == [2, 4]
    assert [journal.expire(20.0), journal.expire(20.0), journal.count()] == [2, 0, 2]
    assert journal.profiles(["a:1"]) != [None], "a profile keeps what events made of it"

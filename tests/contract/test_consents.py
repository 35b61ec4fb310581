"""What every consent log promises."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.ports import ConsentDecision, ConsentLog
from mtp_plugin.store.memory import MemoryConsents
from mtp_plugin.store.open import Stores

from .conftest import DATABASES, settings_of


@pytest.fixture(params=("memory", *DATABASES))
def logs(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Callable[[], ConsentLog]:
    if request.param == "memory":
        only = MemoryConsents()
        return lambda: only
    settings = settings_of(request.param, request)
    return lambda: open_again(settings).consents


def decision(subject_id: str, granted: bool, at: float) -> ConsentDecision:
    return ConsentDecision(
        subject_id=subject_id,
        purpose="personalisation",
        granted=granted,
        policy_version="2",
        decided_at=at,
        source="banner",
    )


def test_decisions_come_back_oldest_first(logs: Callable[[], ConsentLog]) -> None:
    log, other = logs(), logs()
    given = [decision("a:1", True, 10.5), decision("a:1", False, 9.0), decision("a:1", True, 11.0)]
    for one in (*given, decision("a:2", False, 1.0)):
        log.append(one)
    assert other.of("a:1") == given
    assert other.of("a:2") == [decision("a:2", False, 1.0)]


def test_decisions_made_together_and_erasure(logs: Callable[[], ConsentLog]) -> None:
    log = logs()
    log.append(*(msgspec.structs.replace(decision("a:1", True, 1.0), purpose=name, proof="p") for name in "xyz"))
    log.append(decision("a:2", True, 1.0))
    assert [one.purpose for one in log.of("a:1")] == ["x", "y", "z"]
    assert [log.erase("a:1"), log.erase("a:1"), log.erase("a:\0")] == [3, 0, 0]
    assert log.of("a:1") == []
    assert len(log.of("a:2")) == 1


def test_old_decisions_go_once_they_are_replaced(logs: Callable[[], ConsentLog]) -> None:
    log = logs()
    log.append(decision("a:1", True, 1.0))
    log.append(decision("a:1", False, 2.0))
    log.append(decision("a:2", True, 1.0))
    assert log.purge(1.5) == 1
    assert [one.granted for one in log.of("a:1")] == [False]
    assert len(log.of("a:2")) == 1, "what holds is kept however old it is"


def test_nobody_decided_nothing(logs: Callable[[], ConsentLog]) -> None:
    assert logs().of("a:1") == []
    assert logs().of("a:\0") == []

"""What every store of rules promises: versions that never change, the newest serves, nobody overwrites another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import ConflictError, NotFoundError
from mtp_plugin.ports import RuleStore
from mtp_plugin.records import RuleSet
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.store.memory import MemoryRules
from mtp_plugin.store.open import Stores

from .conftest import DATABASES, settings_of


@pytest.fixture(params=("memory", *DATABASES))
def rules(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> RuleStore:
    return MemoryRules() if request.param == "memory" else open_again(settings_of(request.param, request)).rules


def ruleset(*names: str, **more: Any) -> RuleSet:
    effect = {"effect": "title", "title": "Größe \u0000 🎈"}
    return read_ruleset({"rules": [{"rule_id": name, "then": [effect], **more} for name in names]})


def stored(rules: RuleStore, version: int) -> RuleSet:
    return msgspec.json.decode(rules.load(version), type=RuleSet)


def test_before_there_were_any(rules: RuleStore) -> None:
    assert rules.current() == 0
    assert stored(rules, 0) == RuleSet()
    assert rules.history() == []


def test_versions_stay_and_the_newest_is_current(rules: RuleStore) -> None:
    first, second = ruleset("a"), ruleset("a", "b", enabled=False)
    assert rules.save(first, by="ada", at=1.5) == 1
    assert rules.save(second, by="ben", at=2.5, note="two", expected=1) == 2
    assert rules.current() == 2
    assert (stored(rules, 1), stored(rules, 2)) == (first, second)
    newest, oldest = rules.history()
    assert (newest.version, newest.created_by, newest.created_at, newest.note) == (2, "ben", 2.5, "two")
    assert (newest.rules, newest.enabled, oldest.rules, oldest.enabled) == (2, 0, 1, 1)
    assert [info.version for info in rules.history(limit=1)] == [2]
    assert [info.version for info in rules.history(before=2)] == [1]


def test_a_version_that_is_none(rules: RuleStore) -> None:
    with pytest.raises(NotFoundError):
        rules.load(7)


def test_a_change_of_an_older_version_is_refused(rules: RuleStore) -> None:
    rules.save(ruleset("a"), by="ada", at=1.0, expected=0)
    with pytest.raises(ConflictError, match="version 1"):
        rules.save(ruleset("b"), by="ben", at=2.0, expected=0)
    assert rules.current() == 1


def test_of_many_changes_at_once_one_is_taken(rules: RuleStore) -> None:
    ready = threading.Barrier(6)

    def save(worker: int) -> int:
        ready.wait()
        try:
            return rules.save(ruleset("a"), by=f"worker {worker}", at=1.0, expected=0)
        except ConflictError:
            return 0

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(save, range(6))) == [0] * 5 + [1]

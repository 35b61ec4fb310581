"""Every implementation of every port, for the suites to be run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.config import Settings
from mtp_plugin.store.open import Stores, open_stores

REAL = (
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("sqlite+redis", marks=pytest.mark.redis),
    pytest.param("postgres+redis", marks=[pytest.mark.postgres, pytest.mark.redis]),
)
DATABASES = REAL[:2]
PATIENT_MS = 5000.0
"""A budget that a busy machine keeps."""


def settings_of(kind: str, request: pytest.FixtureRequest) -> Settings:
    """The settings that ask for this kind of stores, on real servers."""
    values: dict[str, Any] = {"latency_budget_ms": PATIENT_MS}
    if kind.startswith("postgres"):
        values["database_url"] = request.getfixturevalue("postgres_url")
    if kind.endswith("redis"):
        values["redis_url"] = request.getfixturevalue("redis_url")
    return Settings(**values)


@pytest.fixture
def open_again(tmp_path: Path) -> Iterator[Callable[[Settings], Stores]]:
    """Opens stores as another worker would; all are closed after the test."""
    opened: list[Stores] = []

    def open_one(settings: Settings) -> Stores:
        opened.append(open_stores(settings, str(tmp_path / "instance")))
        return opened[-1]

    yield open_one
    for stores in opened:
        stores.close()


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """For tests with the parameter ``kind``."""
    return settings_of(request.getfixturevalue("kind"), request)


@pytest.fixture
def stores(settings: Settings, open_again: Callable[[Settings], Stores]) -> Stores:
    return open_again(settings)

"""Where the funnel begins: visits and views of the whole shop, each visitor once a day, less those who were erased."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin import kpis
from mtp_plugin.errors import UnavailableError
from mtp_plugin.figures import Figures, period_of
from mtp_plugin.kpis import roll_up
from mtp_plugin.state import State
from mtp_plugin.store import kpi_visits
from mtp_plugin.track.imported import imported_event

from ..core.shops import mounted, watches

DAY = 86_400.0
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0).timestamp() - DAY


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    _, made = mounted(tmp_path, watches(), MTP_DATABASE_URL=url)
    yield made
    made.close()


def come(state: State, who: str, at: float, name: str = "Product Viewed") -> None:
    state.pipeline.ingest([imported_event(name, key=f"{who}{at}{name}", timestamp=at, user_id=who)])


def days(state: State) -> list[tuple[float, float]]:
    """Visits and views of each day."""
    roll_up(state, time.time())
    return [(day.visits, day.views) for day in state.kpis.shop(0, 10**6)]


def test_a_visitor_counts_once_a_day_whenever_that_is_read(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kpis, "BATCH", 2)
    for who in ("ann", "bob"):
        for at in (NOON - DAY, NOON - DAY + 60, NOON):
            come(state, who, at)
    come(state, "ann", NOON + 90, "Cart Viewed")
    assert days(state) == [(2, 4), (2, 2)]
    come(state, "ann", NOON + 30)
    come(state, "cem", NOON - DAY + 30, "Cart Viewed")
    assert days(state) == [(3, 4), (2, 3)]
    assert days(state) == [(3, 4), (2, 3)]


def test_who_is_erased_did_not_come(state: State) -> None:
    for who in ("ann", "bob"):
        for at in (NOON - DAY, NOON, NOON + 1):
            come(state, who, at)
    assert days(state) == [(2, 2), (2, 4)]
    state.subjects.erase(["u:ann"], actor="test", models=False)
    assert days(state) == [(1, 1), (1, 2)]


def test_an_erasure_while_events_are_counted(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("ann", "bob"):
        come(state, who, NOON)
    real = kpi_visits._before

    def slow(*args: Any) -> Any:
        found = real(*args)
        monkeypatch.setattr(kpi_visits, "_before", real)
        state.subjects.erase(["u:ann"], actor="test", models=False)
        return found

    monkeypatch.setattr(kpi_visits, "_before", slow)
    assert days(state) == [(1, 1)]


def test_an_erasure_that_was_interrupted_takes_back_once(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("ann", "bob"):
        come(state, who, NOON)
    days(state)
    with monkeypatch.context() as patched:
        patched.setattr(type(state.journal), "erase", _stops)
        with pytest.raises(UnavailableError):
            state.subjects.erase(["u:ann"], actor="test", models=False)
    assert list(state.journal.events_of("u:ann")) == []
    state.subjects.resume()
    assert state.journal.profiles(["u:ann"]) == [None]
    assert days(state) == [(1, 1)]


def _stops(*_: Any) -> int:
    raise UnavailableError("the process ends here")


def test_the_funnel_begins_with_them(state: State) -> None:
    for at in (NOON, NOON + 1):
        come(state, "ann", at)
    days(state)
    visits, views, seen, *_ = Figures(state, period_of(state, 7, time.time()), "placement").funnel()
    assert (visits.count, views.count, views.of_visits, seen.count) == (1, 2, 2.0, 0)
    assert seen.of_seen is None

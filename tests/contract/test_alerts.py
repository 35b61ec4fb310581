"""What every book of alerts promises."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.ports import Alert, AlertBook, AlertHour, Silence
from mtp_plugin.store.memory import MemoryAlerts
from mtp_plugin.store.open import Stores

from .conftest import DATABASES, settings_of


@pytest.fixture(params=("memory", *DATABASES))
def book(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> AlertBook:
    if request.param == "memory":
        return MemoryAlerts()
    return open_again(settings_of(request.param, request)).alerts


def alert(key: str = "ctr:all", **more: object) -> Alert:
    given: dict[str, object] = {"kind": "anomaly", "severity": "ticket", "title": "T", "message": "M"}
    return Alert(key=key, **{**given, "opened_at": 5.0, "last_at": 6.0, **more})  # type: ignore[arg-type]


def test_hours_are_kept_in_order_and_counted_anew(book: AlertBook) -> None:
    assert book.last_hour() == 0
    one, two = AlertHour(hour=7, placement="b", slates=3), AlertHour(hour=7, placement="a", segment_id="s", clicks=1)
    later = AlertHour(hour=9, placement="a", revenue=12.5)
    book.count([later, one, two])
    assert book.hours(7, 10) == [two, one, later]
    assert book.hours(8, 9) == []
    assert book.last_hour() == 9
    again = AlertHour(hour=7, placement="b", slates=4)
    book.count([again])
    assert book.hours(7, 8) == [two, again]
    book.count([AlertHour(hour=100 + number, placement=f"p{number}") for number in range(1200)])
    assert len(book.hours(100, 2000)) == 1200


def test_alerts_are_numbered_changed_and_listed(book: AlertBook) -> None:
    first, second = book.add(alert()), book.add(alert("gap:slates", figures={"hours": 3}, sends={"ops": {"tries": 0}}))
    assert 0 < first.alert_id < second.alert_id
    assert book.get(second.alert_id) == second
    assert book.get(10_000) is None
    assert book.kept() == [second, first]
    assert book.kept(limit=1) == [second]
    done = msgspec.structs.replace(second, state="resolved", resolved_at=50.0)
    book.put(done)
    assert book.kept(open_only=True) == [first]
    assert book.get(second.alert_id) == done
    book.put(msgspec.structs.replace(first, alert_id=9999))
    assert len(book.kept()) == 2


def test_silences(book: AlertBook) -> None:
    book.silence(Silence(key="ctr:", until=10.0, by="ada"))
    book.silence(Silence(key="a", until=20.0, by="ada"))
    assert [one.key for one in book.silences(5.0)] == ["a", "ctr:"]
    assert [one.key for one in book.silences(10.0)] == ["a"]
    book.silence(Silence(key="a", until=6.0, by="ben"))
    assert book.silences(7.0) == [Silence(key="ctr:", until=10.0, by="ada")]


def test_what_is_old_and_over_goes(book: AlertBook) -> None:
    book.count([AlertHour(hour=1, placement="a"), AlertHour(hour=5, placement="a")])
    still = book.add(alert())
    book.add(alert("gap:seen", state="resolved", resolved_at=7200.0))
    assert book.purge(4 * 3600.0, dry=True) == 2
    assert len(book.kept()) == 2
    assert book.purge(4 * 3600.0) == 2
    assert book.kept() == [still]
    assert [one.hour for one in book.hours(0, 10)] == [5]

"""Schedules go by the shop's clock, over midnight and through changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.records import Hours, Schedule
from mtp_plugin.rules.schedule import WEEKDAYS, in_force, moment, next_change

ZONE = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return moment(text, ZONE)


@pytest.mark.parametrize(
    ("schedule", "when", "held"),
    [
        (Schedule(start="2026-12-01"), "2026-11-30T23:59", False),
        (Schedule(start="2026-12-01"), "2026-12-01T00:00", True),
        (Schedule(until="2026-12-01"), "2026-12-01T00:00", False),
        (Schedule(hours=(Hours(start="07:00", until="09:30"),)), "2026-12-01T09:29", True),
        (Schedule(hours=(Hours(start="07:00", until="09:30"),)), "2026-12-01T09:30", False),
        (Schedule(hours=(Hours(start="07:00", until="24:00"),)), "2026-12-01T23:59", True),
        (Schedule(hours=(Hours(days=("monday",), start="22:00", until="02:00"),)), "2026-12-01T01:59", True),
        (Schedule(hours=(Hours(days=("monday",), start="22:00", until="02:00"),)), "2026-12-01T02:00", False),
        (Schedule(hours=(Hours(days=("tuesday",), start="22:00", until="02:00"),)), "2026-12-01T01:00", False),
        (Schedule(hours=(Hours(days=("monday",), start="08:00", until="08:00"),)), "2026-12-01T07:59", True),
    ],
)
def test_in_force(schedule: Schedule, when: str, held: bool) -> None:
    assert in_force(schedule, at(when), ZONE) is held


def test_the_shops_clock_and_not_anothers() -> None:
    noon = Schedule(hours=(Hours(start="12:00", until="13:00"),))
    summer, winter = (datetime(2026, month, 1, 10, 30, tzinfo=UTC).timestamp() for month in (7, 12))
    assert in_force(noon, summer, ZONE)
    assert not in_force(noon, winter, ZONE)
    assert in_force(noon, winter, ZoneInfo("Europe/Athens"))


def test_a_day_of_25_hours() -> None:
    """On 25 October 2026 the hour from two to three comes twice in Berlin."""
    night = Schedule(hours=(Hours(start="02:00", until="03:00"),))
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert in_force(night, first, ZONE)
    assert in_force(night, first + 3600, ZONE)
    assert not in_force(night, first + 7200, ZONE)


HOURS = st.builds(
    Hours,
    days=st.lists(st.sampled_from(WEEKDAYS), max_size=3, unique=True).map(tuple),
    start=st.integers(0, 23).map(lambda hour: f"{hour:02}:30"),
    until=st.integers(0, 23).map(lambda hour: f"{hour:02}:00"),
)
SCHEDULES = st.builds(
    Schedule,
    start=st.sampled_from(["", "2026-10-20", "2026-10-24T12:00"]),
    until=st.sampled_from(["", "2026-10-26", "2026-11-02T08:00"]),
    hours=st.lists(HOURS, max_size=2).map(tuple),
)


@settings(deadline=None, max_examples=60)
@given(SCHEDULES, st.integers(0, 14 * 24 * 4))
def test_nothing_changes_before_the_next_change(schedule: Schedule, quarter: int) -> None:
    now = at("2026-10-19") + 900 * quarter
    change = min(next_change(schedule, now, ZONE), now + 3 * 86_400)
    held = in_force(schedule, now, ZONE)
    assert change > now
    for part in range(20):
        assert in_force(schedule, now + (change - now) * part / 20, ZONE) is held
    assert in_force(schedule, change - 0.001, ZONE) is held

"""When a rule is in force, by the shop's own clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..records import Hours, Schedule

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
END_OF_DAY = "24:00"


def moment(text: str, zone: ZoneInfo) -> float:
    """Seconds since 1970 of a local time such as ``2026-12-24T18:00``; of a day alone, its beginning.

    A time that the clock skips is the moment it would have been; one that comes twice is its first.

    :raises ValueError: there is no such day
    """
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def in_force(schedule: Schedule | None, now: float, zone: ZoneInfo) -> bool:
    """Whether *now* lies in the schedule; no schedule is always.

    :raises ValueError: it names a day that does not exist
    """
    if schedule is None:
        return True
    if schedule.start and now < moment(schedule.start, zone):
        return False
    if schedule.until and now >= moment(schedule.until, zone):
        return False
    return not schedule.hours or any(begin <= now < end for begin, end in _windows(schedule, now, zone))


def next_change(schedule: Schedule | None, now: float, zone: ZoneInfo) -> float:
    """The next moment after *now* at which :func:`in_force` may answer otherwise, infinity for never."""
    if schedule is None:
        return math.inf
    ends = [moment(text, zone) for text in (schedule.start, schedule.until) if text]
    ends += [end for window in _windows(schedule, now, zone) for end in window]
    return min((end for end in ends if end > now), default=math.inf)


def _windows(schedule: Schedule, now: float, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
    """The hours of yesterday, today and the week to come; those over midnight belong to the day they begin on."""
    today = datetime.fromtimestamp(now, zone).date()
    for ahead in range(-1, 8):
        day = today + timedelta(days=ahead)
        for hours in schedule.hours:
            if not hours.days or WEEKDAYS[day.weekday()] in hours.days:
                yield _window(hours, day, zone)


def _window(hours: Hours, day: date, zone: ZoneInfo) -> tuple[float, float]:
    over_midnight = hours.until <= hours.start
    return _at(day, hours.start, zone), _at(day + timedelta(days=over_midnight), hours.until, zone)


def _at(day: date, clock: str, zone: ZoneInfo) -> float:
    if clock == END_OF_DAY:
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), zone).timestamp()

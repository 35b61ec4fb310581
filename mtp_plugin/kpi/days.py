"""Days of the shop's calendar, as ordinals, and the whole hours of UTC that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

HOUR_S = 3600.0
DayOf = Callable[[int], int]
"""The day of the shop's calendar that an hour (hours since 1970) belongs to."""


def day_at(at: float, zone: ZoneInfo) -> int:
    """The day of a time in seconds since 1970.

    >>> date.fromordinal(day_at(1_700_000_000.0, ZoneInfo("Europe/Berlin"))).isoformat()
    '2023-11-14'
    """
    return datetime.fromtimestamp(at, zone).toordinal()


def ends_of(day: int, zone: ZoneInfo) -> tuple[float, float]:
    """When a day begins and when the next one does, seconds since 1970."""
    midnight = (datetime.combine(date.fromordinal(one), datetime.min.time(), zone) for one in (day, day + 1))
    begin, end = (one.timestamp() for one in midnight)
    return begin, end


def hours_in(day: int, zone: ZoneInfo) -> list[int]:
    """The hours of a day (since 1970), by when they begin."""
    begin, end = ends_of(day, zone)
    around = range(int(begin // HOUR_S) - 1, int(end // HOUR_S) + 2)
    return [hour for hour in around if day_at(hour * HOUR_S, zone) == day]

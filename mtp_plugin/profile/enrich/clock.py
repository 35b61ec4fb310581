"""The time of day where the visitor is: hour, daypart, weekday, and whether people commute."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from ...memory import Remembered
from ...records import Signals
from .base import Found

DAYPARTS = ("night",) * 6 + ("morning",) * 6 + ("afternoon",) * 6 + ("evening",) * 6
"""Word for each hour of the day."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
QUARTER = 900
"""Seconds in which nothing of this changes: all clocks of the world differ by whole quarters of an hour."""

Span = tuple[frozenset[int], int, int]
"""Weekdays (0 is Monday), the minute of the day it begins and the one it ends before."""

_ZONE = re.compile(r"[A-Za-z0-9_+\-/]{1,40}")


class ClockEnricher:
    """``hour``, ``daypart``, ``weekday`` and ``commuting`` by the visitor's clock where its zone is known, else the
    shop's; ``time_zone`` is the visitor's alone.

    :param shop_zone: the shop's IANA time zone
    :param commuting: spans such as ``"mon-fri 07:00-09:30"``
    """

    name = "clock"
    live = False

    def __init__(self, shop_zone: str, commuting: Sequence[str] = ()) -> None:
        self._shop_zone, self._spans = shop_zone, tuple(map(span, commuting))
        self._known: Remembered[tuple[int, str], Found] = Remembered(2000)

    def enrich(self, signals: Signals, found: Found) -> Found:
        return self.at(signals.at, signals.time_zone or found.get("time_zone", ""))

    def at(self, moment: float, time_zone: str = "") -> Found:
        """The same for a moment (seconds since 1970) in a zone, the shop's if it is empty or there is no such."""
        key = int(moment // QUARTER), time_zone
        known = self._known.get(key)
        return self._known.keep(key, self._read(*key)) if known is None else known

    def _read(self, quarter: int, time_zone: str) -> Found:
        zone = zone_of(time_zone) if time_zone else None
        local = datetime.fromtimestamp(quarter * QUARTER, zone or zone_of(self._shop_zone))
        minute = local.hour * 60 + local.minute
        said = {
            "hour": local.hour,
            "daypart": DAYPARTS[local.hour],
            "weekday": WEEKDAYS[local.weekday()],
            "commuting": any(local.weekday() in days and begin <= minute < end for days, begin, end in self._spans),
        }
        return {**said, "time_zone": time_zone} if zone else {**said, "time_zone": ""}


@lru_cache(maxsize=700)
def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of this name, ``None`` when there is no such."""
    if not _ZONE.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError below it on some systems
        return None
    except KeyError:
        return None


def span(text: str) -> Span:
    """Days and hours in words as numbers.

    >>> span("sat-sun 10:00-11:30")
    (frozenset({5, 6}), 600, 690)
    """
    days, _, hours = text.partition(" ")
    first, _, last = days.partition("-")
    begin, _, end = hours.partition("-")
    start, stop = _day(first), _day(last or first)
    count = (stop - start) % 7 + 1
    return frozenset((start + step) % 7 for step in range(count)), _minute(begin), _minute(end)


def _day(short: str) -> int:
    return next(place for place, day in enumerate(WEEKDAYS) if day.startswith(short))


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)

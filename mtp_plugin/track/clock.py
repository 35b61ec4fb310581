"""Times as senders write them, and what we make of a sender's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from ..errors import InputError

AHEAD = 300.0
"""Seconds that a corrected time may lie in the future."""
BROWSER_MAX_AGE = 30 * 86400.0
"""Seconds a browser may have kept an event; older claims are a wrong clock."""
_MILLISECONDS, _MICROSECONDS, _END = 1e11, 1e14, 1e17
"""Numbers from here on count milliseconds (as seconds they would be the year 5138), microseconds, nothing."""


def parse_time(value: Any, field: str, zone: tzinfo | None = None) -> float:
    """Seconds since 1970 of an ISO 8601 text or a number of seconds, milliseconds or microseconds.

    :param zone: of a text that names none, UTC if not given
    :raises InputError: it is no time, or none since 1970

    >>> parse_time("2026-03-01T12:30:00Z", "timestamp") == parse_time(1772368200000, "timestamp")
    True
    """
    if isinstance(value, str):
        seconds = _text_time(value, field, zone)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = _number_time(value)
    else:
        raise _no_time(field)
    if not 0 <= seconds < _MILLISECONDS:
        raise _no_time(field)
    return seconds


def _text_time(text: str, field: str, zone: tzinfo | None) -> float:
    try:
        parsed = datetime.fromisoformat(text.strip())
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone or UTC)).timestamp()
    except (ValueError, OverflowError):
        raise _no_time(field) from None


def _number_time(value: float) -> float:
    if not 0 <= value < _END:
        return -1.0
    return value / (1e6 if value >= _MICROSECONDS else 1e3 if value >= _MILLISECONDS else 1.0)


def _no_time(field: str) -> InputError:
    return InputError("this is no time since 1970; use ISO 8601, such as 2026-03-01T12:30:00Z", field=field)


def corrected(timestamp: float | None, sent_at: float | None, received_at: float, *, trusted: bool) -> float:
    """When an event happened by our clock.

    A sender that says when it sent tells how wrong its clock is: the difference is taken off, as Segment does. What
    then still lies in the future, or with an untrusted sender absurdly far back, happened when it was received.
    """
    if timestamp is None:
        return received_at
    happened = timestamp if sent_at is None else received_at - (sent_at - timestamp)
    if not 0 <= happened <= received_at + AHEAD:
        return received_at
    if not trusted and happened < received_at - BROWSER_MAX_AGE:
        return received_at
    return min(happened, received_at)


@dataclass(frozen=True)
class FileTimes:
    """Reads the times of a file.

    :param zone: of times that name none
    :param now: seconds since 1970; a time after it is a mistake. ``None`` takes any
    """

    zone: tzinfo
    now: float | None = None

    def read(self, value: Any, field: str) -> float:
        """Seconds since 1970 of a cell: a number, digits, ISO 8601, a date or a datetime.

        :raises InputError: it is no time, or one in the future
        """
        seconds = parse_time(_plain_time(value), field, self.zone)
        if self.now is not None and seconds > self.now + AHEAD:
            raise InputError("this time lies in the future", field=field)
        return seconds


def _plain_time(value: Any) -> Any:
    """A cell as text or number. Eight digits are a date: as seconds they would lie in 1970."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, int) and 19_700_101 <= value <= 29_991_231:
        return str(value)
    if isinstance(value, str) and len(value) != len("20260301") and value.replace(".", "", 1).isdecimal():
        return float(value)
    return value

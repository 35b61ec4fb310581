"""Times as senders write them, and what we make of a sender's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InputError

AHEAD = 300.0
"""Seconds that a corrected time may lie in the future."""
BROWSER_MAX_AGE = 30 * 86400.0
"""Seconds a browser may have kept an event; older claims are a wrong clock."""
EARLIEST = 0.0
_MILLISECONDS = 1e11


def parse_time(value: Any, field: str, zone: ZoneInfo | None = None) -> float:
    """Seconds since 1970 of an ISO 8601 text or a number of seconds or milliseconds.

    :param zone: of a text that names none, UTC if not given
    :raises InputError: it is no time
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(float(value), field)
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value.strip())
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone or UTC)).timestamp()
        except (ValueError, OverflowError):
            pass
    raise InputError("this is no time; use ISO 8601, such as 2026-03-01T12:30:00Z", field=field)


def _number(value: float, field: str) -> float:
    seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
    if not EARLIEST <= seconds < _MILLISECONDS:
        raise InputError("this number is no time in seconds or milliseconds since 1970", field=field)
    return seconds


def corrected(timestamp: float | None, sent_at: float | None, received_at: float, *, trusted: bool) -> float:
    """When an event happened by our clock.

    A sender that says when it sent tells how wrong its clock is: the difference is taken off, as Segment does. What
    then still lies in the future, or with an untrusted sender absurdly far back, happened when it was received.
    """
    if timestamp is None:
        return received_at
    happened = timestamp if sent_at is None else received_at - (sent_at - timestamp)
    if happened > received_at + AHEAD or happened < EARLIEST:
        return received_at
    if not trusted and happened < received_at - BROWSER_MAX_AGE:
        return received_at
    return min(happened, received_at) if not trusted else happened

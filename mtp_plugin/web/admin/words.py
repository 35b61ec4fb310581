"""Numbers and times as the console writes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

STEPS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


def number(value: float | None, digits: int = 0) -> str:
    """With commas between thousands; a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 0) -> str:
    """A share (0.2 is 20 %)."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:,.{digits}f} %"


def share(part: float, whole: float) -> float | None:
    """*part* of *whole*, ``None`` of nothing."""
    return part / whole if whole else None


def money(amount: float | None, currency: str, write: Callable[[float, str], str]) -> str:
    """A price, a dash where there is none."""
    return "–" if amount is None else write(amount, currency)


def ago(seconds: float) -> str:
    """How long ago, or how soon, in the largest unit that fits."""
    for length, unit in STEPS:
        count = round(abs(seconds) / length)
        if abs(seconds) >= length * 0.95:
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"{words} ago" if seconds >= 0 else f"in {words}"
    return "just now" if seconds >= 0 else "in a moment"


def clock(seconds: float, zone: ZoneInfo) -> str:
    """Date and time in the shop's time zone."""
    try:
        return datetime.fromtimestamp(seconds, zone).strftime("%d %b %Y, %H:%M")
    except (ValueError, OverflowError, OSError):
        return "–"


def took(seconds: float) -> str:
    """How long something took."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.0f} min"

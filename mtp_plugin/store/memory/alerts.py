"""Alerts in dictionaries."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec

from ...ports import Alert, AlertHour, Silence

HOUR_S = 3600.0


class MemoryAlerts:
    """Implements :class:`mtp_plugin.ports.AlertBook`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hours: dict[tuple[int, str, str], AlertHour] = {}
        self._alerts: dict[int, Alert] = {}
        self._silences: dict[str, Silence] = {}
        self._last = 0

    def count(self, hours: Sequence[AlertHour]) -> None:
        with self._lock:
            self._hours |= {(one.hour, one.placement, one.segment_id): one for one in hours}

    def hours(self, since: int, until: int) -> list[AlertHour]:
        with self._lock:
            return [
                one for cell, one in sorted(self._hours.items(), key=lambda item: item[0]) if since <= cell[0] < until
            ]

    def last_hour(self) -> int:
        return max((hour for hour, _, _ in self._hours), default=0)

    def add(self, alert: Alert) -> Alert:
        with self._lock:
            self._last += 1
            kept = self._alerts[self._last] = msgspec.structs.replace(alert, alert_id=self._last)
        return kept

    def put(self, alert: Alert) -> None:
        with self._lock:
            if alert.alert_id in self._alerts:
                self._alerts[alert.alert_id] = alert

    def get(self, alert_id: int) -> Alert | None:
        return self._alerts.get(alert_id)

    def kept(self, *, open_only: bool = False, limit: int = 100) -> list[Alert]:
        newest = sorted(self._alerts.values(), key=lambda one: -one.alert_id)
        return [one for one in newest if not open_only or one.state != "resolved"][:limit]

    def silence(self, silence: Silence) -> None:
        self._silences[silence.key] = silence

    def silences(self, now: float) -> list[Silence]:
        return [one for _, one in sorted(self._silences.items()) if one.until > now]

    def purge(self, before: float, *, dry: bool = False) -> int:
        cells = [cell for cell in self._hours if cell[0] < before // HOUR_S]
        gone = [one.alert_id for one in self._alerts.values() if one.state == "resolved" and one.resolved_at < before]
        if not dry:
            with self._lock:
                self._hours = {cell: one for cell, one in self._hours.items() if cell not in set(cells)}
                self._alerts = {number: one for number, one in self._alerts.items() if number not in set(gone)}
        return len(cells) + len(gone)

"""Slates in a dictionary."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from ...records import ExposedSlate, SlateEntry


class MemorySlates:
    """Implements :class:`mtp_plugin.ports.SlateLog`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, SlateEntry] = {}

    def append(self, entry: SlateEntry | Callable[[], SlateEntry]) -> None:
        entry = entry() if callable(entry) else entry
        with self._lock:
            self._entries.setdefault(entry.slate.recommendation_id, entry)

    def watch(self, told: Callable[[int, int], None]) -> None:
        """Nothing ever waits."""

    def get(self, recommendation_id: str) -> SlateEntry | None:
        return self._entries.get(recommendation_id)

    def sample(self, since: float, until: float, limit: int) -> list[SlateEntry]:
        made = [entry for entry in self._entries.values() if since <= entry.slate.created_at < until]
        made.sort(key=lambda entry: entry.slate.created_at)
        return made[:: max(1, -(-len(made) // limit))]

    def between(self, since: float, until: float, *, batch: int = 500) -> Iterator[list[SlateEntry]]:
        made = [entry for entry in list(self._entries.values()) if since <= entry.slate.created_at < until]
        made.sort(key=lambda entry: (entry.slate.created_at, entry.slate.recommendation_id))
        for start in range(0, len(made), batch):
            yield made[start : start + batch]

    def exposed(self, since: float, until: float, *, batch: int = 500) -> Iterator[list[ExposedSlate]]:
        for entries in self.between(since, until, batch=batch):
            yield [exposed_of(entry) for entry in entries if entry.exposures]

    def flush(self, timeout: float = 5.0) -> None:
        """There is nothing to wait for."""

    def took(self, recommendation_ids: Sequence[str]) -> dict[str, float]:
        known = ((name, self._entries.get(name)) for name in recommendation_ids)
        return {name: entry.slate.took_us / 1000 for name, entry in known if entry is not None}

    def erase(self, profile_id: str) -> int:
        return self._drop(lambda entry: profile_id in entry.request.profile_ids)

    def purge(self, before: float, *, dry: bool = False) -> int:
        if dry:
            return sum(entry.slate.created_at < before for entry in list(self._entries.values()))
        return self._drop(lambda entry: entry.slate.created_at < before)

    def of(self, profile_id: str) -> Iterator[SlateEntry]:
        found = [entry for entry in list(self._entries.values()) if profile_id in entry.request.profile_ids]
        return iter(sorted(found, key=lambda entry: entry.slate.created_at))

    def _drop(self, is_gone: Callable[[SlateEntry], bool]) -> int:
        with self._lock:
            kept = {name: entry for name, entry in self._entries.items() if not is_gone(entry)}
            gone, self._entries = len(self._entries) - len(kept), kept
        return gone

    def close(self) -> None:
        """There is nothing to close."""


def exposed_of(entry: SlateEntry) -> ExposedSlate:
    """What of a slate tells of experiments."""
    made = entry.slate
    return ExposedSlate(
        recommendation_id=made.recommendation_id,
        created_at=made.created_at,
        segment_id=made.segment.segment_id if made.segment else "",
        device=entry.request.context.device,
        exposures=dict(entry.exposures),
    )

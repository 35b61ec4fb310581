"""Outcomes in a list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from ...records import Outcome


class MemoryOutcomes:
    """Implements :class:`mtp_plugin.ports.Outcomes`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, Outcome] = {}
        self._numbers: dict[bytes, int] = {}
        self._last = 0

    def record(self, outcomes: Sequence[Outcome]) -> int:
        with self._lock:
            fresh = {one.outcome_id: one for one in outcomes if one.outcome_id not in self._numbers}
            for outcome_id, one in fresh.items():
                self._last += 1
                self._kept[self._last], self._numbers[outcome_id] = one, self._last
        return len(fresh)

    def after(self, number: int, *, limit: int = 10_000) -> tuple[list[Outcome], int]:
        found = [(place, one) for place, one in list(self._kept.items()) if place > number][:limit]
        return [one for _, one in found], found[-1][0] if found else number

    def between(self, since: float, until: float, *, batch: int = 10_000) -> Iterator[list[Outcome]]:
        found = [one for one in list(self._kept.values()) if since <= one.at < until]
        for start in range(0, len(found), batch):
            yield found[start : start + batch]

    def of(self, recommendation_id: str) -> list[Outcome]:
        return [one for one in list(self._kept.values()) if one.recommendation_id == recommendation_id]

    def of_slates(self, recommendation_ids: Sequence[str]) -> dict[str, list[Outcome]]:
        return {name: found for name in recommendation_ids if (found := self.of(name))}

    def of_visitor(self, profile_id: str) -> list[Outcome]:
        return [one for one in list(self._kept.values()) if one.profile_id == profile_id]

    def erase(self, profile_id: str) -> int:
        return self._drop(lambda one: one.profile_id == profile_id)

    def purge(self, before: float, *, dry: bool = False) -> int:
        if dry:
            return sum(one.at < before for one in list(self._kept.values()))
        return self._drop(lambda one: one.at < before)

    def _drop(self, is_gone: Callable[[Outcome], bool]) -> int:
        with self._lock:
            gone = [(number, one.outcome_id) for number, one in self._kept.items() if is_gone(one)]
            for number, outcome_id in gone:
                del self._kept[number], self._numbers[outcome_id]
        return len(gone)

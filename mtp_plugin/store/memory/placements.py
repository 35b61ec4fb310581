"""Changes of placements in a list."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from ...ports import PlacementChange


class MemoryPlacements:
    """Implements :class:`mtp_plugin.ports.PlacementLog`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: list[PlacementChange] = []

    def version(self) -> int:
        return len(self._changes)

    def current(self) -> dict[str, PlacementChange]:
        return {change.name: change for change in self._changes}

    def change(self, name: str, options: Mapping[str, Any], *, who: str, now: float) -> PlacementChange:
        with self._lock:
            number = len(self._changes) + 1
            made = PlacementChange(number=number, name=name, options=dict(options), changed_at=now, changed_by=who)
            self._changes.append(made)
        return made

    def history(self, name: str, limit: int = 50) -> list[PlacementChange]:
        return [change for change in reversed(self._changes) if change.name == name][:limit]

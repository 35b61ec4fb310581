"""Changes of placements or experiments in a list."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from ...errors import CHANGED, ConflictError
from ...ports import Change


class MemoryChanges:
    """Implements :class:`mtp_plugin.ports.ChangeLog`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: list[Change] = []

    def version(self) -> int:
        return len(self._changes)

    def current(self) -> dict[str, Change]:
        return {change.name: change for change in self._changes}

    def change(
        self, name: str, options: Mapping[str, Any], *, who: str, now: float, expected: int | None = None
    ) -> Change:
        with self._lock:
            known = self.current().get(name)
            if expected is not None and expected != (known.number if known else 0):
                raise ConflictError(CHANGED)
            number = len(self._changes) + 1
            made = Change(number=number, name=name, options=dict(options), changed_at=now, changed_by=who)
            self._changes.append(made)
        return made

    def history(self, name: str, limit: int = 50) -> list[Change]:
        return [change for change in reversed(self._changes) if change.name == name][:limit]

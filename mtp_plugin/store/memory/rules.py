"""Versions of the rules in a list."""

from __future__ import annotations

import threading

import msgspec

from ...errors import NotFoundError
from ...records import RuleSet, RuleSetInfo
from ..sql_rules import conflict


class MemoryRules:
    """Implements :class:`mtp_plugin.ports.RuleStore`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: list[tuple[RuleSetInfo, bytes]] = []

    def current(self) -> int:
        return len(self._versions)

    def load(self, version: int) -> bytes:
        if version == 0:
            return b'{"rules":[]}'
        if not 1 <= version <= len(self._versions):
            raise NotFoundError(f"there is no version {version} of the rules", field="version")
        return self._versions[version - 1][1]

    def save(self, rules: RuleSet, *, by: str, at: float, note: str = "", expected: int | None = None) -> int:
        with self._lock:
            current = len(self._versions)
            if expected is not None and expected != current:
                raise conflict(expected, current)
            info = RuleSetInfo(
                version=current + 1,
                created_at=at,
                created_by=by,
                note=note,
                rules=len(rules.rules),
                enabled=sum(rule.enabled for rule in rules.rules),
            )
            self._versions.append((info, msgspec.json.encode(rules)))
            return info.version

    def history(self, *, limit: int = 50, before: int | None = None) -> list[RuleSetInfo]:
        newest = [info for info, _ in reversed(self._versions) if before is None or info.version < before]
        return newest[:limit]

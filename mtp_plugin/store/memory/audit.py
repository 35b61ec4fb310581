"""The audit log in a list."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...ports import AuditEntry, AuditFault, AuditHead
from ...privacy.audit import FIRST, Sealer, check


class MemoryAudit:
    """Implements :class:`mtp_plugin.ports.AuditLog`.

    :param keys: keys of the seals, the newest last
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._sealer, self._lock = Sealer(keys), threading.Lock()
        self._entries: list[AuditEntry] = []
        self._head = AuditHead(number=0, seal=FIRST)

    def append(
        self, actor: str, action: str, subject: str = "", details: Mapping[str, Any] | None = None, *, at: float
    ) -> AuditEntry:
        with self._lock:
            entry = self._sealer.entry(self._head, at, actor, action, subject, details)
            self._entries.append(entry)
            self._head = AuditHead(number=entry.number, seal=entry.seal)
        return entry

    def entries(self, *, after: int = 0, batch: int = 1000) -> Iterator[AuditEntry]:
        return iter([entry for entry in self._entries if entry.number > after])

    def latest(self, limit: int, *, action: str = "", subject: str = "") -> list[AuditEntry]:
        found = (
            entry
            for entry in reversed(self._entries)
            if entry.action.startswith(action) and subject in ("", entry.subject)
        )
        return [entry for entry, _ in zip(found, range(limit), strict=False)]

    def head(self) -> AuditHead:
        return self._head

    def verify(self) -> list[AuditFault]:
        return check(lambda number: self.entries(after=number), self.head, self._sealer)

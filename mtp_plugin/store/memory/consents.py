"""Choices in a list."""

from __future__ import annotations

from ...ports import ConsentDecision


class MemoryConsents:
    """Implements :class:`mtp_plugin.ports.ConsentLog`."""

    def __init__(self) -> None:
        self._decisions: list[ConsentDecision] = []

    def append(self, decision: ConsentDecision) -> None:
        self._decisions.append(decision)

    def of(self, subject_id: str) -> list[ConsentDecision]:
        return [decision for decision in list(self._decisions) if decision.subject_id == subject_id]

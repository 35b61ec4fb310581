"""Choices in a list."""

from __future__ import annotations

from ...ports import ConsentDecision


class MemoryConsents:
    """Implements :class:`mtp_plugin.ports.ConsentLog`."""

    def __init__(self) -> None:
        self._decisions: list[ConsentDecision] = []

    def append(self, *decisions: ConsentDecision) -> None:
        self._decisions.extend(decisions)

    def of(self, subject_id: str) -> list[ConsentDecision]:
        return [decision for decision in list(self._decisions) if decision.subject_id == subject_id]

    def erase(self, subject_id: str) -> int:
        kept = [decision for decision in self._decisions if decision.subject_id != subject_id]
        return self._keep(kept)

    def purge(self, before: float, *, dry: bool = False) -> int:
        last = {(decision.subject_id, decision.purpose): id(decision) for decision in self._decisions}
        kept = [
            decision
            for decision in self._decisions
            if decision.decided_at >= before or last[decision.subject_id, decision.purpose] == id(decision)
        ]
        return len(self._decisions) - len(kept) if dry else self._keep(kept)

    def _keep(self, kept: list[ConsentDecision]) -> int:
        gone, self._decisions = len(self._decisions) - len(kept), kept
        return gone

"""Requests of visitors and suppressions in dictionaries."""

from __future__ import annotations

from collections.abc import Iterable

from ...ports import SubjectRequest, Suppression


class MemorySubjects:
    """Implements :class:`mtp_plugin.ports.SubjectLog`."""

    def __init__(self) -> None:
        self._requests: dict[str, SubjectRequest] = {}
        self._suppressions: dict[tuple[str, str], Suppression] = {}
        self._version, self._report = 0, ""

    def save(self, request: SubjectRequest) -> None:
        self._requests[request.request_id] = request

    def get(self, request_id: str) -> SubjectRequest | None:
        return self._requests.get(request_id)

    def unfinished(self) -> list[SubjectRequest]:
        return self._sorted(request for request in self._requests.values() if not request.finished_at)

    def of(self, subject: str) -> list[SubjectRequest]:
        return self._sorted(request for request in self._requests.values() if request.subject == subject)

    def _sorted(self, requests: Iterable[SubjectRequest]) -> list[SubjectRequest]:
        return sorted(requests, key=lambda request: (request.requested_at, request.request_id))

    def purge(self, before: float, *, dry: bool = False) -> int:
        old = [name for name, request in self._requests.items() if 0 < request.finished_at < before]
        for name in () if dry else old:
            del self._requests[name]
        return len(old)

    def suppress(self, *suppressions: Suppression) -> None:
        for one in suppressions:
            self._suppressions[one.subject, one.kind] = one
        self._version += len(suppressions)

    def suppressions(self) -> list[Suppression]:
        return list(self._suppressions.values())

    def suppression_version(self) -> int:
        return self._version

    def save_report(self, at: float, body: str) -> None:
        self._report = body

    def last_report(self) -> str:
        return self._report

"""What is remembered of segments, in dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ...ports import MadeSegment, SegmentRefresh
from ..chunks import chunks


class MemorySegments:
    """Implements :class:`mtp_plugin.ports.SegmentBook`."""

    def __init__(self) -> None:
        self._version = 0
        self._made: dict[str, MadeSegment] = {}
        self._names: dict[str, str] = {}
        self._members: dict[str, str] = {}
        self._refreshes: list[SegmentRefresh] = []

    def version(self) -> int:
        return self._version

    def made(self) -> list[MadeSegment]:
        return sorted(self._made.values(), key=lambda segment: (segment.precedence, segment.segment_id))

    def save(self, segment: MadeSegment) -> None:
        self._made[segment.segment_id] = segment
        self._version += 1

    def counted(self, sizes: Mapping[str, int], at: float) -> None:
        for segment_id, size in sizes.items():
            if segment_id in self._made:
                made = self._made[segment_id]
                self._made[segment_id] = msgspec.structs.replace(made, size=size, counted_at=at)
        self._version += 1

    def delete(self, segment_id: str) -> bool:
        self._version += 1
        return self._made.pop(segment_id, None) is not None

    def names(self) -> dict[str, str]:
        return dict(self._names)

    def rename(self, segment_id: str, name: str) -> None:
        self._names.pop(segment_id, None)
        if name:
            self._names[segment_id] = name
        self._version += 1

    def members(self, *, batch: int = 5000) -> Iterator[list[tuple[str, str]]]:
        return (list(rows) for rows in chunks(sorted(self._members.items()), batch))

    def record_refresh(self, refresh: SegmentRefresh, members: Iterable[tuple[str, str]] | None = None) -> None:
        if members is not None:
            self._members = dict(members)
        self._refreshes.insert(0, refresh)
        self._version += 1

    def refreshes(self, limit: int = 52) -> list[SegmentRefresh]:
        return self._refreshes[:limit]

    def forget(self, profile_id: str) -> bool:
        return self._members.pop(profile_id, None) is not None

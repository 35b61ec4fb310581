"""Long lists in pieces: databases take a limited number of values at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Pieces of at most *size* items, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

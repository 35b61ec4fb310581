"""Simulated time: several processes agree on the moment that stands in a file."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path

_MOMENT = struct.Struct("<d")


class Clock:
    """A moment in seconds since 1970, shared through a file of eight bytes.

    :param path: of the file, which :meth:`make` writes
    """

    def __init__(self, path: str | Path) -> None:
        with Path(path).open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _MOMENT.size)

    @classmethod
    def make(cls, path: str | Path, at: float) -> Clock:
        """A new clock that stands at *at*."""
        Path(path).write_bytes(_MOMENT.pack(at))
        return cls(path)

    def time(self) -> float:
        """What the clock says."""
        return float(_MOMENT.unpack_from(self._shared)[0])

    def set(self, at: float) -> None:
        """Let it be *at*."""
        _MOMENT.pack_into(self._shared, 0, at)

    def rule(self) -> None:
        """Make it what ``time.time`` says in this process; what waits or measures goes by other clocks."""
        time.time = self.time

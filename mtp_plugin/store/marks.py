"""A page of memory that all processes of one machine share, to tell each other whose profile changed."""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from random import Random

from ..fork import after_fork

SLOTS = 1 << 16
WIDTH = 8


class Marks:
    """A mark for each profile, which changes with the profile; many profiles share one, so it may change without.

    A mark is drawn by chance and not counted up: two processes that write at once cannot take each other's change for
    their own.

    :param path: of the file behind the memory; made if it is missing
    :raises OSError: it cannot be made or opened
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)  # as SQLite makes its files: the umask decides
        try:
            if os.fstat(descriptor).st_size < SLOTS * WIDTH:
                # Not only the length: a write to a hole of a full disk ends the process.
                os.posix_fallocate(descriptor, 0, SLOTS * WIDTH)
            self._memory = mmap.mmap(descriptor, SLOTS * WIDTH)
        finally:
            os.close(descriptor)
        self._chance = Random()
        after_fork(self._chance.seed)

    def of(self, profile_id: str) -> bytes:
        """The mark of a profile as it is now."""
        at = _place(profile_id)
        return self._memory[at : at + WIDTH]

    def change(self, profile_ids: Iterable[str]) -> None:
        """Say that these profiles changed."""
        for profile_id in profile_ids:
            at = _place(profile_id)
            self._memory[at : at + WIDTH] = self._chance.randbytes(WIDTH)


def _place(profile_id: str) -> int:
    return zlib.crc32(profile_id.encode("utf-8", "surrogatepass")) % SLOTS * WIDTH

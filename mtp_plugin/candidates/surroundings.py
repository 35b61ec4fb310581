"""What was around visitors, session by session, as codes of two bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..records import NOWHERE, IntArray, Surroundings

MOST = 30_000
"""Kinds of surroundings that are told apart; of later ones nothing is known. Four devices by four times of day by some
two thousand regions."""

Around = tuple[IntArray, tuple[Surroundings, ...]]
"""The code of each session, int16, and what codes mean; both empty where nothing is known of any."""
UNKNOWN: IntArray = np.zeros(0, dtype=np.int16)


class SurroundingCodes(dict[Surroundings, int]):
    """Numbers for surroundings in order of first appearance; 0 is unknown."""

    def __init__(self, known: Iterable[Surroundings] = ()) -> None:
        super().__init__({one: code for code, one in enumerate(dict.fromkeys((NOWHERE, *known)))})

    def __missing__(self, one: Surroundings) -> int:
        if len(self) >= MOST:
            return 0
        code = self[one] = len(self)
        return code

    def of(self, told: Sequence[Surroundings]) -> IntArray:
        """Their codes, int16."""
        return np.fromiter(map(self.__getitem__, told), dtype=np.int16, count=len(told))


def by_session(codes: IntArray, session: IntArray, known: Iterable[Surroundings]) -> Around:
    """One code a session: the first that is known in it.

    :param codes: of each row
    :param session: of each row, numbered from 0, not descending
    """
    told = np.flatnonzero(codes)[::-1]
    if not len(told):
        return UNKNOWN, ()
    found = np.zeros(int(session[-1]) + 1, dtype=np.int16)
    found[session[told]] = codes[told]
    names = list(known)
    used = np.unique(np.append(found, np.int16(0)))  # what nobody is left of is not kept
    return np.searchsorted(used, found).astype(np.int16), tuple(names[code] for code in used.tolist())


def around_arrays(around: Around) -> dict[str, NDArray[Any]]:
    """As a bundle keeps them; nothing where nothing is known."""
    codes, known = around
    return {"log_around": codes, "log_surroundings": _bytes(known)} if len(codes) else {}


def around_in(arrays: Mapping[str, NDArray[Any]]) -> Around:
    """What :func:`around_arrays` gave."""
    if "log_around" not in arrays:
        return UNKNOWN, ()
    known = msgspec.json.decode(arrays["log_surroundings"].tobytes(), type=tuple[Surroundings, ...])
    return arrays["log_around"], known


def _bytes(known: tuple[Surroundings, ...]) -> NDArray[np.uint8]:
    return np.frombuffer(msgspec.json.encode(known), dtype=np.uint8)

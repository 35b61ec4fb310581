"""Fewer candidates: those that the sources say most of are weighed, of the rest hardly any ever wins."""

from __future__ import annotations

import numpy as np

from ..compiled import HAS_NUMBA
from ..records import BoolArray, IntArray
from . import kernels, plain
from .scratch import Scratch
from .sources import Sources

EVERYTHING: BoolArray = np.zeros(0, dtype=np.bool_)
"""The mask that allows all."""


def keep_loudest(
    sources: Sources, scratch: Scratch, given: int, enough: int, which: IntArray, allowed: BoolArray = EVERYTHING
) -> None:
    """Drop what no source says much of.

    :param given: candidates, the first, that stay in any case
    :param enough: of the others stay so many
    :param which: columns that count
    :param allowed: mask over the catalogue's rows: what may not be shown goes first; empty allows all
    """
    if scratch.count <= given + enough:
        return
    if not HAS_NUMBA:
        plain.keep_loudest(scratch, given, enough, which, sources.popularity, allowed)
        return
    scratch.count = kernels.keep_loudest(
        given, enough, which, sources.popularity, allowed, scratch.mark, scratch.slot, scratch.rows, scratch.columns,
        scratch.best, scratch.anchor, scratch.count,
    )  # fmt: skip

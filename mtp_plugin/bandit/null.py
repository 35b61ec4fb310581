"""No bandit: the placement's own ladder, with certainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
from msgspec.structs import replace

from ..records import Choice, FloatArray, Placement, SegmentRef, SlateRequest
from .rows import Creative


class Slotted(NamedTuple):
    """The product that was chosen, by its place among the arms, and the probabilities of all of them."""

    arm: int
    probabilities: FloatArray
    choice: Choice


class Slot(Protocol):
    """A place of the slate whose product a policy chooses, once it is known which can be sold.

    ``first`` is the number of candidates that are its arms, 0 where ``product_ids`` are.
    """

    @property
    def position(self) -> int: ...

    @property
    def first(self) -> int: ...

    @property
    def product_ids(self) -> tuple[str, ...]: ...

    def choose(self, product_ids: Sequence[str]) -> Slotted:
        """One of these."""


class Chosen(msgspec.Struct, frozen=True):
    """What policies chose for a request: the ladder of strategies, what stands over the block, and a slot to fill.

    ``strategy`` and ``creative_choice`` are the choices as they are logged, ``None`` where nothing was to choose.
    """

    ladder: tuple[str, ...]
    strategy: Choice | None = None
    creative: Creative | None = None
    creative_choice: Choice | None = None
    slot: Slot | None = None

    @property
    def propensity(self) -> float:
        """The probability of the ladder."""
        return self.strategy.propensity if self.strategy else 1.0

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Those made before candidates are looked for."""
        return tuple(choice for choice in (self.strategy, self.creative_choice) if choice)

    def under(self, ladder: tuple[str, ...], *, worded: bool) -> Chosen:
        """What is left of it where rules have a ladder of their own, or words over the block: they override."""
        chosen = replace(self, ladder=ladder, strategy=None) if ladder else self
        return replace(chosen, creative=None, creative_choice=None) if worded and chosen.creative else chosen


@dataclass(frozen=True)
class NoBandit:
    """The policy that never explores."""

    def choose(self, placement: Placement, request: SlateRequest, segment: SegmentRef | None) -> Chosen:
        """The placement's own ladder and nothing else."""
        return Chosen(placement.strategies)


def certain(arms: int, arm: int) -> FloatArray:
    """1 for this arm, 0 for the others."""
    probabilities = np.zeros(arms)
    probabilities[arm] = 1.0
    return probabilities

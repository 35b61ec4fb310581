"""One seeded draw among arms: all the chance there is in a policy, so that its propensities are exact."""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from ..records import FloatArray, SlateRequest
from .kernels import fallen

_MASK = (1 << 64) - 1


class Draw(NamedTuple):
    """The arm that was drawn, by its place, and the probability with which it was."""

    arm: int
    propensity: float


def uniform(seed: int) -> float:
    """A number in [0, 1) that looks random and depends on *seed* alone.

    The output function of SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.

    >>> uniform(7) == uniform(7) != uniform(8)
    True
    """
    z = (seed + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) * 2.0**-53


def seed_of(request: SlateRequest, policy: str) -> int:
    """The seed of a policy's draw for a request: the same for the same request, another for the next one.

    It is made of what the slate's log keeps of the request (seed, time, placement), so that a replay draws alike.
    """
    words = f"{request.placement}\0{policy}".encode()
    packed = struct.pack("<Qd", request.seed & _MASK, request.now) + words
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little")


def draw(probabilities: FloatArray, seed: int) -> Draw:
    """Draw one arm.

    :param probabilities: of the arms, shape ``(arms,)``, adding up to 1

    >>> import numpy as np
    >>> draw(np.array([0.0, 1.0, 0.0]), seed=3)
    Draw(arm=1, propensity=1.0)
    """
    arm = fallen(probabilities, uniform(seed))
    return Draw(arm, float(probabilities[arm]))


def floored(probabilities: FloatArray, floor: float) -> FloatArray:
    """The same with at least *floor* for each arm: mixed with the uniform policy, which keeps the order of arms.

    :param floor: from 0 to 1 / arms

    >>> import numpy as np
    >>> floored(np.array([1.0, 0.0]), 0.1).tolist()
    [0.9, 0.1]
    """
    if floor <= 0.0:
        return probabilities
    return probabilities * (1.0 - floor * len(probabilities)) + floor


def check_floor(floor: float) -> float:
    """The floor itself.

    :raises ValueError: it is no number from 0 to 0.5
    """
    if not 0.0 <= floor <= 0.5:
        raise ValueError(f"floor must be from 0 to 0.5, and at most 1 / arms, not {floor}")
    return floor

"""Forward decay: weights that fade without anything having to be touched as time goes by.

An event of weight *w* at time *t* adds ``w * 2**((t - landmark) / half_life)`` and a read divides by
``2**((now - landmark) / half_life)``. Sums do not depend on order, parts kept apart can be added, and what one event
gave can be subtracted again. (Cormode, Shkapenyuk, Srivastava, Xu: Forward decay, ICDE 2009.)

The numbers grow, so the landmark moves on in whole steps of :data:`STEP` half-lives. Moving it divides by a power of
two, which is exact in binary floating point.
"""

from __future__ import annotations

LANDMARK = 1_577_836_800.0
"""2020-01-01 UTC, in seconds since 1970: where the first step begins."""
STEP = 256
"""Half-lives between two landmarks; twice this is far from the 1,024 doublings that a double can hold."""


def landmark_of(t: float, half_life: float) -> float:
    """The landmark for weights whose newest event is at *t*.

    :param half_life: seconds, positive

    >>> landmark_of(LANDMARK + 10, 1.0) == LANDMARK, landmark_of(LANDMARK + 300, 1.0) - LANDMARK
    (True, 256.0)
    """
    span = STEP * half_life
    return LANDMARK + span * ((t - LANDMARK) // span)


def weight_at(t: float, landmark: float, half_life: float) -> float:
    """What weight 1 at *t* adds to a sum relative to *landmark*; 0 for what is too old to count.

    >>> weight_at(LANDMARK + 20, LANDMARK, 10.0)
    4.0
    """
    exponent = (t - landmark) / half_life
    return 2.0**exponent if exponent > -1000 else 0.0


def moved(old: float, new: float, half_life: float) -> float:
    """The factor that takes a sum from landmark *old* to *new*: an exact power of two, 0 when all has faded."""
    doublings = round((old - new) / half_life)
    return 2.0**doublings if doublings > -1000 else 0.0


def read(value: float, now: float, landmark: float, half_life: float) -> float:
    """A sum as it counts at *now*.

    >>> read(4.0, LANDMARK + 30, LANDMARK, 10.0)
    0.5
    """
    return float(value * 2.0 ** min(1000.0, (landmark - now) / half_life))

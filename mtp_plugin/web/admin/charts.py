"""Charts as figures that templates draw: few marks, direct labels, and always the table they are drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600.0, 140.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a bar chart; ``share`` of the longest, 0 to 1."""

    label: str
    value: float
    share: float
    url: str = ""


def bars(values: Sequence[tuple[str, float]]) -> tuple[Bar, ...]:
    """Bars, the longest filling the width."""
    longest = max((value for _, value in values), default=0.0) or 1.0
    return tuple(Bar(label, value, max(0.0, value / longest)) for label, value in values)


@dataclass(frozen=True, slots=True)
class Line:
    """A line over equal steps, with the period before as a thin one.

    ``points`` and ``before_points`` are SVG's, in a box of :data:`WIDTH` by :data:`HEIGHT`.
    """

    name: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    before: tuple[float, ...]
    top: float

    @property
    def points(self) -> str:
        return self._drawn(self.values)

    @property
    def before_points(self) -> str:
        return self._drawn(self.before)

    @property
    def area(self) -> str:
        return f"0,{HEIGHT:g} {self.points} {WIDTH:g},{HEIGHT:g}"

    @property
    def total(self) -> float:
        return sum(self.values)

    @property
    def total_before(self) -> float:
        return sum(self.before)

    @property
    def change(self) -> float | None:
        """Against the period before, as a share of it."""
        return self.total / self.total_before - 1 if self.total_before else None

    def _drawn(self, values: Sequence[float]) -> str:
        step = WIDTH / max(1, len(values) - 1)
        return " ".join(
            f"{place * step:.1f},{HEIGHT - value / self.top * HEIGHT:.1f}" for place, value in enumerate(values)
        )


def line(name: str, labels: Sequence[str], values: Sequence[float], before: Sequence[float] = ()) -> Line:
    """A line; its scale begins at zero and ends at a round number."""
    return Line(name, tuple(labels), tuple(values), tuple(before), round_up(max((*values, *before), default=0.0)))


def round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)

"""The map of segments: visitors as signs on a plane, a sign for each segment, a number at its middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ...segment.story import Point

WIDTH, HEIGHT, EDGE = 640.0, 380.0, 24.0
MOST = 900
"""Signs drawn: more would tell nothing new, and weigh."""
SIGNS = (
    "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0z",
    "M-2.7,-2.7h5.4v5.4h-5.4z",
    "M0,-3.4 3.2,2.6h-6.4z",
    "M0,-3.6 3.6,0 0,3.6 -3.6,0z",
    "M-3,-3 3,3M3,-3 -3,3",
    "M0,-3.6V3.6M-3.6,0H3.6",
    "M0,3.4 3.2,-2.6h-6.4z",
    "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0zM-3,0h6",
    "M-2.7,-2.7h5.4v5.4h-5.4zM-2.7,-2.7l5.4,5.4",
    "M-3.6,0H3.6",
    "M0,-3.6V3.6",
    "M-3,-1 0,-3.4 3,-1 1.9,3h-3.8z",
)
"""Shapes, told apart without any colour."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """The visitors of one segment; ``number`` is that of its row in the table beside the map."""

    segment_id: str
    name: str
    number: int
    sign: str
    spots: tuple[tuple[float, float], ...]
    middle: tuple[float, float]


def clouds(points: Sequence[Point], names: Sequence[tuple[str, str]]) -> tuple[Cloud, ...]:
    """The map, ready to be drawn.

    :param names: id and name of the segments in the order of the table; what is not among them is left out
    """
    drawn = points[:: max(1, -(-len(points) // MOST))]
    found: list[Cloud] = []
    for number, (segment_id, name) in enumerate(names, 1):
        spots = tuple(
            (EDGE + point.x * (WIDTH - 2 * EDGE), EDGE + point.y * (HEIGHT - 2 * EDGE))
            for point in drawn
            if point.segment_id == segment_id
        )
        if spots:
            middle = median(x for x, _ in spots), median(y for _, y in spots)
            found.append(Cloud(segment_id, name, number, SIGNS[len(found) % len(SIGNS)], spots, middle))
    return tuple(found)

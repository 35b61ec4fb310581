"""Which days of small groups are not told, so that no sum less the others gives one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set

Cell = tuple[str, int]
"""A group and a day."""


def held_back(few: Set[Cell], slates: Mapping[Cell, float]) -> set[Cell]:
    """Those of too few visitors; where one is alone in its day or in its group, the smallest other goes with it.

    :param few: cells of too few visitors
    :param slates: how many slates each cell has; all cells there are
    :return: cells to hold back: of each day and of each group none, two at least, or all that there are

    >>> sorted(held_back({("a", 1)}, {("a", 1): 1, ("a", 2): 8, ("a", 3): 9, ("b", 1): 5, ("b", 2): 5, ("b", 3): 9}))
    [('a', 1), ('a', 2), ('b', 1), ('b', 2)]
    """
    lines: dict[tuple[int, object], list[Cell]] = defaultdict(list)
    # Those without a group (``""``) last, as everybody in no group is no small group.
    for cell in sorted(slates, key=lambda cell: (not cell[0], slates[cell], cell)):
        for place, name in enumerate(cell):
            lines[place, name].append(cell)
    hidden, before = few & slates.keys(), -1
    while len(hidden) > before:
        before = len(hidden)
        for line in lines.values():
            if sum(cell in hidden for cell in line) == 1:
                hidden |= set([cell for cell in line if cell not in hidden][:1])
    return set(hidden)

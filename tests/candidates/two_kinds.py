"""A made-up shop whose visitors are of two kinds: each chooses, after a product that says nothing of them, its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtp_plugin.candidates.learn.segments import Past
from mtp_plugin.candidates.log import TrainingLog, owner
from mtp_plugin.candidates.membership import Membership
from mtp_plugin.candidates.train import Learnt, train
from mtp_plugin.records import NOWHERE, IntArray, Interactions, Query, SegmentRef, Surroundings

from .shop import DAY, table

KINDS = ("even", "odd")
N = 96
VISITORS, VISITS = 900, 7_500
LEARNT = 6_000
DAYS = 40
SURE = 0.9
AROUND = {
    "device": (Surroundings(device="mobile"), Surroundings(device="desktop")),
    "daypart": (Surroundings(daypart="morning"), Surroundings(daypart="night")),
    "region": (Surroundings(country="DE", region="BY"), Surroundings(country="DE", region="HH")),
}
"""What tells the two kinds apart, if not their segments."""


class Visit(NamedTuple):
    """Two products seen one after the other."""

    visitor: str
    at: float
    way: tuple[int, int]


def kind_of(visitor: str) -> int:
    return int(visitor[2:]) % 2


def visits(count: int = VISITS) -> list[Visit]:
    """All begin with one of twelve products, and go on to one of the seven that follow it, mostly one whose number is
    even or odd as the visitor's."""
    random, found = np.random.default_rng(0), []
    for number in range(count):
        visitor, begins = f"u:{int(random.integers(VISITORS))}", int(random.integers(12))
        of_kind = kind_of(visitor) if random.random() < 0.9 else int(random.integers(2))
        goes_on = 12 + begins * 7 + int(random.integers(3)) * 2
        then = goes_on + (of_kind - goes_on) % 2
        found.append(Visit(visitor, number * DAYS * DAY / VISITS, (begins, then)))
    return found


def around(visitor: str, told_by: str) -> Surroundings:
    return AROUND[told_by][kind_of(visitor)] if told_by in AROUND else NOWHERE


def log_of(made: Sequence[Visit], told_by: str) -> TrainingLog:
    """Views; where their surroundings tell visitors apart, with these."""
    rows = [(one.visitor, one.at + 60.0 * step, f"p{row:03}") for one in made for step, row in enumerate(one.way)]
    visitors, times, items = zip(*rows, strict=True)
    told = [around(visitor, told_by) for visitor in visitors] if told_by in AROUND else ()
    names = ["Product Viewed"] * len(rows)
    return TrainingLog.from_interactions([Interactions(visitors, names, times, [1] * len(rows), items, told)])


class Always:
    """Everybody has been in their segment from the first day on."""

    def membership(self, log: TrainingLog, cut: float) -> Membership:
        return members(log)

    def segments(self, log: TrainingLog, rows: IntArray, *, arriving: bool) -> list[SegmentRef | None]:
        names = {owner(f"u:{number}"): KINDS[number % 2] for number in range(VISITORS)}
        return [SegmentRef(names[whose], "", SURE) for whose in log.owners[log.visitor[rows]].tolist()]


def members(log: TrainingLog) -> Membership:
    return Membership.of(log, {f"u:{number}": KINDS[number % 2] for number in range(VISITORS)})


def learn(made: Sequence[Visit], told_by: str = "") -> Learnt:
    """A model whose trees are told of visitors by their segment or surroundings, or by nothing."""
    log = log_of(made, told_by)
    past = Past(log.end, members(log), (), Always() if told_by == "segment" else None)
    return train(log, table=table(N), membership=members(log), past=past)


def question(visit: Visit, told_by: str) -> Query:
    """What a page asks after the first product."""
    segment = SegmentRef(KINDS[kind_of(visit.visitor)], "", SURE)
    return Query(now=visit.at, session=visit.way[:1], segment=segment, surroundings=around(visit.visitor, told_by))

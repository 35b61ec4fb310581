"""What trees see of the asker's segment: what visitors of one choose is learnt, nothing of it from after the choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from mtp_plugin.candidates.leanings import LEANINGS, Asker
from mtp_plugin.candidates.learn import experts
from mtp_plugin.candidates.learn.reranker import Case
from mtp_plugin.candidates.learn.segments import Past
from mtp_plugin.candidates.log import TrainingLog, owner
from mtp_plugin.candidates.membership import Membership
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.train import Learnt, train
from mtp_plugin.records import Event, IntArray, Query, SegmentRef, Strategy

from .shop import DAY, bundle, event, table

KINDS = {"even": 0, "odd": 1}
N = 96
VISITORS, VISITS = 900, 7_500
LEARNT = 6_000
DAYS = 40


class Visit(NamedTuple):
    """Products seen one after the other, and what the visitor's kind of people choose."""

    visitor: str
    at: float
    way: tuple[int, ...]


def kind_of(visitor: str) -> str:
    return list(KINDS)[int(visitor[2:]) % 2]


def visits(seed: int = 0) -> list[Visit]:
    """All begin with a product of twelve that says nothing of the visitor, and go on to one of those that follow it,
    mostly one of the visitor's kind: its number is even or odd."""
    random, found = np.random.default_rng(seed), []
    for number in range(VISITS):
        visitor, begins = f"u:{int(random.integers(VISITORS))}", int(random.integers(12))
        of_kind = KINDS[kind_of(visitor)] if random.random() < 0.9 else int(random.integers(2))
        goes_on = 12 + begins * 7 + int(random.integers(3)) * 2
        then = goes_on + (of_kind - goes_on) % 2
        found.append(Visit(visitor, number * DAYS * DAY / VISITS, (begins, then)))
    return found


def history(made: Sequence[Visit]) -> list[Event]:
    return [
        event("Product Viewed", one.visitor, one.at + 60.0 * step, f"p{row:03}")
        for one in made
        for step, row in enumerate(one.way)
    ]


class Fixed:
    """Everybody has been in their segment from the first day on."""

    def membership(self, log: TrainingLog, cut: float) -> Membership:
        return members(log)

    def segments(self, log: TrainingLog, rows: IntArray) -> list[SegmentRef | None]:
        names = {owner(f"u:{number}"): kind_of(f"u:{number}") for number in range(VISITORS)}
        return [SegmentRef(names[whose], "", 0.9) for whose in log.owners[log.visitor[rows]].tolist()]


def members(log: TrainingLog) -> Membership:
    return Membership.of(log, {f"u:{number}": kind_of(f"u:{number}") for number in range(VISITORS)})


def learn(made: Sequence[Visit], *, leaning: bool) -> Learnt:
    log = TrainingLog.from_events([history(made)])
    past = Past(log.end, members(log), (), Fixed() if leaning else None)
    return train(log, table=table(N), membership=members(log), past=past)


@pytest.fixture(scope="module")
def both() -> tuple[Learnt, Learnt]:
    """Trees that see the segment, and trees that do not."""
    made = visits()[:LEARNT]
    return learn(made, leaning=True), learn(made, leaning=False)


def reciprocal_ranks(shop: Recommender, asked: Sequence[Visit]) -> np.ndarray:
    found = []
    for one in asked:
        query = Query(now=one.at, session=one.way[:1], segment=SegmentRef(kind_of(one.visitor), "", 0.9))
        rows = shop.candidates(Strategy.RECOMMENDED_FOR_YOU, query, 20).rows.tolist()
        found.append(1.0 / (1 + rows.index(one.way[1])) if one.way[1] in rows else 0.0)
    return np.array(found)


def test_what_a_segment_chooses_is_learnt_and_wins_on_what_comes_later(both: tuple[Learnt, Learnt]) -> None:
    with_, without = both
    assert with_.figures["rerankers"]["session"]["serves"]
    later = visits()[LEARNT:]
    gains = np.subtract(
        *(reciprocal_ranks(Recommender(table(N), bundle("behaviour", one)), later) for one in (with_, without))
    )
    # Of three products of the kind and three of the other, one of the kind is chosen in 95 of 100: by chance alone
    # the mean of the paired differences would be above four of its standard errors once in 30,000 times.
    assert gains.mean() > 4 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert gains.mean() > 0.05


def test_trees_of_a_shop_without_segments_are_asked_for_nothing_more(both: tuple[Learnt, Learnt]) -> None:
    with_, without = (Recommender(table(N), bundle("behaviour", one)) for one in both)
    assert with_.rerankers["session"].leans
    assert not any(one.leans for one in without.rerankers.values())
    plain = train(TrainingLog.from_events([history(visits()[:LEARNT])]), table=table(N))
    names = [name for name in plain.arrays if name.startswith("rerank_")]
    assert names == [name for name in both[1].arrays if name.startswith("rerank_")]
    for name in names:
        np.testing.assert_array_equal(plain.arrays[name], both[1].arrays[name])


@pytest.mark.parametrize(
    "segment", [None, SegmentRef("never heard of", "", 1.0), SegmentRef("even", "", 0.0)], ids=lambda one: str(one)
)
def test_nobody_of_whom_nothing_is_known_leans(both: tuple[Learnt, Learnt], segment: SegmentRef | None) -> None:
    shop = Recommender(table(N), bundle("behaviour", both[0]))
    found = shop.sources.leanings.of(np.arange(N, dtype=np.int32), Asker(segment))
    assert found.shape == (N, len(LEANINGS))
    assert not found.any()


def test_a_segment_leans_to_what_it_does_the_more_the_surer_it_is(both: tuple[Learnt, Learnt]) -> None:
    leanings = Recommender(table(N), bundle("behaviour", both[0])).sources.leanings
    rows = np.arange(12, N, dtype=np.int32)
    sure, half = (leanings.of(rows, Asker(SegmentRef("odd", "", one)))[:, 0] for one in (1.0, 0.5))
    seen = sure != 0
    assert seen.sum() > 30
    assert (sure[seen & (rows % 2 == 1)] > 0).all()
    assert (sure[seen & (rows % 2 == 0)] < 0).all()
    assert (np.abs(half[seen]) < np.abs(sure[seen])).all()


def asked_of(made: Sequence[Visit], monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The columns of each question of the held-out sessions, in the order of asking; NaN where a product is no
    candidate."""
    found: list[np.ndarray] = []
    real = experts.session_questions

    def noted(shop: Recommender, *args: Any) -> Iterator[Case]:
        for case in real(shop, *args):
            scores, columns = case.features[:, 0], np.full((N, len(LEANINGS)), np.nan)
            scratch = shop.sources._scratches._scratch
            assert scratch is not None
            rows = scratch.rows[: len(scores)]
            columns[rows] = case.details(np.arange(len(scores)), scores)[:, -len(LEANINGS) :]
            found.append(columns)
            yield case

    monkeypatch.setattr(experts, "session_questions", noted)
    learn(made, leaning=True)
    monkeypatch.undo()
    return found


def test_another_future_changes_nothing_of_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is chosen in the stretch that judges is exchanged: the columns of its questions stay, to the last bit."""
    made = visits()[:LEARNT]
    first = asked_of(made, monkeypatch)
    cut, random = int(len(made) * 0.9) + 1, np.random.default_rng(7)
    future = [one._replace(way=(one.way[0], 12 + one.way[0] * 7 + int(random.integers(7)))) for one in made[cut:]]
    second = asked_of([*made[:cut], *future], monkeypatch)
    assert len(first) == len(second) > 1_000
    for one, other in zip(first, second, strict=True):
        seen = ~np.isnan(one) & ~np.isnan(other)
        np.testing.assert_array_equal(one[seen], other[seen])
        assert one[seen].any()

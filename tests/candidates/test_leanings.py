"""What trees see of the asker's like: what those of a segment, with a device, at a time of day or from a region choose
is learnt, nothing of it from after the choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from mtp_plugin.candidates.leanings import LEANINGS, Asker
from mtp_plugin.candidates.learn import experts
from mtp_plugin.candidates.learn.basket_choice import complete_questions, return_questions
from mtp_plugin.candidates.learn.experts import Models
from mtp_plugin.candidates.learn.reranker import Case
from mtp_plugin.candidates.learn.segment_rankings import PRIOR
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.recount import log_of as log_in
from mtp_plugin.candidates.recount import recount
from mtp_plugin.candidates.reranker import SEEN, Reranker
from mtp_plugin.candidates.train import Learnt, train
from mtp_plugin.records import Interactions, Profile, Purchase, Query, SegmentRef, Strategy, Surroundings

from .shop import DAY, bundle, events, table
from .test_reranker import stump
from .two_kinds import AROUND, LEARNT, N, Visit, learn, log_of, question, visits

ROWS = np.arange(N, dtype=np.int32)


@cache
def learnt(told_by: str = "") -> Learnt:
    return learn(visits()[:LEARNT], told_by)


def shop(told_by: str = "") -> Recommender:
    return Recommender(table(N), bundle("behaviour", learnt(told_by)))


def reciprocal_ranks(of: Recommender, told_by: str) -> np.ndarray:
    found = []
    for one in visits()[LEARNT:]:
        rows = of.candidates(Strategy.RECOMMENDED_FOR_YOU, question(one, told_by), 20).rows.tolist()
        found.append(1.0 / (1 + rows.index(one.way[1])) if one.way[1] in rows else 0.0)
    return np.array(found)


@pytest.mark.parametrize("told_by", ["segment", "device", "daypart", "region"])
def test_what_its_like_choose_is_learnt_and_wins_on_what_comes_later(told_by: str) -> None:
    assert learnt(told_by).figures["rerankers"]["session"]["serves"]
    gains = reciprocal_ranks(shop(told_by), told_by) - reciprocal_ranks(shop(), told_by)
    # Paired: by chance alone the mean is above four of its standard errors once in 30,000 times.
    assert gains.mean() > 4 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert gains.mean() > 0.05


def test_trees_of_a_shop_that_knows_nothing_of_it_are_the_same() -> None:
    assert shop("segment").rerankers["session"].leans
    assert shop("device").rerankers["session"].leans
    assert not any(one.leans for one in shop().rerankers.values())
    plain = train(log_of(visits()[:LEARNT], ""), table=table(N))
    names = [name for name in plain.arrays if name.startswith("rerank_")]
    assert names == [name for name in learnt().arrays if name.startswith("rerank_")]
    assert not any(name.startswith("leaning_") for name in learnt().arrays)
    for name in names:
        np.testing.assert_array_equal(plain.arrays[name], learnt().arrays[name])


@pytest.mark.parametrize(
    "asker",
    [
        Asker(),
        Asker(SegmentRef("never heard of", "", 1.0), Surroundings(device="fridge", country="XX", region="YY")),
        Asker(SegmentRef("even", "", 0.0), Surroundings(region="BY")),
    ],
    ids=["nothing is known", "nobody heard of it", "unsure"],
)
@pytest.mark.parametrize("told_by", ["segment", "device", "region"])
def test_nobody_of_whom_nothing_is_known_leans(told_by: str, asker: Asker) -> None:
    found = shop(told_by).sources.leanings.of(ROWS, asker)
    assert found.shape == (N, len(LEANINGS))
    assert not found.any()


def test_a_segment_leans_to_what_it_does_the_more_the_surer_it_is() -> None:
    leanings = shop("segment").sources.leanings
    sure, half = (leanings.of(ROWS[12:], Asker(SegmentRef("odd", "", one)))[:, 0] for one in (1.0, 0.5))
    odd, seen = ROWS[12:] % 2 == 1, sure != 0
    assert seen.sum() > 30
    assert (sure[seen & odd] > 0).all()
    assert (sure[seen & ~odd] < 0).all()
    assert (np.abs(half[seen]) < np.abs(sure[seen])).all()


@pytest.mark.parametrize(
    ("told_by", "odd", "column"),
    [
        ("device", Surroundings(device="desktop"), 1),
        ("daypart", Surroundings(daypart="night"), 2),
        ("region", Surroundings(country="DE", region="HH"), 3),
    ],
)
def test_surroundings_lean_by_category(told_by: str, odd: Surroundings, column: int) -> None:
    """Categories of odd numbers are theirs; each kind has a column of its own, the others stay empty."""
    found = shop(told_by).sources.leanings.of(ROWS, Asker(None, odd))
    assert (found[ROWS % 2 == 1, column] > 0.1).all()
    assert (found[ROWS % 2 == 0, column] < -0.1).all()
    assert not np.delete(found, column, axis=1).any()


def test_a_region_that_is_not_known_leans_as_its_country() -> None:
    """All are from one country, which as a whole is like everybody."""
    leanings = shop("region").sources.leanings
    found = leanings.of(ROWS, Asker(None, Surroundings(country="DE", region="XX")))
    assert np.abs(found).max() < 1e-6
    assert np.abs(leanings.of(ROWS, Asker(None, Surroundings(country="DE", region="BY")))).max() > 0.1


def test_a_recount_of_the_same_log_leans_the_same() -> None:
    made = learnt("region")
    again = recount(bundle("behaviour", made), log_in(bundle("behaviour", made)), now=0.0)
    for name, values in made.arrays.items():
        np.testing.assert_array_equal(values, again.arrays[name])


def test_another_catalogue_keeps_what_is_known_of_its_categories() -> None:
    """A shop of fewer categories, and one that has others."""
    asker = Asker(None, Surroundings(device="mobile"))
    fewer = Recommender(table(3), bundle("behaviour", learnt("device"))).sources.leanings
    known = shop("device").sources.leanings.of(ROWS, asker)
    np.testing.assert_array_equal(fewer.of(ROWS[:3], asker), known[:3])


@pytest.mark.parametrize("device", [0, 1])
@pytest.mark.parametrize("task", ["session", "return", "complete"])
def test_trees_of_each_task_see_it_of_whoever_asks(task: str, device: int) -> None:
    """Trees that go by the device alone put what those who have it choose first."""
    of, around = shop("device"), AROUND["device"][device]
    of.rerankers[task] = Reranker(stump(SEEN[task] + LEANINGS.index("device"), 0.0, -3.0, 3.0), leans=True)
    bought = Purchase(product_id="p003", quantity=1.0, orders=1, first=0.0, last=0.0)
    known = {
        "session": Query(now=DAY, session=(3,), surroundings=around),
        "return": Query(now=DAY, profile=Profile(profile_id="", purchases=(bought,), orders=1), surroundings=around),
        "complete": Query(now=DAY, cart=(3,), surroundings=around),
    }
    strategy = Strategy.FREQUENTLY_BOUGHT_TOGETHER if task == "complete" else Strategy.RECOMMENDED_FOR_YOU
    rows = [row for row in of.candidates(strategy, known[task], 10).rows.tolist() if row != 3]
    theirs = [row % 2 == device for row in rows]
    assert any(theirs)
    assert theirs == sorted(theirs, reverse=True)


@pytest.mark.parametrize("questions", [return_questions, complete_questions])
def test_questions_about_baskets_show_it_of_whose_they_are(questions: Any) -> None:
    """The columns of the candidates asked about, as they are looked up for a page."""
    bought = [one for one in events() if one.name == "Order Completed"]
    columns = [[getattr(one, name) for one in bought] for name in ("profile_id", "name", "timestamp")]
    devices = [AROUND["device"][int(one.profile_id[2:]) % 2] for one in bought]
    ids = [[product.product_id for product in one.products] for one in bought]
    told = Interactions(*columns, list(map(len, ids)), [name for some in ids for name in some], devices)
    log = TrainingLog.from_interactions([told])
    cut = float(np.quantile(log.time, 0.7))
    models = Models(table(N), None, None, PRIOR)
    of = models.of(experts.history_before(log, cut), cut, viewing=False)
    scratch, seen = of.sources.scratch(), 0
    for case in questions(of, log, cut, 0):
        places = np.arange(len(case.features))
        found = case.details(places, case.features[:, 0])[:, -len(LEANINGS) :]
        rows = scratch.rows[scratch.count - len(places) : scratch.count]  # behind those of the basket, if it is one
        either = [of.sources.leanings.of(rows, Asker(None, one)) for one in AROUND["device"]]
        assert any(np.array_equal(found, one) for one in either)
        seen += bool(found.any())
    assert seen > 10


def asked_of(made: Sequence[Visit], told_by: str, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The columns of each question of the held-out sessions, in the order of asking; NaN where a product is no
    candidate."""
    found: list[np.ndarray] = []
    real = experts.session_questions

    def noted(of: Recommender, *args: Any) -> Iterator[Case]:
        for case in real(of, *args):
            scores, columns = case.features[:, 0], np.full((N, len(LEANINGS)), np.nan)
            scratch = of.sources._scratches._scratch
            assert scratch is not None
            rows = scratch.rows[: len(scores)]
            columns[rows] = case.details(np.arange(len(scores)), scores)[:, -len(LEANINGS) :]
            found.append(columns)
            yield case

    monkeypatch.setattr(experts, "session_questions", noted)
    learn(made, told_by)
    monkeypatch.undo()
    return found


@pytest.mark.parametrize("told_by", ["segment", "device"])
def test_another_future_changes_nothing_of_what_is_seen(told_by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is chosen in the stretch that judges is exchanged: the columns of its questions stay, to the last bit."""
    made = visits()[:LEARNT]
    first = asked_of(made, told_by, monkeypatch)
    cut, random = int(len(made) * 0.9) + 1, np.random.default_rng(7)
    future = [one._replace(way=(one.way[0], 12 + one.way[0] * 7 + int(random.integers(7)))) for one in made[cut:]]
    second = asked_of([*made[:cut], *future], told_by, monkeypatch)
    assert len(first) == len(second) > 1_000
    for one, other in zip(first, second, strict=True):
        seen = ~np.isnan(one) & ~np.isnan(other)
        np.testing.assert_array_equal(one[seen], other[seen])
        assert one[seen].any()

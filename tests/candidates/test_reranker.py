"""Trees order anew what an expert likes best: what they may change, what they learn, and that they have to win."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.candidates import session_expert
from mtp_plugin.candidates.blend import Expert, softmax
from mtp_plugin.candidates.leanings import LEANINGS
from mtp_plugin.candidates.learn.judge import FEWEST, TRUST, Asked, Judge
from mtp_plugin.candidates.learn.reranker import Case, Grown, grow_reranker
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.reranker import (
    PLACE,
    SEEN,
    TASKS,
    TOP,
    Reranker,
    best_places,
    load_rerankers,
    prefix_of,
    seen,
)
from mtp_plugin.errors import ModelError
from mtp_plugin.ports import Bundle
from mtp_plugin.trees import Trees

from .shop import bundle, learnt, table

NAMES = ("vote", "fresh")
EXPERT = Expert(NAMES, {"vote": 1.0}, 1, None)


def nothing(places: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Nothing is looked at closely."""
    return np.zeros((len(places), 0), dtype=np.float32)


def stump(feature: int, threshold: float, low: float, high: float) -> Trees:
    """One tree that asks one question."""
    return Trees(
        np.array([feature, 0, 0], dtype=np.int32),
        np.array([threshold, 0.0, 0.0]),
        np.array([1, -1, -1], dtype=np.int32),
        np.array([2, -1, -1], dtype=np.int32),
        np.array([1, 0, 0], dtype=np.int8),
        np.array([0.0, low, high]),
        np.array([0], dtype=np.int32),
    )


scores_of = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=260).map(
    lambda values: np.array(values, dtype=np.float32)
)


@given(scores_of, st.integers(0, 2**32 - 1))
def test_the_best_share_what_they_had_and_stay_before_the_others(scores: np.ndarray, seed: int) -> None:
    random = np.random.default_rng(seed)
    features = random.normal(size=(len(scores), 2)).astype(np.float32)
    found = Reranker(stump(1, 0.0, -2.0, 3.0)).scores(features, scores, 4, None, nothing)
    best = best_places(scores)
    rest = np.setdiff1d(np.arange(len(scores)), best)
    assert np.exp(found[best].astype(float)).sum() == pytest.approx(np.exp(scores[best].astype(float)).sum(), rel=1e-3)
    if len(rest):
        assert found[rest].max() <= found[best].min() + 1e-5
        order = np.argsort(-scores[rest], kind="stable")
        assert (np.diff(found[rest][order]) <= 0).all(), "their own order stays"
    fresh = features[best, 1] > 0
    if fresh.any() and not fresh.all():
        assert found[best][fresh].min() > found[best][~fresh].max()


@given(scores_of)
def test_the_best_places_are_the_best(scores: np.ndarray) -> None:
    places = best_places(scores)
    assert len(places) == min(TOP, len(scores))
    assert (np.diff(scores[places]) <= 0).all()
    others = np.delete(scores, places)
    assert not len(others) or others.max() <= scores[places].min()


def test_what_may_not_be_shown_is_not_ordered_anew() -> None:
    scores = np.array([3.0, 2.0, 1.0, 0.0], dtype=np.float32)
    allowed = np.array([True, False, True, False])
    assert best_places(scores, allowed).tolist() == [0, 2]
    features = np.array([[0, 0], [0, 9], [0, 9], [0, 9]], dtype=np.float32)
    found = Reranker(stump(1, 1.0, 0.0, 5.0)).scores(features, scores, 1, allowed, nothing)
    assert found[2] > found[0]
    assert softmax(found).sum() == pytest.approx(1.0)
    alone = np.array([True, False, False, False])
    assert Reranker(stump(1, 1.0, 0.0, 5.0)).scores(features, scores, 1, alone, nothing) is scores


def test_what_trees_see_does_not_depend_on_the_level_of_scores() -> None:
    features = np.ones((3, 2), dtype=np.float32)
    scores = np.array([0.5, 2.0, 1.0], dtype=np.float32)
    places = best_places(scores)
    rows = seen(features, scores, places, 3, nothing)
    assert rows.shape == (3, len(NAMES) + len(PLACE))
    assert rows[:, 2].tolist() == [0.0, -1.0, -1.5]
    assert np.exp(rows[:, 3]).sum() == pytest.approx(1.0, abs=1e-6)
    assert np.allclose(rows, seen(features, scores + 7, places, 3, nothing), atol=1e-6)


def questions(count: int, chance: float, seed: int = 0) -> list[Case]:
    """One of thirty is chosen: with *chance* the best one that is fresh, which no linear score of votes can tell."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        vote = np.sort(random.normal(size=30))[::-1]
        fresh = (random.random(30) < 0.3).astype(float)
        features = np.column_stack((vote, fresh)).astype(np.float32)
        likely = np.flatnonzero(fresh > 0) if fresh.any() else np.arange(30)
        chosen = likely[0] if random.random() < chance else int(random.integers(30))
        found.append(Case(features, np.array([chosen]), 0, 3, np.flatnonzero(fresh == 0), nothing))
    return found


def test_what_trees_can_tell_and_the_expert_cannot_is_learnt() -> None:
    grown = grow_reranker(questions(1_000, 0.8), questions(800, 0.8, seed=1), EXPERT, seed=0)
    assert grown.trees is not None
    assert grown.figures["serves"]
    reranker = Reranker(grown.trees, grown.trust)
    right = 0
    later = questions(300, 1.0, seed=9)
    for case in later:
        scores = reranker.scores(case.features, EXPERT.scores(case.features, 0), 3, None, nothing)
        right += int(np.argmax(scores)) == case.chosen[0]
    assert right > 0.9 * len(later)  # the expert alone: the best vote is fresh in 30 of 100


def test_the_blend_stays_where_there_is_nothing_to_gain() -> None:
    """What is chosen is the best vote, or anything: trees can at best do as well."""
    random = np.random.default_rng(1)
    cases = []
    for _ in range(1_500):
        vote = np.sort(random.normal(size=(30, 1)), axis=0)[::-1]
        features = np.hstack((vote, random.normal(size=(30, 1)))).astype(np.float32)
        chosen = 0 if random.random() < 0.5 else int(random.integers(30))
        cases.append(Case(features, np.array([chosen]), 0, 1, np.arange(30), nothing))
    grown = grow_reranker(cases[:900], cases[900:], EXPERT, seed=0)
    assert grown.trees is None
    assert "the blend stays" in grown.figures["why"]


def test_few_cases_are_too_few() -> None:
    few, enough = questions(FEWEST // 2 - 1, 0.9), questions(2 * FEWEST, 0.9)
    for earlier, later, why in ((few, enough, "learn from"), (enough, few, "judge by")):
        grown = grow_reranker(earlier, later, EXPERT, seed=0)
        assert grown.trees is None
        assert grown.arrays("rerank_") == {}
        assert f"too few to {why}" in grown.figures["why"]


def test_the_same_cases_grow_the_same_trees() -> None:
    earlier, later = questions(700, 0.8), questions(500, 0.8, seed=1)
    one, other = (grow_reranker(earlier, later, EXPERT, seed=0).trees for _ in range(2))
    assert one is not None
    assert other is not None
    assert all(np.array_equal(a, b) for a, b in zip(one.arrays("").values(), other.arrays("").values(), strict=True))


def asked(order: list[float], chosen: int, *, new: bool) -> Asked:
    """Candidates in the expert's order, of which trees that ask for the second feature put the highest first."""
    rows = np.zeros((len(order), len(NAMES) + len(PLACE)), dtype=np.float32)
    rows[:, 1] = order
    rows[:, len(NAMES) + 1] = -np.arange(len(order))
    return Asked(rows, np.eye(len(order), dtype=np.float32)[chosen], new)


def verdict(gains_of_all: list[bool], gains_of_new: list[bool]) -> dict[str, object]:
    """What the judge says where trees put what was chosen second to first place, or first to second, of each case."""
    judge = Judge(len(NAMES))
    for every, new in zip(gains_of_all, gains_of_new, strict=True):
        both = [asked([0.0, 1.0, 0.0], int(gain), new=kind) for gain, kind in ((every, False), (new, True))]
        judge.hear(stump(1, 0.5, 0.0, 9.0), both)
    return judge.says()[1]


def test_trees_have_to_win_and_must_not_lose_in_either() -> None:
    n = FEWEST
    mostly = [place % 10 > 0 for place in range(n)]
    seldom = [place % 3 == 0 for place in range(n)]
    evenly = [place % 2 == 0 for place in range(n)]
    assert verdict(mostly, mostly)["serves"]
    assert verdict(mostly, evenly)["serves"]
    assert not verdict(evenly, evenly)["serves"]
    lost = verdict(mostly, seldom)
    assert not lost["serves"]
    assert lost["both_ndcg@20_gain"] > 0
    assert "loses" in str(lost["why"])
    assert not verdict(seldom, mostly)["serves"]


def test_the_expert_counts_as_far_as_it_helps() -> None:
    """Trees that always contradict the expert by a little are best not followed so far."""
    judge = Judge(len(NAMES))
    for _ in range(FEWEST):
        judge.hear(stump(1, 0.5, 0.0, 0.7), [asked([0.0, 1.0, 0.0], 0, new=False)])
    trust, figures = judge.says()
    assert trust == max(TRUST)
    assert figures["trust"] == trust


def test_no_trust_is_taken_for_what_may_be_chance() -> None:
    """Trees without the expert do better here and there, in sum by less than chance does: the usual trust stays."""
    judge, random = Judge(len(NAMES)), np.random.default_rng(3)
    for place in range(FEWEST):
        chosen = 1 if place < 12 or random.random() < 0.5 else 0
        judge.hear(stump(1, 0.5, 0.0, 0.4), [asked([0.0, 1.0, 0.0], chosen, new=False)])
    gains = np.array(judge._gains["both"])
    assert gains[:, 1].mean() > gains[:, 0].mean(), "what gained most is another"
    assert judge.says()[0] == TRUST[0]


def test_trust_goes_with_the_trees() -> None:
    features = np.array([[0, 0], [0, 1]], dtype=np.float32)
    scores = np.array([1.0, 0.0], dtype=np.float32)
    little = stump(1, 0.5, 0.0, 0.7)
    for trust, first in ((0.0, 1), (1.0, 0)):
        arrays = Grown(little, {}, trust).arrays(prefix_of("session"))
        bundle = Bundle(kind="behaviour", version="v", arrays=arrays, strings={}, meta={})
        found = load_rerankers(bundle)["session"].scores(features, scores, 1, None, nothing)
        assert np.argmax(found) == first


def test_a_bundle_has_those_that_serve() -> None:
    arrays = stump(1, 0.0, -1.0, 1.0).arrays(prefix_of("session"))
    bundle = Bundle(kind="behaviour", version="v", arrays=arrays, strings={}, meta={})
    assert list(load_rerankers(bundle)) == ["session"]
    assert load_rerankers(None) == {}
    broken = {name: array for name, array in arrays.items() if not name.endswith("value")}
    with pytest.raises(ModelError, match="flask mtp train"):
        load_rerankers(Bundle(kind="behaviour", version="v", arrays=broken, strings={}, meta={}))


@pytest.mark.parametrize("task", TASKS)
def test_trees_over_more_features_than_there_are_cannot_be_read(task: str) -> None:
    """As another version of this code would leave them: the compiled walk does not look where it reads."""
    most = SEEN[task] + len(LEANINGS)
    last = stump(most - 1, 0.0, -1.0, 1.0).arrays(prefix_of(task))
    assert list(load_rerankers(Bundle(kind="behaviour", version="v", arrays=last, strings={}, meta={}))) == [task]
    more = stump(most, 0.0, -1.0, 1.0).arrays(prefix_of(task))
    with pytest.raises(ModelError, match="features"):
        load_rerankers(Bundle(kind="behaviour", version="v", arrays=more, strings={}, meta={}))


def test_trees_beside_an_expert_of_other_features_do_not_serve() -> None:
    model = bundle("behaviour", learnt())
    trees = {**model.arrays, **stump(0, 0.0, -1.0, 1.0).arrays(prefix_of("session"))}
    width = len(session_expert.FEATURES)
    for names, served in ((session_expert.FEATURES, ["session"]), (session_expert.FEATURES[::-1], [])):
        expert = {"features": list(names), "weights": [[0.1] * width] * session_expert.BUCKETS}
        meta = {**model.meta, "experts": {"session": expert}}
        found = Recommender(table(), msgspec.structs.replace(model, arrays=trees, meta=meta))
        assert list(found.rerankers) == served


def test_a_shop_in_which_every_candidate_is_chosen_teaches_nothing() -> None:
    """Such as one of a single product."""
    one = Case(np.ones((1, 2), dtype=np.float32), np.array([0]), 0, 1, np.zeros(0, dtype=np.int64), nothing)
    grown = grow_reranker([one] * FEWEST, [one] * FEWEST, EXPERT, seed=0)
    assert grown.trees is None
    assert grown.figures["why"] == "all candidates were chosen, there is nothing to learn"

"""The small parts: words, own past, rankings, the logit and its features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.candidates import basket_expert, plain, session_expert
from mtp_plugin.candidates.blend import Expert, relative, shares, softmax
from mtp_plugin.candidates.content import Lookalikes, price_closeness
from mtp_plugin.candidates.learn.choice import LIGHT, Cases, fit
from mtp_plugin.candidates.learn.content_lists import content_lists
from mtp_plugin.candidates.learn.ease import DROPPED, RIDGE, ease_lists
from mtp_plugin.candidates.learn.related_lists import Orders
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.own import DAY_S, Bought, due, latest_first
from mtp_plugin.candidates.popular import Ranking
from mtp_plugin.candidates.scratch import Scratch
from mtp_plugin.candidates.words import tokens, words
from mtp_plugin.catalog.table import build_table
from mtp_plugin.records import Product

from .shop import recommender, table


def test_words_of_any_script() -> None:
    assert words("Red-Lamp, 40W") == ["red", "lamp", "40w"]
    assert words("中文茶杯") == ["中文", "文茶", "茶杯"]
    assert words("ＴＥＡカップ") == ["tea", "カッ", "ップ"]
    assert words("Straße") == words("STRASSE")
    assert words("") == []


def test_japanese_titles_are_found_alike() -> None:
    shop = build_table(
        [
            Product(product_id="1", title="白い陶器のティーカップ"),
            Product(product_id="2", title="青い陶器のティーカップ"),
            Product(product_id="3", title="木製の椅子"),
        ],
        1,
    )
    rows, _ = Lookalikes(shop).of(0)
    assert rows.tolist()[0] == 1
    lists = content_lists(shop, lambda text: None)
    assert lists["content_indices"][0] == 1


def test_a_brand_is_not_a_word() -> None:
    found = tokens(Product(product_id="1", title="apple tree", brand="Apple"))
    assert {"t:apple", "b:apple"} <= set(found)


def test_prices_are_close_by_ratio() -> None:
    close = price_closeness(np.array([10.0, 20.0, 5.0, np.nan, 0.0]), 10.0)
    assert close[0] == 1.0
    assert close[1] == pytest.approx(close[2])
    assert close[1] < 1.0
    assert close[3] == close[4] == 0.9


def test_both_ways_to_content_agree_on_the_nearest() -> None:
    shop = table(40)
    lists, light = content_lists(shop, lambda text: None), Lookalikes(shop)
    same = sum(lists["content_indices"][lists["content_indptr"][row]] in light.of(row)[0][:3] for row in range(40))
    assert same >= 36  # price and token cut-offs differ a little


def test_due_is_highest_when_its_rhythm_has_passed() -> None:
    now, rhythm = 1000 * DAY_S, np.array([30.0], dtype=np.float32)

    def at(days: float) -> float:
        one = np.ones(1, dtype=np.float32)
        last = np.array([now - days * DAY_S])
        return float(due(Bought(np.array([0]), one, one, last, last), rhythm, now)[0])

    assert at(30) > at(5)
    assert at(30) > at(200)


def test_latest_first() -> None:
    rows, steps = latest_first((4, 7, 4, 9))
    assert rows.tolist() == [9, 4, 7]
    assert steps.tolist() == [0, 1, 2]


@given(st.integers(1, 30), st.sets(st.integers(0, 1999)))
def test_the_top_of_a_ranking_is_that_of_the_whole_order(k: int, allowed: set[int]) -> None:
    scores = np.random.default_rng(3).random(2000)
    mask = np.zeros(2000, dtype=np.bool_)
    mask[list(allowed)] = True
    best = [row for row in np.argsort(-scores).tolist() if mask[row]][:k]
    assert Ranking(scores).top(k, mask).tolist() == best


@given(st.floats(0.01, 1000))
def test_features_do_not_change_when_an_index_grows(factor: float) -> None:
    votes = np.array([[1, 0], [3, 2], [0, 5]], dtype=np.float32)
    for feature in (shares, lambda columns: relative(columns, np.arange(2))):
        assert feature(votes * np.float32(factor)) == pytest.approx(feature(votes), rel=1e-4, abs=1e-5)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=30))
def test_probabilities_add_up(scores: list[float]) -> None:
    chance = softmax(np.array(scores))
    assert chance.sum() == pytest.approx(1.0)
    assert np.all(chance >= 0)


def test_the_logit_finds_the_weights_that_made_the_choices() -> None:
    """With 4,000 cases of 20 the standard error of each weight is about .02; .15 is far outside of chance."""
    random, cases = np.random.default_rng(1), Cases()
    truth = np.array([[1.0, -0.5, 0.0], [1.0, 0.5, 0.0]])
    for _ in range(4000):
        features = random.normal(size=(20, 3)).astype(np.float32)
        bucket = int(random.integers(2))
        chosen = random.choice(20, p=softmax(features @ truth[bucket]))
        cases.add(features, np.array([chosen]), bucket, features[:, 0])
    found = fit(cases, ("a", "b", "c"), 2, ridge=LIGHT)
    assert np.abs(np.array(found["weights"]) - truth).max() < 0.15
    assert Expert(("a", "b", "c"), {}, 2, found).learnt
    assert not Expert(("a", "b"), {}, 2, found).learnt  # of other features: the defaults hold


def test_choices_among_many_are_sampled_without_bias() -> None:
    random, cases = np.random.default_rng(2), Cases()
    truth = np.array([0.8, 0.4])
    for _ in range(3000):
        features = random.normal(size=(300, 2)).astype(np.float32)
        cases.add(features, np.array([random.choice(300, p=softmax(features @ truth))]), 0, features[:, 0])
    assert max(len(features) for features in cases.features) < 100
    assert np.abs(np.array(fit(cases, ("a", "b"), 1, ridge=LIGHT)["weights"][0]) - truth).max() < 0.15


def test_ease_rebuilds_baskets_as_its_equation_says() -> None:
    """The weights satisfy the condition of the optimum: off the diagonal, G (I - B) equals what the diagonal of the
    system was raised by, times B."""
    random = np.random.default_rng(4)
    rows = [
        (f"c{order}", f"p{one}", 0.0, f"o{order}") for order in range(400) for one in set(random.integers(0, 12, 5))
    ]
    log = TrainingLog.from_orders(rows)
    orders = Orders.of(log, 0.0, DAY_S)
    lists = ease_lists(orders)
    weights = np.zeros((12, 12))
    for row in range(12):
        near = slice(lists["ease_indptr"][row], lists["ease_indptr"][row + 1])
        weights[row, lists["ease_indices"][near]] = lists["ease_values"][near]
    baskets = np.zeros((len(orders.indptr) - 1, 12))
    baskets[orders.basket, orders.items] = 1.0
    gram = baskets.T @ (orders.weight[:, None] * baskets) / 4096
    raised = RIDGE + DROPPED * np.diag(gram)
    gap = gram @ (np.eye(12) - weights) - raised[:, None] * weights
    np.fill_diagonal(gap, 0.0)
    assert np.abs(gap).max() < 1e-4 * np.abs(gram).max()


def test_a_scratch_keeps_what_it_is_told() -> None:
    scratch = Scratch(9, 1, 2)
    scratch.begin()
    scratch.add(np.array([7, 2, 5, 8]))
    scratch.columns[:4, 0] = (1, 2, 3, 4)
    scratch.keep(np.array([0, 3]))
    assert scratch.rows[: scratch.count].tolist() == [7, 8]
    assert scratch.columns[: scratch.count, 0].tolist() == [1, 4]
    assert scratch.slot[[7, 8]].tolist() == [0, 1]
    scratch.add(np.array([8, 2]))
    assert scratch.rows[: scratch.count].tolist() == [7, 8, 2], "what was dropped can come again"


def test_only_the_loudest_are_weighed_and_the_own_always(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = recommender().sources
    own = Bought(np.array([3, 90]), np.ones(2), np.ones(2), np.zeros(2), np.full(2, DAY_S), 2)
    scratch = sources.scratch()
    basket_expert.gather_return(sources, scratch, own, 40 * DAY_S)
    every = set(scratch.rows[: scratch.count].tolist())
    monkeypatch.setattr(basket_expert, "ENOUGH", 10)
    scratch = sources.scratch()
    basket_expert.gather_return(sources, scratch, own, 40 * DAY_S)
    few = scratch.rows[: scratch.count].tolist()
    assert len(every) > len(few) == 12
    assert few[:2] == [3, 90]
    assert set(few) <= every


@pytest.mark.parametrize("seed", range(5))
def test_features_are_the_same_with_and_without_numba(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the one pass ends and numpy begins nobody can tell, but for the last bit of a logarithm."""
    sources, dice = recommender().sources, np.random.default_rng(seed)
    way = tuple(dice.integers(0, 96, int(dice.integers(1, 70))).tolist())
    scratch = sources.scratch()
    rows, steps = session_expert.gather(sources, scratch, way)
    found = session_expert.features(sources, scratch, rows, steps, way)
    monkeypatch.setattr(session_expert, "how", plain)
    np.testing.assert_allclose(found, session_expert.features(sources, scratch, rows, steps, way), rtol=2e-6)
    often = [float(np.log(np.float32(way[-64:].count(row)))) for row in rows.tolist()]
    place = session_expert.COMMON.index("seen-often")
    np.testing.assert_allclose(found[scratch.slot[rows], place], often, rtol=1e-6)


def test_what_was_seen_has_weights_of_its_own() -> None:
    sources = recommender().sources
    scratch, way = sources.scratch(), (0, 6, 12)
    rows, steps = session_expert.gather(sources, scratch, way)
    matrix = session_expert.features(sources, scratch, rows, steps, way)
    n, seen = len(session_expert.COMMON), scratch.slot[rows]
    others = np.setdiff1d(np.arange(scratch.count), seen)
    assert not matrix[seen][:, session_expert.APART_PLACES].any()
    assert not matrix[others][:, n:].any()
    assert matrix[seen][:, n].all(), "sessions voted for what was seen"
    assert matrix[others][:, session_expert.APART_PLACES].any()

"""What is looked at closely of the few candidates that are ordered anew, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mtp_plugin.candidates import basket_expert, session_expert
from mtp_plugin.candidates.basket_details import COMPLETE_DETAILS, RETURN_DETAILS, complete_details, return_details
from mtp_plugin.candidates.detail_kernels import loops, places_among, standing
from mtp_plugin.candidates.learn.sales import PRIOR_ORDERS, sales
from mtp_plugin.candidates.learn.session_index import PRIOR_VIEWS, revisits
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.own import DAY_S, Bought
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.reranker import best_places
from mtp_plugin.candidates.session_details import SESSION_DETAILS, session_details

from .shop import bundle, events, learnt, table


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    return Recommender(table(), bundle("behaviour", learnt(events())))


def column(matrix: np.ndarray, names: tuple[str, ...], name: str) -> list[float]:
    """One detail of all rows."""
    assert matrix.shape[1] == len(names)
    assert matrix.dtype == np.float32
    return np.round(matrix[:, names.index(name)], 5).tolist()


def test_where_candidates_stand_among_the_best() -> None:
    scores = np.log(np.array([0.1, 0.4, 0.2, 0.3], dtype=np.float32))
    places = best_places(scores)
    assert places.tolist() == [1, 3, 2, 0]
    found = standing(scores, places, np.array([0, 3]), 4)
    assert found[:, 0].tolist() == [0, 1, 0, 1]
    assert np.exp(found[:, 1]).round(5).tolist() == [1, 1, 2, 2]
    assert np.exp(found[:, 2]).tolist() == pytest.approx([0.4] * 4)
    assert found[:, 3].tolist() == pytest.approx([0.4] * 4)


def test_loops_of_a_session() -> None:
    """a b a c a: after a came b three steps ago and c one; before it b two steps ago and c just now."""
    found = loops(np.array([0, 1, 0, 2, 0]), places_among(np.array([2, 1, 0, 3]), 4), 4)
    assert found[:, 0].tolist() == pytest.approx([1 / 2, 1 / 4, 0, 0])
    assert found[:, 1].tolist() == pytest.approx([1, 1 / 3, 0, 0])


def test_revisits_are_views_of_what_was_seen_in_the_session() -> None:
    rows = [("s", "a"), ("s", "b"), ("s", "a"), ("s", "a"), ("t", "a"), ("t", "b")]
    log = TrainingLog.from_sessions([(one, item, float(place)) for place, (one, item) in enumerate(rows)], timed=True)
    found = dict(zip(log.items, revisits(log.item, log.session, 2)["revisits"].tolist(), strict=True))
    usual = PRIOR_VIEWS * 2 / 6
    assert found == pytest.approx({"a": (2 + usual) / (4 + PRIOR_VIEWS), "b": usual / (2 + PRIOR_VIEWS)})


def test_sales_of_products() -> None:
    day = 86_400.0
    lines = [("u", "a", 0.0, "1"), ("u", "b", 0.0, "1"), ("u", "a", 4 * day, "2"), ("v", "a", 6 * day, "3")]
    log = TrainingLog.from_orders(lines).purchases()
    found = sales(log, 9 * day)
    a, b = log.items.index("a"), log.items.index("b")
    assert np.expm1(found["sold_lately"])[[a, b]].tolist() == pytest.approx([3, 9])
    assert np.expm1(found["sold_since"])[[a, b]].tolist() == pytest.approx([9, 9])
    usual = PRIOR_ORDERS * 1 / 4
    again = [(1 + usual) / (3 + PRIOR_ORDERS), usual / (1 + PRIOR_ORDERS)]
    assert found["rebought"][[a, b]].tolist() == pytest.approx(again)


def test_what_is_seen_of_a_session(recommender: Recommender) -> None:
    sources, way = recommender.sources, (3, 5, 3)
    scratch = sources.scratch()
    rows, steps = session_expert.gather(sources, scratch, way)
    features = session_expert.features(sources, scratch, rows, steps, way)
    scores = recommender.session_expert.scores(features, session_expert.bucket(len(rows)))
    places = best_places(scores)
    found = session_details(sources, scratch, rows, way, places, scores)
    top = scratch.rows[places].tolist()
    assert column(found, SESSION_DETAILS, "kind") == [float(row in way) for row in top]
    assert column(found, SESSION_DETAILS, "returns") == [pytest.approx(1 / 3, abs=1e-5)] * len(top)
    followed = dict(zip(top, column(found, SESSION_DETAILS, "followed"), strict=True))
    assert followed[5] == 0.5
    assert sum(followed.values()) == 0.5
    viewed = column(found, SESSION_DETAILS, "viewed-with-last")
    assert max(viewed) > 0
    assert column(found, SESSION_DETAILS, "nearest") == [max(viewed)] * len(top)
    assert np.isfinite(found).all()


def test_what_is_seen_of_a_customer_and_a_basket(recommender: Recommender) -> None:
    sources, rows = recommender.sources, np.array([1, 4], dtype=np.int32)
    moment = 1_000 * DAY_S
    last = np.array([moment - 9 * DAY_S, moment - DAY_S])
    own = Bought(rows, np.array([1.0, 3.0]), np.array([1.0, 3.0]), np.array([last[0], last[0]]), last, 4)
    scratch = sources.scratch()
    basket_expert.gather_return(sources, scratch, own, moment)
    scores = np.linspace(1, 0, scratch.count, dtype=np.float32)
    places = best_places(scores)
    found = return_details(sources, scratch, own, moment, places, scores)
    known = np.isin(scratch.rows[places], rows)
    assert column(found, RETURN_DETAILS, "kind") == known.astype(float).tolist()
    asked = {name: column(found, RETURN_DETAILS, name)[0] for name in RETURN_DETAILS[-6:-1]}
    assert asked == pytest.approx(
        {
            "customer-orders": np.log(4), "order-size": 0.0, "customer-repeats": 0.5, "since-order": np.log(2),
            "order-pause": np.log1p(8 / 3),
        },
        abs=1e-5,
    )  # fmt: skip
    scratch = sources.scratch()
    basket_expert.gather_complete(sources, scratch, rows)
    scores = np.linspace(1, 0, scratch.count, dtype=np.float32)
    found = complete_details(sources, scratch, rows, best_places(scores), scores)
    near = np.array(column(found, COMPLETE_DETAILS, "bought-nearest"))
    named = np.array(column(found, COMPLETE_DETAILS, "bought-named"))
    assert near.max() > 0
    assert ((near > 0) == (named > 0)).all()
    assert set(named.tolist()) <= {0.0, 0.5, 1.0}
    assert np.isfinite(found).all()

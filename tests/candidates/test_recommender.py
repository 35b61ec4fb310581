"""What holds for every strategy, and what a fresh shop gives."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.candidates.recommender import SOURCES, Recommender
from mtp_plugin.catalog.table import build_table
from mtp_plugin.errors import InputError, ModelError
from mtp_plugin.records import Product, Profile, Purchase, Query, Strategy

from .shop import DAY, bundle, event, learnt, products, recommender, table

NOW = 40 * DAY
PROFILE = Profile(
    profile_id="u:1",
    purchases=(Purchase("p003", 2, 2, 5 * DAY, 20 * DAY), Purchase("gone", 1, 1, DAY, DAY)),
    orders=2,
    affinities={"category": {"Home > Lamp": 5.0, "Home > Rug": 1.0}, "brand": {"Sol": 2.0}},
)
KINDS_OF_SHOP = {
    "fresh": (False, False),
    "content alone": (False, True),
    "behaviour alone": (True, False),
    "whole": (True, True),
}
SHOPS: dict[str, Recommender] = {}


def shop(kind: str) -> Recommender:
    """Trained once for all tests; nothing in it changes."""
    if kind not in SHOPS:
        behaviour, content = KINDS_OF_SHOP[kind]
        SHOPS[kind] = recommender(behaviour=behaviour, content=content)
    return SHOPS[kind]


rows = st.lists(st.integers(0, 95), max_size=12).map(tuple)


@given(
    kind=st.sampled_from(sorted(KINDS_OF_SHOP)),
    strategy=st.sampled_from(list(Strategy)),
    session=rows,
    history=rows,
    in_view=rows,
    cart=rows,
    category=st.integers(-1, 5),
    known=st.booleans(),
    hidden=st.sets(st.integers(0, 95), max_size=90),
    k=st.integers(1, 40),
)
@settings(max_examples=250, deadline=None)
def test_laws_of_candidates(
    kind: str,
    strategy: str,
    session: tuple[int, ...],
    history: tuple[int, ...],
    in_view: tuple[int, ...],
    cart: tuple[int, ...],
    category: int,
    known: bool,
    hidden: set[int],
    k: int,
) -> None:
    eligible = np.ones(96, dtype=np.bool_)
    eligible[list(hidden)] = False
    query = Query(
        now=NOW,
        session=session,
        history=history,
        in_view=in_view,
        cart=cart,
        category=category,
        profile=PROFILE if known else None,
        eligible=eligible,
    )
    serving = shop(kind)
    found = serving.candidates(strategy, query, k)
    assert len(found) <= k
    assert len(set(found.rows.tolist())) == len(found)
    assert not hidden.intersection(found.rows.tolist())
    assert np.all(np.diff(found.scores) <= 1e-6)
    assert np.all(np.isfinite(found.scores))
    assert np.all(found.origins > 0)
    assert found.sources == SOURCES
    assert np.all(found.anchors != found.rows)
    if category >= 0:
        assert set(serving.table.category[found.rows].tolist()) <= {category}
    again = serving.candidates(strategy, query, k)
    assert again.rows.tolist() == found.rows.tolist()


@pytest.mark.parametrize("kind", sorted(KINDS_OF_SHOP))
def test_one_product_view_changes_the_next_slate(kind: str) -> None:
    before = shop(kind).candidates(Strategy.TRENDING_ITEMS, Query(now=NOW), 8).rows.tolist()
    assert len(shop(kind).candidates(Strategy.RECOMMENDED_FOR_YOU, Query(now=NOW), 8)) == 0, "nobody is known: no guess"
    after = shop(kind).candidates(Strategy.RECOMMENDED_FOR_YOU, Query(now=NOW, session=(17,)), 8)
    assert len(before) == 8
    assert after.rows.tolist() != before
    assert 17 in after.anchors.tolist()


def test_a_fresh_shop_shows_its_newest_across_categories() -> None:
    uneven = [
        Product(product_id=f"a{n}", title=f"a {n}", category_path=("A",), created=1000.0 + n) for n in range(20)
    ] + [Product(product_id=f"b{n}", title=f"b {n}", category_path=("B",), created=float(n)) for n in range(20)]
    serving = Recommender(build_table(uneven, 1))
    found = serving.candidates(Strategy.BEST_SELLERS, Query(now=NOW), 4)
    assert [serving.table.products[row].product_id for row in found.rows] == ["a19", "b19", "a18", "b18"]


def test_a_fresh_shop_knows_taste() -> None:
    found = shop("fresh").candidates(Strategy.RECOMMENDED_FOR_YOU, Query(now=NOW, profile=PROFILE), 6)
    kinds = [shop("fresh").table.products[row].category for row in found.rows]
    assert kinds.count("Home > Lamp") >= 3


def test_related_products_are_of_a_kind() -> None:
    serving = shop("whole")
    found = serving.candidates(Strategy.RELATED_PRODUCTS, Query(now=NOW, in_view=(12,)), 6)
    assert {serving.table.products[row].category for row in found.rows} == {serving.table.products[12].category}


def test_a_product_unknown_to_the_bundles_has_relations() -> None:
    newer = build_table([*products(), Product(product_id="new", title="red Lamp 9", category_path=("Home", "Lamp"))], 2)
    serving = Recommender(newer, bundle("behaviour", learnt()))
    found = serving.candidates(Strategy.RELATED_PRODUCTS, Query(now=NOW, in_view=(96,)), 6)
    assert [newer.products[row].category for row in found.rows] == ["Home > Lamp"] * 6


def test_recently_viewed_is_latest_first_without_repeats() -> None:
    found = shop("whole").candidates(Strategy.RECENTLY_VIEWED, Query(now=NOW, history=(1, 2), session=(3, 2)), 9)
    assert found.rows.tolist() == [2, 3, 1]


def test_buy_it_again_is_what_was_bought() -> None:
    found = shop("whole").candidates(Strategy.BUY_IT_AGAIN, Query(now=NOW, profile=PROFILE), 9)
    assert found.rows.tolist() == [3]


def test_on_sale_is_what_is_reduced() -> None:
    found = shop("whole").candidates(Strategy.ON_SALE, Query(now=NOW), 96)
    assert set(found.rows.tolist()) == {row for row in range(96) if row % 7 == 0}


def test_a_returning_customer_is_reminded() -> None:
    bought = Profile(profile_id="u:9", purchases=(Purchase("p010", 5, 5, 0.0, 25 * DAY),), orders=5)
    found = shop("whole").candidates(Strategy.RECOMMENDED_FOR_YOU, Query(now=NOW, profile=bought), 10)
    assert 10 in found.rows.tolist()


def test_strategies_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="no strategy"):
        shop("fresh").candidates("magic", Query(now=NOW), 3)


def test_bundles_of_another_format_are_refused() -> None:
    old = bundle("behaviour", learnt())
    old.meta["format"] = 0
    with pytest.raises(ModelError, match="flask mtp train"):
        Recommender(table(), old)


def test_an_empty_catalogue_gives_nothing() -> None:
    serving = Recommender(build_table([], 0))
    serving.warm()
    for strategy in Strategy:
        assert len(serving.candidates(strategy, Query(now=NOW), 5)) == 0


def test_products_that_left_the_catalogue_are_not_shown() -> None:
    fewer = build_table(products()[::2], 2)
    serving = Recommender(fewer, bundle("behaviour", learnt()))
    found = serving.candidates(Strategy.RECOMMENDED_FOR_YOU, Query(now=NOW, session=(3, 4)), 48)
    assert len(found) == 48


def test_threads_do_not_disturb_each_other() -> None:
    serving = shop("whole")
    queries = [Query(now=NOW, session=(row, (row * 5) % 96)) for row in range(96)]
    alone = [serving.candidates(Strategy.RECOMMENDED_FOR_YOU, query, 10).rows.tolist() for query in queries]
    wrong: list[int] = []

    def ask() -> None:
        for place, query in enumerate(queries * 3):
            found = serving.candidates(Strategy.RECOMMENDED_FOR_YOU, query, 10).rows.tolist()
            if found != alone[place % len(queries)]:
                wrong.append(place)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_serving_imports_no_training_code() -> None:
    """Nothing that is only needed to learn, also after a recommendation; of scipy only what numba itself looks at."""
    code = (
        "import sys\n"
        "import mtp_plugin\n"
        "from mtp_plugin.candidates.recommender import Recommender\n"
        "from mtp_plugin.catalog.table import build_table\n"
        "from mtp_plugin.records import Product, Query\n"
        "table = build_table([Product(product_id=str(n), title=f'cup {n}') for n in range(9)], 1)\n"
        "assert len(Recommender(table).candidates('recommended-for-you', Query(now=0.0, session=(1,)), 4)) == 4\n"
        "heavy = ('scipy.sparse', 'scipy.optimize', 'sklearn', 'mtp_plugin.candidates.learn',"
        " 'mtp_plugin.candidates.train', 'mtp_plugin.candidates.counts')\n"
        "found = [name for name in sys.modules if name.startswith(heavy)]\n"
        "print(sorted(found)[:5])\n"
        "sys.exit(bool(found))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "history",
    [
        [("Product Viewed", "u:1", 1.0, ("p001",))],
        [("Order Completed", "u:1", 1.0, ("p001",))],
        [("Product Added", "u:1", 1.0, ("p001", "p002"))],
        [("Product Viewed", "u:1", 1.0, ("gone",)), ("Order Completed", "u:1", 9.0, ("gone", "away"))],
        [("Product Viewed", f"u:{n}", float(n), (f"p{n:03}",)) for n in range(30)],
    ],
)
def test_a_first_handful_of_events_is_enough_to_serve(history: list[tuple[str, str, float, tuple[str, ...]]]) -> None:
    found = [event(name, who, at, *ids) for name, who, at, ids in history]
    serving = Recommender(table(), bundle("behaviour", learnt(found)))
    serving.warm()
    for strategy in (Strategy.RECOMMENDED_FOR_YOU, Strategy.RELATED_PRODUCTS, Strategy.BEST_SELLERS):
        found_rows = serving.candidates(strategy, Query(now=NOW, session=(1, 2), in_view=(3,), profile=PROFILE), 12)
        assert len(found_rows) == 12


def test_training_twice_gives_the_same() -> None:
    one, other = learnt(), learnt()
    assert one.meta == other.meta
    assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)

"""Examples of what events do to a profile."""

from __future__ import annotations

import msgspec
import pytest

from mtp_plugin.profile.decay import read
from mtp_plugin.profile.read import affinities, discount_share, margin_affinity, merge, recent_products
from mtp_plugin.records import Funnel

from .worlds import DAY, FACTS, HALF_LIFE, T0, event, facts, fold


def now_of(profile, facet, name, at=0.0):
    return read(profile.affinities[facet][name], T0 + at, profile.landmark, HALF_LIFE)


def test_weights_of_actions():
    profile = fold()(None, [event("Product Viewed", 0, "p1")], facts)
    assert now_of(profile, "brand", "B1") == pytest.approx(1.0)
    profile = fold()(profile, [event("Product Added", 0, "p1")], facts)
    assert now_of(profile, "brand", "B1") == pytest.approx(4.0)
    profile = fold()(profile, [event("Order Completed", 0, "p1")], facts)
    assert now_of(profile, "brand", "B1") == pytest.approx(9.0)
    assert now_of(profile, "brand", "B1", 14 * DAY) == pytest.approx(4.5)


def test_own_weights():
    heavy = fold(action_weights={"view": 2.0, "cart": 3.0, "purchase": 5.0})
    assert now_of(heavy(None, [event("Product Viewed", 0, "p1")], facts), "brand", "B1") == pytest.approx(2.0)


def test_colors_share_a_weight():
    profile = fold()(None, [event("Product Viewed", 0, "p2")], facts)
    assert now_of(profile, "color", "red") == now_of(profile, "color", "blue") == pytest.approx(0.5)


def test_a_product_nobody_knows_is_remembered_without_affinities():
    profile = fold()(None, [event("Product Viewed", 0, "new")], facts)
    assert [item.product_id for item in profile.recent] == ["new"]
    assert (profile.affinities, profile.funnels) == ({}, {})


def test_sessions_end_after_idle_minutes():
    times = [0, 1799, 3599, 5400, 90000]
    profile = fold()(None, [event("Page Viewed", t) for t in times], facts)
    assert (profile.sessions, profile.session_start, profile.events) == (3, T0 + 90000, 5)
    late = fold()(profile, [event("Page Viewed", 500, key="late")], facts)
    assert (late.sessions, late.session_start, late.last_seen) == (3, T0 + 90000, T0 + 90000)


def test_recent_products_are_sorted_by_time_and_bounded():
    views = [event("Product Viewed", t, f"p{t % 7}") for t in (5, 1, 3, 2, 4, 0, 6)]
    profile = fold(recent_items=5)(None, views, facts)
    assert [item.timestamp - T0 for item in profile.recent] == [2, 3, 4, 5, 6]


def test_what_current_session_and_history_say():
    events = [
        event("Product Viewed", 0, "p0"),
        event("Product Viewed", 86400, "p1"),
        event("Product Viewed", 86410, "p2"),
        event("Product Added", 86420, "p2"),
        event("Product Added", 86430, "p3"),
        event("Product Viewed", 86440, "p1", key="again"),
    ]
    profile = fold()(None, events, facts)
    assert recent_products(profile, T0 + 86500, 1800)[0] == ("p1", "p2", "p3", "p1")
    assert recent_products(profile, T0 + 86500, 1800)[1] == ("p0",)
    assert recent_products(profile, T0 + 90000, 1800)[0] == ()
    assert len(recent_products(profile, T0 + 90000, 1800)[1]) == 6


def test_a_removal_looks_at_the_product_as_it_was_when_added():
    def changing(product_id, t):
        return msgspec.structs.replace(FACTS["p1"], on_sale=t < T0 + 50)

    events = [event("Product Added", 0, "p1"), event("Product Removed", 100, "p1")]
    profile = fold()(None, events, changing)
    assert (profile.discount, profile.affinities) == ((0.0, 0.0), {})


def test_a_removal_without_its_add_changes_nothing():
    profile = fold()(None, [event("Product Viewed", 0, "p1"), event("Product Removed", 1, "p1")], facts)
    assert now_of(profile, "brand", "B1") == pytest.approx(1.0)
    assert profile.funnels == {"Shop > C1": Funnel(1, 0, 0)}


def test_funnels():
    events = [event("Product Viewed", t, "p1") for t in range(4)]
    events += [event("Product Added", 5, "p1"), event("Product Added", 6, "p1"), event("Order Completed", 7, "p1")]
    funnel = fold()(None, events, facts).funnels["Shop > C1"]
    assert (funnel, funnel.view_to_buy, funnel.abandonment) == (Funnel(4, 2, 1), 0.25, 0.5)


def test_margin_and_discount():
    profile = fold()(None, [event("Product Viewed", 0, "p1"), event("Product Added", 0, "p4")], facts)
    assert margin_affinity(profile) == pytest.approx((1 * 0.05 + 3 * 0.2) / 4)
    assert discount_share(profile) == pytest.approx(3 / 4)
    assert margin_affinity(fold()(None, [event("Page Viewed", 0)], facts)) is None


def test_an_order_told_twice_counts_once():
    first = event("Order Completed", 0, ("p1", 2.0), order_id="o1", total=40)
    again = event("Order Completed", 9, ("p1", 2.0), order_id="o1", total=40, key="reload")
    profile = fold()(None, [first, again], facts)
    assert (profile.orders, profile.revenue, profile.purchases[0].quantity) == (1, 40.0, 2.0)
    assert now_of(profile, "brand", "B1") == pytest.approx(5.0)


def test_orders_without_a_number_all_count():
    profile = fold()(None, [event("Order Completed", t, "p1") for t in (0, 1)], facts)
    assert (profile.orders, profile.purchases[0].orders) == (2, 2)


def test_two_lines_of_one_product_are_one_purchase():
    profile = fold()(None, [event("Order Completed", 0, ("p1", 2.0), ("p1", 3.0))], facts)
    assert (profile.purchases[0].quantity, profile.purchases[0].orders) == (5.0, 1)
    assert now_of(profile, "brand", "B1") == pytest.approx(5.0)


def test_a_part_given_back_leaves_the_purchase():
    order = event("Order Completed", 0, ("p1", 3.0), "p2", order_id="o1", total=50)
    part = event("Order Refunded", 1, ("p1", 1.0), order_id="o1", total=10)
    profile = fold()(None, [order, part], facts)
    assert {p.product_id: p.quantity for p in profile.purchases} == {"p1": 2.0, "p2": 1.0}
    assert (profile.orders, profile.revenue) == (1, 40.0)
    assert now_of(profile, "brand", "B1") == pytest.approx(5.0)


def test_a_whole_order_given_back_by_its_number():
    order = event("Order Completed", 0, ("p1", 3.0), "p2", order_id="o1", total=50)
    back = event("Order Cancelled", 1, order_id="o1")
    profile = fold()(None, [order, back, msgspec.structs.replace(back, event_id="f" * 32)], facts)
    assert (profile.purchases, profile.affinities, profile.orders, profile.revenue) == ((), {}, 0, 0.0)
    assert profile.recent == ()


def test_a_refund_repeated_takes_back_once():
    events = [
        event("Order Completed", 0, ("p1", 1.0), order_id="o1", total=20),
        event("Order Completed", 5, ("p1", 1.0), order_id="o2", total=20),
        event("Order Refunded", 9, ("p1", 1.0), order_id="o1", total=20),
        event("Order Refunded", 10, ("p1", 1.0), order_id="o1", total=20, key="again"),
    ]
    profile = fold()(None, events, facts)
    assert (profile.orders, profile.revenue, profile.purchases[0].quantity) == (1, 20.0, 1.0)
    assert now_of(profile, "brand", "B1") == pytest.approx(5.0, rel=1e-4)


def test_pieces_given_back_without_an_order_number():
    orders = [event("Order Completed", t, ("p1", 1.0), order_id=f"o{t}") for t in (0, 10, 20)]
    back = [event("Order Refunded", 30 + t, ("p1", 1.0), order_id=f"C{t}") for t in range(3)]
    profile = fold()(None, [*orders, back[0]], facts)
    assert (profile.purchases[0].quantity, profile.purchases[0].orders) == (2.0, 2)
    assert now_of(profile, "brand", "B1") == pytest.approx(10.0, rel=1e-4)
    assert [item.timestamp - T0 for item in profile.recent] == [0, 10]
    profile = fold()(profile, back[1:], facts)
    assert (profile.purchases, profile.affinities, profile.recent) == ((), {}, ())


def test_a_return_of_what_was_never_bought_touches_no_affinity():
    profile = fold()(None, [event("Product Viewed", 0, "p1"), event("Order Refunded", 1, "p1", order_id="C1")], facts)
    assert now_of(profile, "brand", "B1") == pytest.approx(1.0)
    assert (profile.orders, profile.purchases) == (0, ())


@pytest.mark.parametrize(
    ("properties", "revenue"),
    [
        ({"revenue": 25, "total": 30}, 25.0),
        ({"total": "30.50"}, 30.5),
        ({"value": 7}, 7.0),
        ({"total": "free"}, 0.0),
        ({"total": True}, 0.0),
        ({"total": "nan"}, 0.0),
    ],
)
def test_revenue_as_it_is_told(properties, revenue):
    assert fold()(None, [event("Order Completed", 0, "p1", **properties)], facts).revenue == revenue


def test_searches_keep_the_latest_of_each():
    searched = [event("Products Searched", t, query=q) for t, q in enumerate(["Mug", "lamp", " MUG ", "", 5])]
    assert fold()(None, searched, facts).searches == ("lamp", "mug")


def test_traits_are_bounded_and_the_latest_hold():
    one = msgspec.structs.replace(event("Identify", 0), traits={f"t{n:02}": n for n in range(60)})
    two = msgspec.structs.replace(event("Identify", 1), traits={"t00": "new"})
    profile = fold()(None, [one, two], facts)
    assert len(profile.traits) == 50
    assert profile.traits["t00"] == "new"


def test_revision_counts_writes():
    profile = fold()(None, [event("Page Viewed", 0), event("Page Viewed", 1)], facts)
    assert profile.revision == 1
    assert fold()(profile, [event("Page Viewed", 2)], facts).revision == 2


def test_folding_leaves_the_old_profile_as_it_was():
    before = fold()(None, [event("Product Added", 0, "p1"), event("Order Completed", 1, "p2", order_id="o")], facts)
    copy = msgspec.msgpack.encode(before)
    fold()(before, [event("Product Removed", 2, "p1"), event("Order Cancelled", 3, order_id="o")], facts)
    assert msgspec.msgpack.encode(before) == copy


def test_a_late_event_counts_by_its_own_time():
    early, late = event("Product Viewed", -28 * DAY, "p1"), event("Product Viewed", 0, "p2")
    profile = fold()(None, [late, early], facts)
    assert affinities(profile, "brand", T0, HALF_LIFE) == pytest.approx({"B2": 0.8, "B1": 0.2})
    assert profile.first_seen == T0 - 28 * DAY


def test_an_order_that_two_profiles_tell_of_counts_once():
    """The browser reports it at once and knows of no return, the webhook a little later and of one."""
    placed = {"order_id": "o1", "total": 50.0}
    browser = fold()(
        None, [event("Product Viewed", 1, "p1"), event("Order Completed", 5, ("p1", 2.0), "p2", **placed)], facts
    )
    shop = fold()(
        None,
        [
            event("Order Completed", 7, ("p1", 2.0), "p2", **placed),
            event("Order Completed", 90, "p3", order_id="o2", total=9.0),
            event("Order Refunded", 99, "p2", order_id="o1", total=20.0),
        ],
        facts,
    )
    for parts in ((browser, shop), (shop, browser)):
        both = merge(parts, HALF_LIFE)
        assert (both.orders, both.revenue) == (2, 39.0)
        bought = {one.product_id: (one.quantity, one.orders) for one in both.purchases}
        assert bought == {"p1": (2.0, 1), "p3": (1.0, 1)}
        assert [(one.order_id, one.timestamp - T0, one.amount) for one in both.placed] == [
            ("o1", 5, 30.0),
            ("o2", 90, 9.0),
        ]
        purchases = [(one.product_id, one.timestamp - T0) for one in both.recent if one.action == "purchase"]
        assert sorted(purchases) == [("p1", 5), ("p2", 5), ("p3", 90)]


def test_an_order_given_back_whole_on_one_side_is_given_back():
    placed = event("Order Completed", 5, "p1", order_id="o1", total=10.0)
    kept = fold()(None, [placed], facts)
    back = fold()(None, [placed, event("Order Cancelled", 9, order_id="o1")], facts)
    for parts in ((kept, back), (back, kept)):
        both = merge(parts, HALF_LIFE)
        assert (both.orders, both.revenue, both.purchases) == (0, 0.0, ())


def test_some_pieces_taken_out_leave_the_interest():
    put = event("Product Added", 0, ("p1", 3.0))
    whole = fold()(None, [put], facts)
    some = fold()(whole, [event("Product Removed", 5, ("p1", 2.0))], facts)
    assert some.affinities == whole.affinities
    assert (some.extra, some.funnels) == ({}, whole.funnels)
    none = fold()(some, [event("Product Removed", 9, "p1")], facts)
    assert (none.affinities, none.recent) == ({}, ())
    again = fold()(whole, [event("Product Removed", 5, ("p1", 3.0))], facts)
    assert (again.affinities, again.extra) == ({}, {})


def test_pieces_that_were_bought_are_in_no_cart():
    bought = fold()(None, [event("Product Added", 0, ("p1", 3.0)), event("Order Completed", 5, ("p1", 3.0))], facts)
    assert bought.extra == {}
    later = fold()(bought, [event("Product Added", 9, "p1"), event("Product Removed", 10, "p1")], facts)
    assert later.affinities["brand"]["B1"] == pytest.approx(bought.affinities["brand"]["B1"])


def test_merge_of_nobody_and_of_one():
    one = fold()(None, [event("Product Viewed", 0, "p1")], facts)
    assert merge((), HALF_LIFE) is None
    assert merge((one,), HALF_LIFE) is one


def test_merge_adds_purchases_and_prefers_the_first():
    user = fold()(None, [event("Order Completed", 5, "p1", order_id="o1")], facts)
    anonymous = fold()(
        None, [event("Order Completed", 1, ("p1", 2.0)), event("Products Searched", 2, query="mug")], facts
    )
    user = msgspec.structs.replace(user, profile_id="u:1", traits={"tier": "gold"})
    anonymous = msgspec.structs.replace(anonymous, traits={"tier": "none", "x": 1})
    both = merge((user, anonymous), HALF_LIFE)
    assert (both.profile_id, both.traits, both.searches) == ("u:1", {"tier": "gold", "x": 1}, ("mug",))
    (purchase,) = both.purchases
    assert (purchase.quantity, purchase.orders, purchase.first, purchase.last) == (3.0, 2, T0 + 1, T0 + 5)

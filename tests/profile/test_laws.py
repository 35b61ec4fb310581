"""What must hold for any visit."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mtp_plugin.profile.decay import LANDMARK, STEP, landmark_of, moved, read, weight_at
from mtp_plugin.profile.draft import MAX_VALUES
from mtp_plugin.profile.fold import Fold
from mtp_plugin.profile.read import affinities, discount_share, margin_affinity, merge
from mtp_plugin.records import PRICE_TIERS, ProductFacts
from mtp_plugin.store.rows import bytes_profile, profile_bytes

from .worlds import DAY, HALF_LIFE, T0, bare, event, facts, fold, visits


def assert_near(found, expected):
    """Alike but for rounding; what is fainter than that may be missing."""
    for facet in FACETS:
        a, b = found.get(facet, {}), expected.get(facet, {})
        for name in a.keys() | b.keys():
            assert a.get(name, 0.0) == pytest.approx(b.get(name, 0.0), rel=1e-6, abs=1e-7)


only_given = st.sampled_from(["Product Viewed", "Product Added", "Order Completed"])
FACETS = ("category", "brand", "color", "style", "price_tier")


def readings(profile, now):
    return {
        facet: {name: read(v, now, profile.landmark, HALF_LIFE) for name, v in values.items()}
        for facet, values in profile.affinities.items()
    }


def strong(profile, now):
    """Readings without those that have faded to nothing."""
    found = readings(profile, now)
    return {facet: kept for facet, values in found.items() if (kept := {n: v for n, v in values.items() if v > 1e-15})}


@given(visits(), st.data())
def test_any_split_into_batches_gives_the_same_profile(events, data):
    whole = fold()(None, events, facts)
    profile, rest = None, events
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        profile, rest = fold()(profile, rest[:size], facts), rest[size:]
    assert bare(profile) == bare(whole)
    assert list(profile.affinities) == list(whole.affinities)


@given(visits())
def test_a_stored_profile_goes_on_as_the_one_in_memory(events):
    stored = None
    for one in events:
        after = fold()(stored, (one,), facts)
        stored = bytes_profile(profile_bytes(after))
        assert stored == after
    assert bare(stored) == bare(fold()(None, events, facts))


@given(visits(names=only_given), st.randoms())
def test_affinities_do_not_depend_on_the_order(events, random):
    # Orders told twice count once, whichever comes first: each gets a number of its own here.
    events = [msgspec.structs.replace(one, properties={}) for one in events]
    shuffled = list(events)
    random.shuffle(shuffled)
    one, other = fold()(None, events, facts), fold()(None, shuffled, facts)
    now = max(e.timestamp for e in events)
    assert one.landmark == other.landmark
    a, b = strong(one, now), strong(other, now)
    assert_near(a, b)
    assert one.funnels == other.funnels
    assert (one.events, one.orders, one.first_seen, one.last_seen) == (
        other.events, other.orders, other.first_seen, other.last_seen,
    )  # fmt: skip


@given(visits(names=only_given, max_size=12))
def test_affinities_are_the_sum_of_decayed_weights(events):
    events = [msgspec.structs.replace(one, properties={}) for one in events]
    now = max(e.timestamp for e in events)
    weights = {"Product Viewed": 1.0, "Product Added": 3.0, "Order Completed": 5.0}
    expected = defaultdict(float)
    for one in events:
        ids = [p.product_id for p in one.products]
        for product_id in dict.fromkeys(ids) if one.name == "Order Completed" else ids:
            if known := facts(product_id, one.timestamp):
                expected[known.brand] += weights[one.name] * 2 ** ((one.timestamp - now) / HALF_LIFE)
    found = readings(fold()(None, events, facts), now).get("brand", {})
    kept = {name: value for name, value in expected.items() if value > 1e-12}
    assert {n: v for n, v in found.items() if v > 1e-12} == pytest.approx(kept, rel=1e-9)


@given(visits(names=only_given, min_size=0), st.sampled_from(["p1", "p3", "p6", "p7"]), st.integers(1, 5 * 86400))
def test_a_removal_takes_back_what_the_cart_gave(events, product, later):
    before = fold()(None, events, facts) if events else None
    assume(before is None or product not in before.extra)  # of several pieces there, one taken out is one of those
    at = max([e.timestamp - T0 for e in events], default=0.0)
    added = fold()(before, [event("Product Added", at, product)], facts)
    after = fold()(added, [event("Product Removed", at + later, product)], facts)
    now = T0 + at
    a, b = strong(before, now) if before else {}, strong(after, now)
    assert_near(b, a)
    if before:
        # The 50 latest stay: one that the cart pushed out does not come back.
        assert len(before.recent) == 50 or after.recent == before.recent
        assert {c: f for c, f in after.funnels.items() if f.views or f.carts or f.purchases} == before.funnels


@given(visits(names=only_given, min_size=0), st.lists(st.integers(1, 4), min_size=1, max_size=6), st.randoms())
def test_a_cart_emptied_piece_by_piece_gives_nothing_more(events, puts, chance):
    """However often and however many pieces were put there, and in whatever portions they are taken out."""
    events = [one for one in events if all(line.product_id != "p1" for line in one.products)]
    before = fold()(None, events, facts) if events else None
    at = max([e.timestamp - T0 for e in events], default=0.0)
    steps = [event("Product Added", at + place, ("p1", float(pieces))) for place, pieces in enumerate(puts)]
    left, place = sum(puts), len(puts)
    while left:
        portion = chance.randint(1, left)
        left, place = left - portion, place + 1
        steps.append(event("Product Removed", at + place, ("p1", float(portion))))
    now = T0 + at + place
    after = fold()(before, steps, facts)
    assert_near(strong(after, now), strong(before, now) if before else {})
    assert after.extra == (before.extra if before else {})
    last_but_one = fold()(before, steps[:-1], facts)
    assert any(item.product_id == "p1" for item in last_but_one.recent), "a piece is still there"


@given(visits(names=only_given, min_size=0), st.sampled_from(["p1", "p6", "p7"]), st.booleans())
def test_a_return_takes_back_what_the_order_gave(events, product, named):
    before = fold()(None, events, facts) if events else None
    at = max([e.timestamp - T0 for e in events], default=0.0) + 10
    bought = event("Order Completed", at, (product, 2.0), order_id="new", total=30)
    pieces = [(product, 2.0)] if named else []
    returned = event("Order Refunded", at + DAY, *pieces, order_id="new", **({"total": 30} if named else {}))
    after = fold()(fold()(before, [bought], facts), [returned], facts)
    now = T0 + at
    a, b = strong(before, now) if before else {}, strong(after, now)
    assert_near(b, a)
    assert after.orders == (before.orders if before else 0)
    assert after.revenue == pytest.approx(before.revenue if before else 0.0)


@given(visits(), visits())
def test_merging_commutes_in_what_it_says(one, other):
    a, b = fold()(None, one, facts), fold()(None, other, facts)
    ab, ba = merge((a, b), HALF_LIFE), merge((b, a), HALF_LIFE)
    assert ab.affinities == ba.affinities
    assert (ab.margin, ab.discount, ab.funnels) == (ba.margin, ba.discount, ba.funnels)
    assert (ab.events, ab.orders, ab.landmark, ab.last_seen) == (ba.events, ba.orders, ba.landmark, ba.last_seen)
    assert [item.timestamp for item in ab.recent] == [item.timestamp for item in ba.recent]


def test_of_an_order_told_on_both_sides_one_goes_and_others_of_that_moment_stay():
    order = event("Order Completed", 0, "p1", order_id="o1", total=10)
    account = fold()(None, [order], facts)
    browser = fold()(None, [order, event("Order Completed", 0, "p2", total=5, key="other")], facts)
    for both in ((account, browser), (browser, account)):
        merged = merge(both, HALF_LIFE)
        assert sorted(item.product_id for item in merged.recent) == ["p1", "p2"]
        assert (merged.orders, merged.revenue) == (2, 15.0)


@given(visits(names=only_given), visits(names=only_given))
def test_merged_parts_read_like_one_profile(one, other):
    plain = [msgspec.structs.replace(e, properties={}) for e in (*one, *other)]
    now = max(e.timestamp for e in plain)
    parts = fold()(None, plain[: len(one)], facts), fold()(None, plain[len(one) :], facts)
    assert_near(strong(merge(parts, HALF_LIFE), now), strong(fold()(None, plain, facts), now))


@given(visits(names=only_given), st.integers(1, 3))
def test_moving_the_landmark_changes_no_reading(events, steps):
    before = fold()(None, events, facts)
    t = before.landmark + steps * STEP * HALF_LIFE - T0
    after = fold()(before, [event("Page Viewed", t)], facts)
    assert after.landmark == before.landmark + steps * STEP * HALF_LIFE
    now = max(e.timestamp for e in events)
    was, found = strong(before, now), readings(after, now)
    for facet, values in was.items():
        # The move itself is exact; what is rounded is the power of two that a reading divides by.
        kept = {name: found[facet][name] for name in values if name in found.get(facet, {})}
        assert kept == pytest.approx({name: values[name] for name in kept}, rel=1e-12)
        assert steps > 1 or kept.keys() == values.keys()
    assert (margin_affinity(before) is None) or steps > 1 or margin_affinity(after) == margin_affinity(before)
    assert steps > 1 or discount_share(after) == discount_share(before)


@given(st.floats(0, 4e9), st.floats(600, 1e8))
def test_weights_neither_overflow_nor_lose_the_present(t, half_life):
    landmark = landmark_of(t, half_life)
    assert landmark <= t * (1 + 1e-12) + 1
    assert read(weight_at(t, landmark, half_life), t, landmark, half_life) == pytest.approx(1.0)
    assert 0 <= weight_at(0.0, landmark, half_life) <= weight_at(t, landmark, half_life) < 2.0 ** (STEP + 1)


@given(st.floats(600, 1e8), st.integers(-3, 200), st.integers(1, 3))
def test_a_move_is_a_power_of_two(half_life, place, steps):
    old = LANDMARK + place * STEP * half_life
    assert moved(old, old + steps * STEP * half_life, half_life) == 2.0 ** (-steps * STEP)


@given(visits(max_size=15))
def test_shares_sum_to_one(events):
    profile = fold()(None, events, facts)
    for facet in FACETS:
        shares = affinities(profile, facet, profile.last_seen, HALF_LIFE)
        assert not shares or sum(shares.values()) == pytest.approx(1.0)
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
        assert all(share > 0 for share in shares.values())


def test_growth_is_bounded():
    def many(product_id, t):
        n = int(product_id)
        return ProductFacts(f"c{n}", f"b{n}", (f"x{n}", f"y{n}"), f"s{n}", PRICE_TIERS[n % 4], 1.0, 0.5, False)

    from mtp_plugin.config import Settings

    events = []
    for n in range(600):
        events.append(event("Product Viewed", n, str(n)))
        events.append(event("Order Completed", n, str(n), order_id=f"o{n}"))
        events.append(event("Products Searched", n, query=f"q {n}"))
    profile = Fold(Settings())(None, events, many)
    assert all(len(values) <= MAX_VALUES for values in profile.affinities.values())
    assert "b599" in profile.affinities["brand"]
    assert (len(profile.recent), len(profile.purchases), len(profile.funnels)) == (50, 200, 200)
    assert (len(profile.placed), len(profile.searches)) == (5, 20)
    assert len(profile_bytes(profile)) < 32_000

"""Laws of profiles, for any events: pieces or whole, sooner or later, given and taken back."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.config import Settings
from mtp_plugin.profile.decay import landmark_of, moved, read, weight_at
from mtp_plugin.profile.fold import MAX_VALUES, Fold
from mtp_plugin.profile.read import affinities, current_session, history, merge
from mtp_plugin.records import Event, EventProduct, ProductFacts

DAY = 86_400.0
NOW = 1_790_000_000.0
NAMES = ("Product Viewed", "Product Added", "Product Removed", "Order Completed", "Order Refunded", "Page Viewed")
GIVING = ("Product Viewed", "Product Added", "Order Completed")
CATEGORIES = ("Shoes", "Hats", "Tea")


def facts(product_id: str, t: float) -> ProductFacts | None:
    """Nine products in three categories; the last is in no catalogue."""
    number = int(product_id)
    if number == 9:
        return None
    return ProductFacts(
        category=CATEGORIES[number % 3],
        brand=f"brand {number % 2}",
        colors=("red", "blue")[: number % 3],
        style="",
        price_tier="mid",
        price=10.0,
        margin=number / 10,
        on_sale=number % 2 == 0,
    )


def event(name: str, product_id: str, t: float, quantity: float = 1.0) -> Event:
    products = () if name == "Page Viewed" else (EventProduct(product_id=product_id, quantity=quantity, price=10.0),)
    return Event(
        event_id="0" * 32, name=name, profile_id="a:ada", timestamp=t, received_at=t, dedupe_key="", products=products
    )


times = st.floats(NOW - 3000 * DAY, NOW, allow_nan=False).map(round)
events = st.builds(event, st.sampled_from(NAMES), st.integers(0, 9).map(str), times, st.integers(1, 3).map(float))
streams = st.lists(events, min_size=1, max_size=25)
half_lives = st.sampled_from((0.01, 1.0, 14.0, 3650.0))
giving = st.builds(event, st.sampled_from(GIVING), st.integers(0, 9).map(str), times)
shuffled = st.lists(giving, min_size=1, max_size=15).flatmap(
    lambda found: st.tuples(st.just(found), st.permutations(found))
)
pairs = st.sampled_from((("Product Added", "Product Removed"), ("Order Completed", "Order Refunded")))
law = settings(deadline=None, max_examples=50)


@law
@given(streams, half_lives, st.lists(st.integers(0, 25), max_size=4))
def test_any_split_into_batches_gives_the_same_profile(stream, days, cuts):
    fold = Fold(Settings(half_life_days=days))
    whole = fold(None, stream, facts)
    profile, start = None, 0
    for cut in [*sorted({c for c in cuts if 0 < c < len(stream)}), len(stream)]:
        profile = fold(profile, stream[start:cut], facts)
        start = cut
    assert _without_revision(profile) == _without_revision(whole)


@law
@given(streams, half_lives)
def test_no_length_of_time_overflows(stream, days):
    profile = Fold(Settings(half_life_days=days))(None, stream, facts)
    for values in profile.affinities.values():
        assert all(math.isfinite(value) for value in values.values())
    assert all(math.isfinite(part) for part in (*profile.margin, *profile.discount))
    for facet in ("category", "brand", "color", "price_tier"):
        shares = affinities(profile, facet, NOW, days * DAY)
        assert not shares or sum(shares.values()) == pytest.approx(1)
        assert all(0 < share <= 1 for share in shares.values())
        assert list(shares.values()) == sorted(shares.values(), reverse=True)


@law
@given(shuffled, half_lives)
def test_the_order_of_arrival_does_not_matter_to_affinities(pair, days):
    fold = Fold(Settings(half_life_days=days))
    a, b = (fold(None, stream, facts) for stream in pair)
    for facet in ("category", "brand", "color", "price_tier"):
        first, second = (affinities(profile, facet, NOW, days * DAY) for profile in (a, b))
        for value in first.keys() | second.keys():
            assert first.get(value, 0.0) == pytest.approx(second.get(value, 0.0), abs=1e-9)
    assert (a.first_seen, a.last_seen, a.events, a.orders) == (b.first_seen, b.last_seen, b.events, b.orders)
    assert {p.product_id: p for p in a.purchases} == {p.product_id: p for p in b.purchases}
    assert a.funnels == b.funnels


@law
@given(times, st.floats(0, 30 * DAY), pairs)
def test_what_is_taken_back_never_was(t, later, pair):
    fold = Fold(Settings())
    before = fold(None, [event("Product Viewed", "1", t - 60)], facts)
    after = fold(before, [event(pair[0], "4", t), event(pair[1], "4", t + later)], facts)
    now = t + later
    for facet in ("category", "brand", "color"):
        assert affinities(after, facet, now, 14 * DAY) == pytest.approx(affinities(before, facet, now, 14 * DAY))
    assert after.purchases == ()


@law
@given(times)
def test_weights_are_those_of_the_settings(t):
    stream = [event("Product Viewed", "0", t), event("Product Added", "1", t), event("Order Completed", "2", t)]
    shares = affinities(Fold(Settings())(None, stream, facts), "category", t, 14 * DAY)
    assert shares == pytest.approx({"Tea": 5 / 9, "Hats": 3 / 9, "Shoes": 1 / 9})


@law
@given(streams, streams)
def test_a_merge_adds_up(first, second):
    fold, half_life = Fold(Settings()), 14 * DAY
    a, b = fold(None, first, facts), fold(None, second, facts)
    one, other = merge([a, b], half_life), merge([b, a], half_life)
    for name in ("events", "orders", "first_seen", "last_seen", "sessions"):
        assert getattr(one, name) == getattr(other, name)
    assert one.funnels == other.funnels
    for facet in one.affinities.keys() | other.affinities.keys():
        assert affinities(one, facet, NOW, half_life) == pytest.approx(
            affinities(other, facet, NOW, half_life), abs=1e-9
        )
    assert merge([a], half_life) == a
    assert merge([], half_life) is None


@law
@given(shuffled, st.integers(0, 15), st.sampled_from((1.0, 14.0)))
def test_halves_of_a_visitor_read_as_the_whole(pair, cut, days):
    fold, stream = Fold(Settings(half_life_days=days)), pair[0]
    halves = [fold(None, part, facts) for part in (stream[:cut], stream[cut:]) if part]
    whole, merged = fold(None, stream, facts), merge(halves, days * DAY)
    assert whole.affinities.keys() == merged.affinities.keys()
    for facet in whole.affinities:
        expected = affinities(whole, facet, NOW, days * DAY)
        assert affinities(merged, facet, NOW, days * DAY) == pytest.approx(expected, abs=1e-9)
    assert {p.product_id: p for p in merged.purchases} == {p.product_id: p for p in whole.purchases}
    assert merged.funnels == whole.funnels


@law
@given(streams, times)
def test_session_and_history_are_all_that_is_recent(stream, now):
    profile = Fold(Settings())(None, stream, facts)
    session, earlier = current_session(profile, now, 1800.0), history(profile, now, 1800.0)
    assert len(session) + len(earlier) <= len(profile.recent)
    assert {*session, *earlier} == {item.product_id for item in profile.recent}


@law
@given(st.floats(-1e10, 1e10), st.sampled_from((60.0, DAY, 3650 * DAY)), st.floats(0, 200))
def test_a_weight_halves_in_a_half_life(t, half_life, halves):
    landmark = landmark_of(t, half_life)
    given_ = weight_at(t, landmark, half_life)
    assert 1.0 <= given_ < 2.0**257
    assert read(given_, t + halves * half_life, landmark, half_life) == pytest.approx(2.0**-halves, rel=1e-3)
    later = landmark_of(t + halves * half_life, half_life)
    assert moved(landmark, later, half_life) in (2.0 ** -(256 * n) for n in range(4))


def test_a_facet_keeps_its_strongest_values():
    def many(product_id, t):
        return msgspec.structs.replace(facts("1", t), category=f"c{product_id}")

    stream = [event("Product Viewed", str(n), NOW + n * 3600) for n in range(MAX_VALUES + 30)]
    kept = Fold(Settings())(None, stream, many).affinities["category"]
    assert set(kept) == {f"c{n}" for n in range(30, MAX_VALUES + 30)}


def _without_revision(profile):
    return {name: getattr(profile, name) for name in profile.__struct_fields__ if name != "revision"}

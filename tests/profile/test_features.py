"""Features by name, the columns made of them, and the counters that they need."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from mtp_plugin.profile.columns import Columns
from mtp_plugin.profile.features import FEATURES, WORDS, features_of
from mtp_plugin.profile.read import affinities, merge
from mtp_plugin.records import EventProduct, Profile
from mtp_plugin.segment.learn.columns import choose_columns, spoken_columns
from mtp_plugin.track.imported import imported_event

from .worlds import DAY, HALF_LIFE, T0, event, facts, fold, visits

KNOWN = {feature.name: feature for feature in (*FEATURES, *WORDS)}
contexts = st.fixed_dictionaries(
    {},
    optional={
        "device": st.sampled_from(["mobile", "desktop", ""]),
        "daypart": st.sampled_from(["morning", "night"]),
        "weekday": st.sampled_from(["monday", "sunday"]),
        "country": st.sampled_from(["DE", "US", 7, None]),
    },
)


@given(visits(min_size=0), st.integers(0, 400))
def test_every_feature_is_in_the_table(events, days):
    profile = fold()(None, events, facts) if events else Profile(profile_id="a:1")
    now = (events[-1].timestamp if events else T0) + days * DAY
    for name, value in features_of(profile, now).items():
        assert isinstance(value, dict) == KNOWN[name].family
        numbers = value.values() if isinstance(value, dict) else [value]
        assert all(isinstance(one, str) or math.isfinite(one) for one in numbers)
        if KNOWN[name].unit == "0 to 1":
            assert all(-1e-9 <= one <= 1 + 1e-9 for one in numbers), name


@given(visits(), st.data())
def test_a_row_holds_what_the_names_say(events, data):
    profile, now = fold()(None, events, facts), events[-1].timestamp
    found = features_of(profile, now)
    names = list(dict.fromkeys([*choose_columns([found]), "category.Nothing", "traits.age", "margin_affinity"]))
    row = Columns(names).row(profile, now)
    for name, value in zip(names, row.tolist(), strict=True):
        family, dot, rest = name.partition(".")
        if not dot:
            expected = found.get(name, math.nan)
        elif family in found:
            expected = found[family].get(rest, 0.0)
        else:
            expected = math.nan
        np.testing.assert_equal(np.float32(value), np.float32(expected))


@given(visits(), st.data())
def test_a_row_read_at_once_has_the_bits_of_the_features_in_words(events, data):
    said = st.dictionaries(
        st.sampled_from(["plan", "age", "a.b", "fan"]), st.sampled_from(["gold", "x.y", 3, 0.1, True])
    )
    events = [structs.replace(one, context=data.draw(contexts), traits=data.draw(said)) for one in events]
    profile, now = fold()(None, events, facts), events[-1].timestamp + data.draw(st.integers(-9, 90)) * DAY
    excluded = frozenset(data.draw(st.sets(st.sampled_from(["Shop > C1", "Shop > C2", "Shop"]), max_size=2)))
    whole = features_of(profile, now)
    asked = [*choose_columns([whole]), "category.Nothing", "brand.Nobody", "view_to_buy_in.Shop", "weekend_share"]
    asked += [f"{name}.{value}" for name in ("country", "daypart", "traits") for value in whole.get(name, ())]
    names = data.draw(st.permutations(sorted(set(asked))))[: data.draw(st.integers(1, 60))]
    columns = Columns(names, excluded)
    for _ in range(2):  # the second time places are remembered
        assert columns.row(profile, now).tobytes() == columns.row_of(features_of(profile, now, excluded)).tobytes()


def test_shares_are_those_that_profiles_tell():
    profile = fold()(None, [event("Product Viewed", n, f"p{n}") for n in range(1, 9)], facts)
    said = features_of(profile, T0 + 9)
    for facet in ("brand", "color", "style", "price_tier"):
        shares = affinities(profile, facet, T0 + 9, HALF_LIFE)
        assert {name: round(share, 9) for name, share in said[facet].items()} == {
            name: round(share, 9) for name, share in shares.items()
        }
    assert said["category"]["Shop"] == pytest.approx(1.0)
    assert sum(share for name, share in said["category"].items() if name != "Shop") == pytest.approx(1.0)


def test_nothing_is_said_of_what_is_excluded():
    profile = fold()(None, [event("Product Viewed", n, f"p{n}") for n in range(1, 9)], facts)
    said = features_of(profile, T0 + 9, frozenset({"Shop > C1"}))
    assert "Shop > C2" in said["category"]
    assert "Shop > C1" not in said["category"]
    assert said["category"]["Shop"] == pytest.approx(1.0)
    assert said["views"] < features_of(profile, T0 + 9)["views"]
    nothing = features_of(profile, T0 + 9, frozenset({"Shop"}))
    assert not {"category", "top_category", "category_focus", "views", "view_to_buy"} & set(nothing)


def test_sensitive_categories_leave_nothing_in_brands_prices_and_spend():
    hidden = {"segment_exclude_categories": ("Shop > C1",)}
    lines = (EventProduct("p1", quantity=2, price=11.0), EventProduct("p2", price=12.0))
    order = imported_event(
        "Order Completed", key="o", timestamp=T0 + 5, anonymous_id="v", products=lines, properties={"total": 34.0}
    )
    events = [
        event("Product Viewed", 1, "p1"),
        event("Product Viewed", 2, "p2"),
        event("Product Added", 3, "p1"),
        order,
    ]
    profile = fold(**hidden)(None, [*events, event("Product Removed", 9, "p1")], facts)
    bare_order = structs.replace(order, products=lines[1:], properties={"total": 12.0})
    without = fold()(None, [events[1], bare_order], facts)
    said, expected = (features_of(one, T0 + 9, frozenset({"Shop > C1"})) for one in (profile, without))
    for name in (
        "brand",
        "color",
        "style",
        "price_tier",
        "margin_affinity",
        "discount_share",
        "spend",
        "average_order",
    ):
        assert said.get(name) == expected.get(name), name
    assert said["category"] == expected["category"]
    assert "Shop > C1" in profile.affinities["category"]
    assert (said["spend"], said["orders"]) == (12.0, 1.0)
    only = structs.replace(order, products=lines[:1], properties={"total": 22.0})
    assert features_of(fold(**hidden)(None, [only], facts), T0 + 9)["spend"] == 0.0


def test_words_among_traits_are_columns_of_their_own():
    people = [Profile(profile_id=f"u:{n}", traits={"plan": ("gold", "free")[n % 2], "age": 20 + n}) for n in range(10)]
    names = choose_columns([features_of(one, T0) for one in people])
    assert {"traits.plan=gold", "traits.plan=free", "traits.age"} <= set(names)
    rows = {name: Columns(names).row(people[1], T0)[names.index(name)] for name in names}
    assert (rows["traits.plan=gold"], rows["traits.plan=free"], rows["traits.age"]) == (0.0, 1.0, 21.0)
    unknown = Columns(names).row(Profile(profile_id="u:x", traits={"plan": "new"}), T0)
    assert unknown[names.index("traits.plan=gold")] == 0.0
    assert math.isnan(unknown[names.index("traits.age")])


def test_features_can_be_asked_for_and_left_out():
    profile = fold()(None, [event("Product Viewed", n, f"p{n}") for n in range(1, 9)], facts)
    found = [features_of(profile, T0 + 9), features_of(fold()(None, [event("Product Viewed", 0, "p1")], facts), T0)]
    assert choose_columns(found, ("recency_days",)) == ("recency_days",)
    assert "recency_days" not in choose_columns(found, ("-recency_days",))
    assert len(choose_columns(found, ("-recency_days",))) > 5


def test_what_segments_are_not_found_by_may_still_be_spoken_of():
    people = [
        {"price_level": n / 10, "device": {"mobile": n % 2, "desktop": 1 - n % 2}, "orders": n,
         "traits": {"city": ("Ulm", "Bergen")[n % 2], "plan": ("gold", "free")[n % 2]}}
        for n in range(10)
    ]  # fmt: skip
    names = choose_columns(people, ("price_level",))
    assert names == ("price_level",)
    spoken = spoken_columns(people, ("price_level",), names)
    assert set(spoken) == {"orders", "device.mobile", "device.desktop", "traits.city=Ulm", "traits.city=Bergen"}
    without = spoken_columns(people, ("price_level", "-traits", "-orders"), names)
    assert set(without) == {"device.mobile", "device.desktop"}
    assert spoken_columns(people, ("-traits",), choose_columns(people, ("-traits",))) == ()
    assert spoken_columns(people, (), choose_columns(people)) == ()


def test_sessions_are_counted_as_they_come():
    at = (0, 60, 180, 3 * 3600, DAY)
    profile = fold()(None, [event("Page Viewed", t) for t in at], facts)
    habits = profile.habits
    assert (profile.sessions, habits.bounces, habits.active_seconds, habits.session_events) == (3, 2, 180.0, 1)
    said = features_of(profile, T0 + DAY)
    assert said["dwell_seconds"] == 90.0
    assert said["session_minutes"] == 1.0


@given(visits(names=st.sampled_from(["Page Viewed", "Products Searched"])), st.data())
def test_what_contexts_say_does_not_depend_on_order_or_batches(events, data):
    events = [structs.replace(one, context=data.draw(contexts)) for one in events]
    whole = fold()(None, events, facts)
    shuffled = data.draw(st.permutations(events))
    assert fold()(None, shuffled, facts).habits.counts == whole.habits.counts
    cut = data.draw(st.integers(0, len(events)))
    first, second = (fold()(None, part, facts) if part else None for part in (events[:cut], events[cut:]))
    parts = [part for part in (first, second) if part]
    assert merge(parts, HALF_LIFE).habits.counts == whole.habits.counts
    assert merge(parts, HALF_LIFE).habits.searches == whole.habits.searches

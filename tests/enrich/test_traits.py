"""Which statement about a visitor holds, and that the order of arrival makes no difference."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.profile.read import merge
from mtp_plugin.records import Event, Profile, TraitOrigin
from mtp_plugin.store.rows import bytes_profile, profile_bytes

from ..profile.worlds import HALF_LIFE, T0, facts, fold


def said(t, source="shop", context=None, **traits):
    kind = "Page Viewed" if context else "Identify"
    return Event(
        event_id=f"{int(t):032x}",
        name=kind,
        profile_id="u:1",
        timestamp=T0 + t,
        received_at=T0 + t,
        dedupe_key="x",
        traits=traits,
        context=context or {},
        source=source,
    )


def after(*events):
    return fold()(None, events, facts)


def test_every_trait_says_where_it_came_from_and_when():
    profile = after(
        said(1, tier="gold"), said(2, "crm:hub", age=41), said(3, context={"device": "mobile", "city": "Ulm"})
    )
    assert profile.traits == {"tier": "gold", "age": 41, "device": "mobile", "city": "Ulm"}
    request = TraitOrigin("request", T0 + 3)
    assert profile.origins == {
        "tier": TraitOrigin("shop", T0 + 1),
        "age": TraitOrigin("crm:hub", T0 + 2),
        "device": request,
        "city": request,
    }
    assert bytes_profile(profile_bytes(profile)) == profile


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        (said(1, city="Ulm"), said(2, city="Bonn"), "Bonn"),
        (said(2, city="Ulm"), said(1, city="Bonn"), "Ulm"),
        (said(1, city="Ulm"), said(2, "crm:hub", city="Bonn"), "Ulm"),
        (said(1, "crm:hub", city="Ulm"), said(2, city="Bonn"), "Bonn"),
        (said(1, "crm:a", city="Ulm"), said(2, "crm:b", city="Bonn"), "Ulm"),
        (said(1, "crm:a", city="Ulm"), said(2, "crm:a", city="Bonn"), "Bonn"),
        (said(1, "crm:hub", city="Ulm"), said(2, context={"city": "Bonn"}), "Ulm"),
        (said(1, context={"city": "Ulm"}), said(2, context={"city": "Bonn"}), "Bonn"),
        (said(2, context={"city": "Ulm"}), said(1, context={"city": "Bonn"}), "Ulm"),
        (said(2, context={"city": "Ulm"}), said(1, "import", city="Bonn"), "Bonn"),
    ],
)
def test_which_holds(first, second, holds):
    assert after(first, second).traits == {"city": holds}
    assert after(second, first).traits == {"city": holds}


def test_a_trait_from_before_origins_were_kept_counts_as_the_shops():
    old = Profile(profile_id="u:1", traits={"city": "Ulm"})
    assert fold()(old, (said(1, "crm:hub", city="Bonn"),), facts).traits == {"city": "Ulm"}
    assert fold()(old, (said(1, context={"city": "Bonn"}),), facts).traits == {"city": "Ulm"}
    assert fold()(old, (said(1, city="Bonn"),), facts).traits == {"city": "Bonn"}


def test_what_a_crm_says_is_nothing_that_the_visitor_did():
    profile = after(said(1, tier="gold"), said(9999, "crm:hub", age=41))
    assert (profile.events, profile.sessions, profile.last_seen) == (1, 1, T0 + 1)


def test_what_requests_show_takes_no_room_from_what_was_stated():
    stated = {f"t{i:02}": i for i in range(60)}
    profile = after(said(1, context={"device": "mobile", "city": "Ulm"}), said(2, **stated))
    assert set(profile.traits) == {"device", "city", *sorted(stated)[:50]}
    assert profile.origins.keys() == profile.traits.keys()


statements = st.lists(
    st.builds(
        lambda t, source, name, value: (
            said(t, context={name: value}) if source == "request" else said(t, source, **{name: value})
        ),
        st.integers(0, 10**6),
        st.sampled_from(["shop", "import", "server", "crm:a", "crm:b", "request"]),
        st.sampled_from(["city", "country", "device"]),
        st.sampled_from(["x", "y", "z"]),
    ),
    max_size=12,
    unique_by=lambda event: event.timestamp,
)


@given(events=statements, shuffled=st.randoms(use_true_random=False), cut=st.integers(0, 12))
def test_order_batches_and_parts_make_no_difference(events, shuffled, cut):
    whole = after(*events) if events else Profile(profile_id="u:1")
    other = list(events)
    shuffled.shuffle(other)
    profile = None
    for event in other:
        profile = fold()(profile, (event,), facts)
    parts = [after(*part) for part in (events[:cut], events[cut:]) if part]
    for same in (profile, merge(parts, HALF_LIFE)):
        if same is not None:
            assert (same.traits, same.origins) == (whole.traits, whole.origins)
    if profile is not None:
        assert msgspec.msgpack.decode(profile_bytes(profile))

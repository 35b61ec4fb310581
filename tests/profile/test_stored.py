"""What a profile takes in a store, and that those of an older form are read."""

from __future__ import annotations

import statistics
from random import Random

import msgspec
import pytest
from hypothesis import given

from mtp_plugin.errors import InputError
from mtp_plugin.records import PRICE_TIERS, ProductFacts, Profile
from mtp_plugin.store.rows import bytes_profile, packed, profile_bytes, unpacked

from .worlds import DAY, event, facts, fold, visits

KINDS = ("Watch", "Lamp", "Chair", "Mug", "Bag", "Jacket", "Shoe", "Plant", "Notebook", "Headphone")
COLORS = ("red", "blue", "green", "black", "white")
LIMIT = 800
"""Bytes: a million profiles in 0.8 GB."""


def many_facts(product_id, t):
    """One of 50,000 products: 400 narrow categories, 400 brands."""
    number = int(product_id[1:])
    kind = KINDS[number % 10]
    category = f"All > {kind} > {kind} {number % 400}"
    tier = PRICE_TIERS[number * 7 // 10 % 4]
    margin = number % 60 / 100
    return ProductFacts(
        category, f"Brand {number % 397}", (COLORS[number % 5],), "", tier, 20.0, margin, number % 9 == 0
    )


def shopper(random):
    """A visitor of 1 to 40 visits with 4 products each on average; half come once."""
    made, visits = [], min(40, int(random.paretovariate(1.1)))
    for visit in range(visits):
        moment, kind = 9 * DAY * (visit + random.random()), random.randrange(10)
        for step in range(1 + int(random.expovariate(1 / 3.5))):
            bought = random.random() < 0.05
            order = {"order_id": f"o{random.randrange(10**6)}", "revenue": 20.0} if bought else {}
            name = "Order Completed" if bought else "Product Viewed"
            t = moment + 60.0 * step + random.random()
            made.append(event(name, t, f"p{random.randrange(5000) * 10 + kind}", **order))
    profile = fold()(None, sorted(made, key=lambda one: one.timestamp), many_facts)
    return msgspec.structs.replace(profile, profile_id=f"a:{random.getrandbits(128):032x}")


def map_bytes(profile):
    """The form before: a map with the names of what is not as it is by default."""
    empty = Profile(profile_id="")
    values = msgspec.structs.asdict(profile)
    return msgspec.msgpack.encode({k: v for k, v in values.items() if k == "profile_id" or v != getattr(empty, k)})


def test_a_million_profiles_fit_into_the_limit():
    random = Random(3)
    profiles = [shopper(random) for _ in range(1000)]
    bodies = [packed(profile_bytes(profile)) for profile in profiles]
    assert [bytes_profile(unpacked(body)) for body in bodies] == profiles
    assert sum(profile.events for profile in profiles) > 10 * len(profiles), "the shoppers must have done something"
    assert statistics.mean(map(len, bodies)) < LIMIT
    assert statistics.mean(map(len, bodies)) < 0.55 * statistics.mean(len(map_bytes(one)) for one in profiles)


@given(visits())
def test_the_form_before_is_read(events):
    profile = fold()(None, events, facts)
    assert bytes_profile(map_bytes(profile)) == profile


def test_every_field_of_both_forms_is_read():
    profile = shopper(Random(1))
    profile = msgspec.structs.replace(profile, searches=("größe",), traits={"vip": True, "tags": ["a", 1, None, 2.5]})
    for body in (profile_bytes(profile), map_bytes(profile)):
        assert bytes_profile(body) == profile
        assert unpacked(packed(body)) == body


def test_bytes_of_the_form_before():
    body = bytes.fromhex("83aa70726f66696c655f6964a3613a31a87265766973696f6e02a96c6173745f7365656ecb3ff8000000000000")
    assert bytes_profile(body) == Profile(profile_id="a:1", revision=2, last_seen=1.5)


def test_bytes_of_the_first_release():
    """Profiles of this form lie in databases: it is read, and new fields came after all that it has."""
    profile = Profile(profile_id="a:1", revision=2, last_seen=1.5, traits={"plan": "gold"})
    bare = bytes.fromhex(
        "dc0013a3613a3102cb0000000000000000cb0000000000000000cb3ff80000000000009090908092cb0000000000000000cb000000000000000092cb0000000000000000cb00000000000000008000cb00000000000000000000cb00000000000000009081a4706c616ea4676f6c64"
    )
    deflated = bytes.fromhex(
        "01bbc320bc38d1ca90e93403142018f63f208c091326344cc294c722d4806022894e685c52909398b7243d3f270500"
    )
    assert unpacked(deflated) == bare
    now = bytes.fromhex(
        "02bbc320bc38d1ca90e93403142018f63f208c091326344cc294c722d4806022894e685c52909398b7243d3f270500"
    )
    assert (packed(bare), unpacked(now)) == (now, bare)
    assert bytes_profile(bare) == profile
    # New fields come after: of the same fields the bytes stay the same, but for how many fields there are.
    assert profile_bytes(profile)[3:].startswith(bare[3:])


def test_no_bytes_are_no_profile():
    assert bytes_profile(b"") is None


def test_what_cannot_be_stored_is_refused():
    with pytest.raises(InputError, match="trait"):
        profile_bytes(Profile(profile_id="a:1", traits={"huge": 2**70}))

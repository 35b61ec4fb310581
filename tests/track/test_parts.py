"""Names, clocks, ids, crawlers and limits, one by one."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mtp_plugin.privacy
import mtp_plugin.profile
import mtp_plugin.track
from mtp_plugin.errors import InputError
from mtp_plugin.records import ACTIONS
from mtp_plugin.track.aliases import CANONICAL, GA4, OLDER, canonical
from mtp_plugin.track.bots import is_bot
from mtp_plugin.track.clock import AHEAD, BROWSER_MAX_AGE, corrected, parse_time
from mtp_plugin.track.identifiers import dedupe_key, permanent_id, time_ordered_id
from mtp_plugin.track.limits import MAX_ID, bounded, identifier, is_personal, plain
from mtp_plugin.track.page import without_queries

NOW = 1_772_366_400.0
MODULES = [
    module.name
    for package in (mtp_plugin.track, mtp_plugin.profile, mtp_plugin.privacy)
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + ".")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", CANONICAL)
def test_canonical_names_stay_however_written(name):
    for written in (name, name.upper(), name.replace(" ", "_").lower(), name.replace(" ", ""), f" {name} "):
        assert canonical(written) == name


@pytest.mark.parametrize(("other", "name"), [*GA4.items(), *OLDER.items()])
def test_other_names_become_canonical(other, name):
    assert canonical(other) == name
    assert name in CANONICAL


def test_whatever_changes_a_profile_has_a_canonical_name():
    assert set(ACTIONS) <= set(CANONICAL)


@given(st.text(max_size=40))
def test_names_settle_at_once(name):
    assert canonical(canonical(name)) == canonical(name)


@pytest.mark.parametrize(
    ("value", "zone", "seconds"),
    [
        ("2026-03-01T12:00:00Z", None, NOON := 1_772_366_400.0),
        ("2026-03-01T12:00:00.500+00:00", None, NOON + 0.5),
        (" 2026-03-01 13:00 ", ZoneInfo("Europe/Berlin"), NOON),
        ("2026-03-01", None, NOON - 43200),
        (NOON, None, NOON),
        (int(NOON) * 1000, None, NOON),
        (int(NOON) * 1_000_000, None, NOON),
        (0, None, 0.0),
    ],
)
def test_times(value, zone, seconds):
    assert parse_time(value, "t", zone) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "12:00",
        "1969-12-31",
        "9999-12-31T23:59:59Z",
        "0001-01-01",
        True,
        None,
        [],
        -1,
        math.nan,
        math.inf,
        1e18,
    ],
)
def test_what_is_no_time(value):
    with pytest.raises(InputError) as caught:
        parse_time(value, "t")
    assert caught.value.field == "t"


@given(st.floats(0, 4e9), st.floats(-1e6, 1e6), st.floats(0, BROWSER_MAX_AGE - 1))
def test_a_clock_that_is_wrong_by_any_amount_is_set_right(received, wrong, age):
    happened = received - age
    found = corrected(happened + wrong, received + wrong, received, trusted=False)
    assert found == pytest.approx(max(happened, 0.0) if happened >= 0 else received, abs=1e-3) or happened < 1e-3


@given(st.floats(0, 1e11), st.none() | st.floats(0, 1e11), st.floats(1e9, 4e9), st.booleans())
def test_no_event_is_kept_in_the_future(timestamp, sent, received, trusted):
    found = corrected(timestamp, sent, received, trusted=trusted)
    assert 0 <= found <= received
    assert trusted or found >= received - BROWSER_MAX_AGE


def test_a_little_ahead_is_now():
    assert corrected(NOW + AHEAD, None, NOW, trusted=True) == NOW


@given(st.floats(0, 1e10), st.floats(0, 1e10), st.integers(0, 10_000), st.integers(0, 10_000))
def test_ids_sort_by_time_and_place(a, b, one, other):
    first, second = time_ordered_id(a, one), time_ordered_id(b, other)
    assert len(first) == len(permanent_id(a, "k")) == 32
    if (int(a * 1000), one) < (int(b * 1000), other):
        assert first < second


def test_ids_are_uuids():
    import uuid

    assert uuid.UUID(time_ordered_id(NOW)).version == 7
    assert uuid.UUID(permanent_id(NOW, "k")).version == 8
    assert uuid.UUID(time_ordered_id(NOW)).variant == uuid.RFC_4122


printable = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF).filter(str.isprintable), max_size=12)


@given(st.tuples(printable, printable, printable), st.tuples(printable, printable, printable))
def test_keys_differ_where_anything_differs(one, other):
    assert (dedupe_key(*one) == dedupe_key(*other)) == (one == other)


@pytest.mark.parametrize(
    ("agent", "bot"),
    [
        ("", False),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", False),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
            False,
        ),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", True),
        ("curl/8.5.0", True),
        ("GPTBot/1.1", True),
        ("x" * 100_000, False),
    ],
)
def test_crawlers(agent, bot):
    assert is_bot(agent) is bot


@pytest.mark.parametrize(
    "name",
    [
        "email",
        "E-Mail",
        "customer_email",
        "billingAddress",
        "IP",
        "ip_address",
        "firstName",
        "First Name",
        "phoneNumber",
        "user.email",
        "SSN",
        "hashed_email",
        "dateOfBirth",
        "shipping_street",
    ],
)
def test_personal_names(name):
    assert is_personal(name)


@pytest.mark.parametrize(
    "name",
    ["name", "email_campaign", "brand", "skip", "zip", "shipping", "tip", "streetwear", "mobile_layout", "", "42"],
)
def test_names_of_things(name):
    assert not is_personal(name)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ask anna.b+x@mail.example.com, please", "ask [email], please"),
        ("<a@b.de>", "<[email]>"),
        ("2 @ 3.50", "2 @ 3.50"),
        ("@home and me@", "@home and me@"),
        ("a\x00b", "ab"),
    ],
)
def test_plain_texts(text, kept):
    assert plain(text) == kept


@pytest.mark.parametrize(
    "value", ["", "  ", "a\nb", "x" * (MAX_ID + 1), True, None, 1.5, 2**63, 10**400, [], chr(0xD800)]
)
def test_what_is_no_id(value):
    with pytest.raises(InputError):
        identifier(value, "id")


@pytest.mark.parametrize(
    ("value", "text"), [(" a ", "a"), (5, "5"), ("x" * MAX_ID, "x" * MAX_ID), ("Größe 5", "Größe 5")]
)
def test_ids(value, text):
    assert identifier(value, "id") == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcemail_", min_size=1), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_what_is_bounded_stays_as_it_is(value):
    try:
        once = bounded(value, "v")
    except InputError:
        return
    assert bounded(once, "v") == once


def test_addresses_lose_their_queries():
    properties = {
        "url": "https://s.example/a?b=c#d",
        "path": "/a#token",
        "search": "?x=1&utm_source=m",
        "page_location": 5,
    }
    without_queries(properties)
    assert properties == {
        "url": "https://s.example/a",
        "path": "/a",
        "search": "?utm_source=m",
        "page_location": 5,
    }

"""What holds for every body: laws of the intake, and what JSON cases cannot say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError, TooLargeError
from mtp_plugin.records import ConsentLevel, Event
from mtp_plugin.track.intake import IGNORED, KINDS, Intake, Sender

NOW = 1_772_368_200.0
INTAKE = Intake(Settings())
BROWSER = Sender(kind="browser", profile_id="a:v1", anonymous_id="v1", consent=ConsentLevel.FULL)
SERVER = Sender(kind="server", consent=ConsentLevel.FULL)
OTHER = Sender(kind="other-origin", consent=ConsentLevel.FULL, key="pk_blog")
SHOP = Sender(kind="shop", profile_id="u:7", user_id="7", consent=ConsentLevel.FULL)
SENDERS = (BROWSER, SERVER, OTHER, SHOP, Sender(kind="anonymous"))
ALL_KINDS = ("batch", *KINDS)

# Keys that the intake looks at, so that random values reach all of its corners.
keys = st.sampled_from(
    [
        *("type", "event", "properties", "products", "product_id", "id", "price", "quantity", "position", "variant"),
        *("order_id", "messageId", "timestamp", "sentAt", "context", "page", "path", "campaign", "locale", "userId"),
        *("anonymousId", "previousId", "traits", "batch", "events", "params", "items", "item_id", "name", "client_id"),
        *("user_id", "timestamp_micros", "recommendation_id", "url", "search", "email"),
    ]
)
words = st.sampled_from(
    ["track", "page", "identify", "alias", "Product Viewed", "Order Completed", "view_item", "a", "1"]
)
texts = st.one_of(words, st.text(max_size=20), st.just("2026-03-01T12:00:00Z"), st.just("²"), st.just("9" * 400))
numbers = st.one_of(st.integers(), st.just(10**400), st.floats(allow_nan=False, allow_infinity=False))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(keys, st.text(max_size=8)), inner, max_size=6),
    ),
    max_leaves=25,
)
shapes = st.one_of(
    values,
    st.fixed_dictionaries({"batch": st.lists(values, max_size=3)}, optional={"sentAt": values, "context": values}),
    st.fixed_dictionaries({"events": st.lists(values, max_size=3)}, optional={"timestamp_micros": values}),
    st.fixed_dictionaries({"event": texts}, optional={"properties": values, "timestamp": values, "context": values}),
)
bodies = st.one_of(st.binary(max_size=200), shapes.map(lambda value: json.dumps(value).encode()))


def check(parsed):
    """What is kept can be stored and read back."""
    for event in parsed.events:
        assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event
        assert "\x00" not in event.name + event.profile_id + event.message_id + event.recommendation_id
        assert 0 <= event.timestamp <= NOW
        assert event.profile_id[:2] in ("a:", "u:")
        int(event.event_id, 16)
    for error in parsed.errors:
        assert error.message


def assert_answered(take):
    """What is taken is sound, what is not taken is the sender's to mend."""
    refused: list[InputError] = []
    try:
        check(take())
    except InputError as error:
        refused.append(error)
    assert all(400 <= error.status < 500 and error.message for error in refused)


@given(bodies, st.sampled_from(ALL_KINDS), st.sampled_from(SENDERS))
def test_any_body_is_understood_or_an_input_error(body, kind, sender):
    assert_answered(lambda: INTAKE.segment(kind, body, sender, NOW))


@given(bodies, st.sampled_from(SENDERS))
def test_any_ga4_body_is_understood_or_an_input_error(body, sender):
    assert_answered(lambda: INTAKE.ga4(body, sender, NOW))


@given(texts, st.dictionaries(st.one_of(keys, st.text(max_size=8)), values, max_size=5))
def test_any_call_of_the_shop_is_understood_or_an_input_error(name, properties):
    assert_answered(lambda: INTAKE.own(name, properties, SHOP, NOW))


@given(st.lists(values, max_size=5))
def test_every_event_of_a_batch_is_accounted_for(events):
    parsed = INTAKE.segment("batch", json.dumps({"batch": events}).encode(), BROWSER, NOW)
    places = [d.index for d in parsed.dropped] + [e.index for e in parsed.errors]
    assert len(set(places)) == len(places)
    assert len(parsed.events) + len(places) == len(events)


ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


def one(sender, message_id, **more):
    body = json.dumps({"event": "Page Viewed", "messageId": message_id, **more}).encode()
    (event,) = INTAKE.segment("track", body, sender, NOW).events
    return event


def browser(visitor, user=""):
    profile = f"u:{user}" if user else f"a:{visitor}"
    return Sender(kind="browser", profile_id=profile, anonymous_id=visitor, user_id=user, consent=ConsentLevel.FULL)


@given(ids, ids, ids)
def test_nobody_can_suppress_anothers_events(a, b, message_id):
    senders = {
        one(browser(a), message_id).dedupe_key,
        one(browser(b), message_id).dedupe_key,
        one(SERVER, message_id, userId=a).dedupe_key,
        one(SERVER, message_id, userId=b).dedupe_key,
        one(SERVER, message_id, anonymousId=a).dedupe_key,
        one(OTHER, message_id, anonymousId=a).dedupe_key,
    }
    assert len(senders) == (6 if a != b else 4)


@given(ids, ids)
def test_a_repetition_is_recognised(visitor, message_id):
    first, again = one(browser(visitor), message_id), one(browser(visitor), message_id)
    assert first.dedupe_key == again.dedupe_key
    assert first.event_id != again.event_id


def test_what_is_sent_again_after_signing_in_is_a_repetition():
    before, after = one(browser("v1"), "m"), one(browser("v1", "u7"), "m")
    assert (before.profile_id, after.profile_id) == ("a:v1", "u:u7")
    assert before.dedupe_key == after.dedupe_key


def test_the_shop_and_its_servers_tell_of_the_same_event():
    assert one(SHOP, "order-1").dedupe_key == one(SERVER, "order-1", userId="7").dedupe_key


def test_events_without_an_id_are_all_different():
    assert one(BROWSER, "").dedupe_key != one(BROWSER, "").dedupe_key


def test_ids_of_a_batch_keep_its_order():
    body = json.dumps({"batch": [{"type": "page", "messageId": str(n)} for n in range(300)]}).encode()
    events = INTAKE.segment("batch", body, BROWSER, NOW).events
    assert [e.event_id for e in sorted(events, key=lambda e: e.event_id)] == [e.event_id for e in events]
    assert events[0].event_id > one_before(NOW).event_id


def one_before(now):
    (event,) = INTAKE.segment("track", b'{"event": "Page Viewed"}', BROWSER, now - 0.01).events
    return event


def test_kinds_that_are_ignored_need_no_shape():
    for kind in IGNORED:
        assert INTAKE.segment(kind, b"{}", BROWSER, NOW).dropped[0].reason == "ignored"


def test_limits_are_settings():
    small = Intake(Settings(event_max_kb=1, batch_max_events=2))
    with pytest.raises(TooLargeError):
        small.segment("track", json.dumps({"event": "X", "properties": {"a": "x" * 1100}}).encode(), BROWSER, NOW)
    with pytest.raises(TooLargeError) as caught:
        small.ga4(json.dumps({"events": [{"name": "page_view"}] * 3}).encode(), BROWSER, NOW)
    assert caught.value.field == "events"
    parsed = small.ga4(json.dumps({"events": [{"name": "x", "params": {"a": "x" * 1100}}]}).encode(), BROWSER, NOW)
    assert parsed.errors[0].code == "too-large"
    with pytest.raises(TooLargeError):
        small.own("X", {"a": "x" * 1100}, SHOP, NOW)


def test_the_shops_code_may_hand_over_its_own_types():
    parsed = INTAKE.own(
        "Order Completed",
        {
            "order_id": UUID(int=1),
            "total": Decimal("9.50"),
            "at": datetime(2026, 3, 1, tzinfo=UTC),
            "products": ({"product_id": 5, "price": Decimal("9.50")},),
            "message_id": "order-1",
        },
        SHOP,
        NOW,
    )
    (event,) = parsed.events
    assert (event.profile_id, event.message_id, event.source) == ("u:7", "order-1", "shop")
    assert (event.products[0].product_id, event.products[0].price) == ("5", 9.5)
    assert event.properties == {"order_id": str(UUID(int=1)), "total": "9.50", "at": "2026-03-01T00:00:00Z"}


@pytest.mark.parametrize("properties", [{"a": object()}, {"a": {1j: 2}}, {"a": chr(0xD800)}])
def test_what_json_cannot_hold_is_refused(properties):
    with pytest.raises(InputError) as caught:
        INTAKE.own("X", properties, SHOP, NOW)
    assert caught.value.field == "properties"


def test_the_senders_words_are_not_changed():
    given = {"product_id": "a", "products": [{"product_id": "b"}], "message_id": "m", "email": "a@b.de"}
    copy = json.dumps(given)
    INTAKE.own("Product Viewed", given, SHOP, NOW)
    assert json.dumps(given) == copy


@pytest.mark.parametrize("name", ["Order Completed", "purchase", "refund", "Order Cancelled"])
def test_orders_are_told_by_the_shop(name):
    body = msgspec.json.encode({"event": name, "properties": {"product_id": "p", "order_id": "1"}})
    for sender, kept in ((BROWSER, 0), (SHOP, 1)):
        parsed = Intake(Settings()).segment("track", body, sender, NOW)
        assert len(parsed.events) == kept
        assert [dropped.reason for dropped in parsed.dropped] == ["order"] * (1 - kept)
    assert len(Intake(Settings(browser_orders=True)).segment("track", body, BROWSER, NOW).events) == 1

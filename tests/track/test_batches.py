"""A batch is its calls: reading them together changes nothing of any."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError
from mtp_plugin.profile.enrich.arrival import ArrivalEnricher
from mtp_plugin.profile.enrich.browser import BrowserEnricher
from mtp_plugin.profile.enrich.chain import Enrichment
from mtp_plugin.profile.enrich.clock import ClockEnricher
from mtp_plugin.profile.enrich.null import NoPlaces
from mtp_plugin.records import ConsentLevel, Signals
from mtp_plugin.track.bodies import Call, PlainCall, decode_good
from mtp_plugin.track.intake import Intake, Parsed, Sender
from mtp_plugin.track.told import ALIKE_S, Moments

from .test_intake import SENDERS, SERVER, values

NOW = 1_772_368_200.0
DESCRIBE = Enrichment([BrowserEnricher(), ClockEnricher("Europe/Berlin"), ArrivalEnricher()], NoPlaces()).of_event
INTAKE = Intake(Settings(), DESCRIBE)
LARGE = Intake(Settings(event_max_kb=64), DESCRIBE)
AGENTS = (
    "",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1",
    "Mozilla/5.0 (X11; Linux) Firefox/120.0",
)

contexts = st.one_of(
    st.none(),
    values,
    st.fixed_dictionaries(
        {},
        optional={
            "timezone": st.sampled_from(["Asia/Kathmandu", "America/New_York", "nowhere", "", 5]),
            "userAgent": st.sampled_from(AGENTS),
            "page": st.one_of(
                values, st.fixed_dictionaries({"path": st.just("/p?a=1"), "search": st.just("?utm_source=x")})
            ),
            "campaign": st.fixed_dictionaries({"source": st.sampled_from(["news", "a@b.example", 3])}),
            "locale": st.sampled_from(["de-DE", 1]),
        },
    ),
)
calls = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "page", "identify", "group", "?"])},
    optional={
        "event": st.sampled_from(["Product Viewed", "order completed", "Quiz", "", 3]),
        "userId": st.sampled_from(["anna", "", 7, None]),
        "anonymousId": st.sampled_from(["b1", "", None, []]),
        "messageId": st.sampled_from(["m1", "", "\n", None]),
        "timestamp": st.one_of(
            st.integers(int(NOW) - 90_000, int(NOW)), st.sampled_from(["2026-03-01T12:00:00Z", "x", None])
        ),
        "sentAt": st.sampled_from([int(NOW) - 50, None, "", "x"]),
        "properties": st.one_of(
            values, st.fixed_dictionaries({"product_id": st.just("mug"), "email": st.just("a@b.example")})
        ),
        "traits": values,
        "context": contexts,
    },
)


def told(parsed: Parsed) -> list[object]:
    """What became of the calls, but for ids that are made by chance and by place."""
    kept = [
        (e.name, e.profile_id, e.timestamp, e.message_id, e.products, e.properties, e.traits, e.context)
        for e in parsed.events
    ]
    return [*kept, *((d.message_id, d.reason) for d in parsed.dropped), *((e.code, e.message) for e in parsed.errors)]


def alone(intake: Intake, call: object, sender: Sender) -> list[object]:
    return told(intake.segment("batch", json.dumps({"batch": [call]}).encode(), sender, NOW))


@given(st.lists(calls, max_size=6), st.sampled_from(SENDERS))
def test_a_batch_is_its_calls_one_by_one(some, sender):
    together = INTAKE.segment("batch", json.dumps({"batch": some}).encode(), sender, NOW)
    apart = [one for call in some for one in alone(INTAKE, call, sender)]
    assert sorted(map(repr, told(together))) == sorted(map(repr, apart))


@given(st.lists(st.one_of(calls, values), max_size=4), st.one_of(st.none(), st.just("2026-03-01T12:00:01Z")), contexts)
def test_a_batch_too_large_for_one_look_says_the_same(some, sent_at, context):
    """A body larger than an event may be is taken apart first, and each event is weighed."""
    whole = {"batch": some, "sentAt": sent_at, "context": context}
    small = json.dumps(whole).encode()
    large = json.dumps({**whole, "padding": "x" * 64 * 1024}).encode()

    def read(body: bytes) -> list[object]:
        try:
            return told(LARGE.segment("batch", body, SERVER, NOW))
        except InputError as error:
            return [error.code, error.field]

    assert repr(read(small)) == repr(read(large))


members = st.one_of(
    st.sampled_from(["", "red", "Müller", "x\x00y", "a@b.example", "\\u0040", "x" * 2000, "x" * 2001]),
    st.sampled_from([0, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 1.5, True, False, None]),
    st.sampled_from(
        [[], ["a@b.example"], [2**64], {}, {"email": "x"}, {"size": "x\x00"}, [[[[[[[[1]]]]]]]], [1] * 251]
    ),
)
names = st.sampled_from(
    ["product_id", "price", "quantity", "url", "search", "products", "color", "e-mail", "a@b.example", "x\x00", "é", ""]
)
properties = st.one_of(
    st.dictionaries(names, members, max_size=6),
    st.just({f"k{n}": 1 for n in range(201)}),
    st.lists(members, max_size=2),
)


@given(st.lists(properties, min_size=1, max_size=4))
def test_plain_properties_are_read_as_all_are(some):
    """Where no text of a body needs to be cleaned its properties are checked while they are decoded."""
    batch = [{"type": "track", "event": "Quiz", "userId": "anna", "properties": one} for one in some]
    found = [
        told(INTAKE.segment("batch", json.dumps({"batch": batch, **more}).encode(), SERVER, NOW))
        for more in ({}, {}, {"sign": "@"})
    ]
    assert repr(found[0]) == repr(found[1]) == repr(found[2])
    assert "a@b" not in repr(found)


def test_properties_are_checked_while_they_are_decoded_where_their_body_is_plain():
    call = {"type": "track", "event": "Quiz", "userId": "anna", "properties": {"color": "Müller"}}
    plain = json.dumps({"batch": [call]}).encode()
    assert type(decode_good(plain).batch[0]) is PlainCall
    for text in ("a@b.example", "x\x00"):
        whole = json.dumps({"batch": [{**call, "properties": {"color": text}}]})
        for body in (whole, whole.replace("@", "\\u0040")):
            assert type(decode_good(body.encode()).batch[0]) is Call


def test_what_servers_say_of_moments_is_described_once_for_all_bodies_but_never_with_an_address():
    asked: list[str] = []

    def describe(signals: Signals, address: str = "") -> dict[str, str]:
        asked.append(address)
        return {"device": "phone"}

    intake = Intake(Settings(), describe)
    for context in ({"userAgent": "a"}, {"userAgent": "a"}, {"ip": "1.1.1.1"}, {"ip": "1.1.1.1"}):
        call = {"type": "track", "event": "Quiz", "userId": "anna", "context": context}
        parsed = intake.segment("batch", json.dumps({"batch": [call]}).encode(), SERVER, NOW)
        assert parsed.events[0].context["device"] == "phone"
    assert asked == ["", "1.1.1.1", "1.1.1.1"]


def test_moments_alike_are_described_once_and_others_apart():
    asked: list[tuple[float, str, str]] = []

    def describe(signals: Signals, address: str = "") -> dict[str, str]:
        asked.append((signals.at, signals.user_agent, address))
        return {"device": signals.user_agent}

    moments = Moments(describe, SERVER)
    quarter = 1000 * ALIKE_S
    kept = [
        moments.kept({"userAgent": agent, "ip": address}, at)
        for agent, address, at in (
            ("a", "1.1.1.1", quarter),
            ("a", "1.1.1.1", quarter + ALIKE_S - 1),
            ("a", "2.2.2.2", quarter),
            ("b", "1.1.1.1", quarter),
            ("b", "1.1.1.1", quarter + ALIKE_S),
        )
    ]
    assert [one["device"] for one in kept] == ["a", "a", "a", "b", "b"]
    expected = [("a", "1.1.1.1"), ("a", "2.2.2.2"), ("b", "1.1.1.1"), ("b", "1.1.1.1")]
    assert [one[1:] for one in asked] == expected
    kept[0]["device"] = "changed"
    assert kept[1]["device"] == "a"


def test_a_visitors_own_headers_are_not_taken_from_what_its_page_says():
    agents: list[str] = []

    def describe(signals: Signals, address: str = "") -> dict[str, str]:
        agents.append(signals.user_agent + address)
        return {}

    signals = Signals(at=NOW, user_agent="header")
    browser = Sender(kind="browser", profile_id="a:1", consent=ConsentLevel.FULL, signals=signals)
    Moments(describe, browser).kept({"userAgent": "said", "ip": "1.1.1.1"}, NOW)
    assert agents == ["header"]


def test_contexts_as_deep_as_json_may_be_are_told_apart():
    depth = 600
    deep = "[" * depth + "]" * depth
    call = f'{{"type": "track", "event": "X", "userId": "1", "context": {{"locale": "de", "x": {deep}}}}}'
    parsed = INTAKE.segment("batch", f'{{"batch": [{call}, {call}]}}'.encode(), SERVER, NOW)
    assert [event.context["locale"] for event in parsed.events] == ["de", "de"]

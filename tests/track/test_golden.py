"""Bodies and what becomes of them, as JSON: ``tests/golden/events/*.json``.

A case holds the call, the sender and the body (a text is sent as it is), and in ``expected`` either ``error`` (code,
status and field of the whole body) or ``events``, ``dropped`` (index, message id, reason) and ``errors`` (index, code,
field). Of an event the named fields are compared; ``kept`` are some of its properties, ``ago`` are the seconds between
its time and that of its receipt.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError
from mtp_plugin.records import EventProduct
from mtp_plugin.track.clock import parse_time
from mtp_plugin.track.intake import Intake, Sender

GOLDEN = Path(__file__).parents[1] / "golden" / "events"
NOW = parse_time("2026-03-01T12:30:00Z", "now")
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['title']}")
    for path in sorted(GOLDEN.glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]


def take(case):
    body = case["body"] if isinstance(case["body"], str) else json.dumps(case["body"])
    sender = msgspec.convert(case["sender"], Sender)
    intake = Intake(Settings(browser_orders=True))
    if case["call"] == "ga4":
        return intake.ga4(body.encode(), sender, NOW)
    return intake.segment(case["call"], body.encode(), sender, NOW)


def agrees(event, expected):
    found = json.loads(msgspec.json.encode(event))
    for field, value in expected.items():
        if field == "ago":
            assert event.received_at - event.timestamp == pytest.approx(value)
        elif field == "products":
            assert event.products == msgspec.convert(value, tuple[EventProduct, ...])
        elif field == "kept":
            assert {name: event.properties.get(name) for name in value} == value
        elif field == "absent":
            assert not set(value) & set(event.properties)
        else:
            assert found.get(field, "") == value, field


@pytest.mark.parametrize("case", CASES)
def test_case(case):
    expected = case["expected"]
    if "error" in expected:
        with pytest.raises(InputError) as caught:
            take(case)
        assert [caught.value.code, caught.value.status, caught.value.field] == expected["error"]
        assert caught.value.message
        return
    parsed = take(case)
    assert [[d.index, d.message_id, d.reason] for d in parsed.dropped] == expected.get("dropped", [])
    assert [[e.index, e.code, e.field] for e in parsed.errors] == expected.get("errors", [])
    assert len(parsed.events) == len(expected.get("events", []))
    for event, wanted in zip(parsed.events, expected.get("events", []), strict=True):
        agrees(event, wanted)
        assert event.received_at == NOW
        assert not event.permanent

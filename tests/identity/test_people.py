"""What events tell of who is who is looked at once, unless it may count for more the next time."""

from __future__ import annotations

import msgspec
import pytest

from mtp_plugin.people import People
from mtp_plugin.records import Event
from mtp_plugin.store.memory import MemoryIdentity

SIGN_IN = Event(
    event_id="1", name="Product Viewed", profile_id="u:1", timestamp=10.0, received_at=10.0, dedupe_key="1",
    user_id="1", anonymous_id="x",
)  # fmt: skip


@pytest.fixture
def people() -> People:
    return People(MemoryIdentity(16))


def sign_in(people: People, at: float, arrives: float) -> None:
    people.observe([msgspec.structs.replace(SIGN_IN, timestamp=at)], arrives)


def test_a_late_event_from_before_a_withdrawal_does_not_hide_the_next_one(people: People) -> None:
    sign_in(people, 10.0, 10.0)
    people.detach("a:x", "consent", 20.0, "visitor")
    sign_in(people, 15.0, 21.0)
    assert people.identity.cluster("u:1") == ("u:1",)
    sign_in(people, 30.0, 30.0)
    assert people.identity.cluster("u:1") == ("a:x", "u:1")


def test_what_is_known_is_not_asked_for_again(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(people, 10.0, 10.0)
    asked = []
    monkeypatch.setattr(people.identity, "claim", lambda *claim: asked.append(claim))
    sign_in(people, 11.0, 11.0)
    assert asked == []

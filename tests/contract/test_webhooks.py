"""What every box of webhooks promises."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.ports import Webhook, WebhookBox
from mtp_plugin.store.memory import MemoryWebhooks
from mtp_plugin.store.open import Stores
from mtp_plugin.store.sealed import Seal

from .conftest import DATABASES, settings_of


@pytest.fixture(params=("memory", *DATABASES))
def box(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> WebhookBox:
    if request.param == "memory":
        return MemoryWebhooks()
    return open_again(settings_of(request.param, request)).webhooks


def add(box: WebhookBox, name: str, now: float = 5.0, digest: bytes = b"") -> Webhook | None:
    mark = (digest or name.encode()).ljust(32)
    return box.add("erp", "order.paid", name, mark, b"body of " + name.encode(), now=now, next_try_at=now + 60)


def test_a_delivery_is_kept_once(box: WebhookBox) -> None:
    first = add(box, "d-1")
    assert first is not None
    assert (first.state, first.tries, first.next_try_at, first.profile_id) == ("new", 0, 65.0, "")
    assert box.body(first.webhook_id) == b"body of d-1"
    assert add(box, "d-1") is None
    assert add(box, "d-2", digest=b"d-1") is None, "the same body under another id"
    assert box.kept() == [first]
    assert box.get(first.webhook_id) == first
    assert box.get(99) is None
    assert box.body(99) is None


def test_what_is_due_is_what_waits(box: WebhookBox) -> None:
    one, two, three = (add(box, f"d-{number}", float(number)) for number in range(3))
    assert one
    assert two
    assert three
    box.finish(msgspec.structs.replace(two, state="done", profile_id="u:7", message="1 new event"))
    box.finish(msgspec.structs.replace(three, state="waiting", tries=1, next_try_at=500.0))
    assert [found.delivery_id for found in box.due(100.0, 10)] == ["d-0"]
    assert [found.delivery_id for found in box.due(1000.0, 10)] == ["d-0", "d-2"]
    assert len(box.due(1000.0, 1)) == 1
    assert [found.delivery_id for found in box.kept("done")] == ["d-1"]
    assert [found.message for found in box.of("u:7")] == ["1 new event"]


def test_who_is_erased_is_gone_from_bodies(box: WebhookBox) -> None:
    one, two = add(box, "d-1"), add(box, "d-2")
    assert one
    assert two
    box.finish(msgspec.structs.replace(one, state="dead", profile_id="u:7"))
    box.finish(msgspec.structs.replace(two, state="done", profile_id="u:8"))
    assert box.erase("u:7") == 1
    assert box.body(one.webhook_id) is None
    assert box.body(two.webhook_id) == b"body of d-2"
    assert box.of("u:7") == []
    assert box.kept("dead") == []
    assert add(box, "d-1") is None, "a repetition is still told"
    assert box.erase_source("erp") == 2
    assert box.body(two.webhook_id) is None
    assert box.erase("u:\0") == 0


def test_what_has_acted_leaves_no_body_and_the_old_goes(box: WebhookBox) -> None:
    one, two = add(box, "d-1", 5.0), add(box, "d-2", 50.0)
    assert one
    assert two
    box.finish(msgspec.structs.replace(one, state="done"), keep_body=False)
    assert box.body(one.webhook_id) is None
    assert box.purge(10.0) == 1
    assert box.kept() == [two]
    assert add(box, "d-1", 60.0) is not None


def test_bodies_are_sealed() -> None:
    old, new = Seal([b"old key"]), Seal([b"old key", b"new key"])
    assert new.works, "cryptography is installed for tests"
    closed = old.close(b"ada@example.com")
    assert b"ada" not in closed
    assert new.open(closed) == b"ada@example.com"
    assert Seal([b"new key"]).open(closed) is None
    plain = Seal([])
    assert plain.open(plain.close(b"x")) == b"x"
    assert plain.open(closed) is None

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mtp_plugin.bus.open import open_bus
from mtp_plugin.bus.stream import RedisStream
from mtp_plugin.bus.worker import Worker
from mtp_plugin.config import Settings
from mtp_plugin.web.collect import record_waiting
from tests.web.conftest import make_shop
from tests.web.shop import SECRET, Shop

__all__ = ["make_shop"]


@pytest.fixture
def stream(redis_url: str) -> Iterator[RedisStream]:
    """A stream with room for ten thousand events."""
    opened = open_bus(Settings(stream_url=redis_url, stream_max=10_000), lambda events: [])
    assert isinstance(opened, RedisStream)
    yield opened
    opened.close()


def drain(shop: Shop, **options: Any) -> Worker:
    """Let a worker record all that waits."""
    assert isinstance(shop.state.bus, RedisStream)
    worker = Worker(shop.state.bus, lambda events: record_waiting(shop.state, events), **options)
    with shop.app.app_context():
        worker.run(until_empty=True)
    return worker


def send(shop: Shop, calls: list[dict[str, Any]]) -> dict[str, Any]:
    """Send a batch as a server; gives the answer."""
    answer = shop.app.test_client().post("/mtp/v1/batch", json={"batch": calls}, auth=(SECRET, ""))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def view(number: int, user: str = "ada", **more: Any) -> dict[str, Any]:
    """A server's word that somebody looked at a product."""
    called = {"type": "track", "event": "Product Viewed", "userId": user, "messageId": f"m{number}"}
    return {**called, "properties": {"product_id": f"p{number % 100:03d}"}, **more}

"""Segment's official client against a running server, unchanged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from segment.analytics.client import Client
from werkzeug.serving import make_server

from ..web.shop import SECRET, Shop, build_shop


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Shop, str]]:
    shop = build_shop(tmp_path)
    server = make_server("127.0.0.1", 0, shop.app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield shop, f"http://127.0.0.1:{server.server_port}/mtp"
    server.shutdown()
    server.server_close()
    shop.state.close()


@pytest.mark.parametrize("gzip", [False, True])
def test_the_official_client_works_unchanged(served: tuple[Shop, str], gzip: bool) -> None:
    shop, host = served
    failed: list[object] = []
    client = Client(
        SECRET, host=host, gzip=gzip, on_error=lambda error, batch: failed.append(error), max_retries=1, timeout=30
    )
    client.identify("ada", {"email": "ada@example.com", "plan": "gold"})
    client.alias("browser-0", "ada")
    client.page("ada", "Shop", "Home", {"url": "https://shop.example/?q=secret"})
    client.screen("ada", "App", "Home")
    client.group("ada", "acme", {"size": 3})
    client.track("ada", "Product Viewed", {"product_id": "p001"}, anonymous_id="browser-1")
    order = {"order_id": "17", "revenue": 20.0, "products": [{"product_id": "p002", "quantity": 2, "price": 10.0}]}
    client.track("ada", "Order Completed", order, message_id="order-17")
    client.track("ada", "Order Completed", order, message_id="order-17")
    client.flush()
    client.join()
    assert failed == []
    state = shop.state
    (profile,) = state.journal.profiles(["u:ada"])
    assert profile is not None
    assert (profile.orders, profile.revenue, profile.traits["plan"]) == (1, 20.0, "gold")
    names = [event.name for event in state.journal.events_of("u:ada")]
    assert names == ["Identify", "Alias", "Page Viewed", "Product Viewed", "Order Completed"]
    kinds = {link.kind for link in state.people.identity.links_of("u:ada") if link.state == "active"}
    assert kinds == {"email", "alias", "sign-in", "order"}
    assert {"a:browser-0", "a:browser-1"} < set(state.people.resolve(["u:ada"]).profile_ids)


def test_a_wrong_key_is_told_to_the_client(served: tuple[Shop, str]) -> None:
    _, host = served
    failed: list[object] = []
    client = Client(
        "wrong-key", host=host, on_error=lambda error, batch: failed.append(error), max_retries=0, timeout=30
    )
    client.track("ada", "Product Viewed", {"product_id": "p001"})
    client.flush()
    client.join()
    assert len(failed) == 1
    assert "401" in str(failed[0])

"""Shopify's topics, with the bodies of Shopify's own schemas and with small ones."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.records import Profile

from .conftest import Sender


def profile(sender: Sender, profile_id: str) -> Profile:
    (found,) = sender.shop.state.journal.profiles([profile_id])
    assert found is not None
    return found


def order(number: int, customer: int | None = 7, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": number,
        "created_at": "2026-03-01T10:00:00Z",
        "currency": "EUR",
        "total_price": "30.00",
        "email": "ada@example.com",
        "line_items": [{"product_id": "p001", "quantity": 2, "price": "10.00"}, {"product_id": "p002", "quantity": 1}],
    }
    if customer:
        body["customer"] = {"id": customer, "email": "ada@example.com", "tags": "vip, blue"}
    return body | more


@pytest.mark.data
@pytest.mark.parametrize("name", ["orders/create", "checkouts/update"])
def test_bodies_of_shopifys_schemas(sender: Sender, test_data: Path, name: str) -> None:
    raw = (test_data / "webhooks" / "shopify" / f"{name.replace('/', '__')}.json").read_bytes()
    answer = sender.shopify(name, raw)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "done"})
    customer = json.loads(raw)["customer"]["id"]
    found = profile(sender, f"u:{customer}")
    assert found.events >= 1
    if name == "orders/create":
        assert (found.orders, found.revenue) == (1, float(json.loads(raw)["total_price"]))
    stored = repr([list(sender.shop.state.journal.events_of(f"u:{customer}")), found])
    for personal in ("@example.com", "Smith", "Elm St", "123-123-1234", "example-secret-token"):
        assert personal not in stored


@pytest.mark.data
def test_privacy_topics_act(sender: Sender, test_data: Path) -> None:
    folder = test_data / "webhooks" / "shopify"
    state = sender.shop.state
    sender.shopify("orders/create", order(299938, 191167, email="john@example.com"))
    sender.shopify("orders/create", order(280263, None, email="john@example.com"))
    sender.shopify("orders/create", order(5, 8, email="other@example.com"))
    guest = f"a:shopify/{state.hasher.email('john@example.com')}"
    assert profile(sender, guest).orders == profile(sender, "u:191167").orders == 1
    asked = sender.shopify("customers/data_request", (folder / "customers__data_request.json").read_bytes())
    assert asked.get_json() == {"status": "done"}
    (request,) = state.subjects.waiting()
    assert set(request.profile_ids) == {guest, "u:191167"}, "not the other customer"
    assert state.audit.latest(1)[0].action == "subject.export-asked"
    runner = sender.shop.app.test_cli_runner()
    line = runner.invoke(args=["mtp", "subject", "waiting"]).output
    assert request.request_id in line
    assert "191167" not in line
    state.subjects.resume()
    assert state.subjects.waiting() == [request], "the job of erasures leaves it to people"
    hand_out = ["mtp", "subject", "export", "--request", request.request_id]
    told = json.loads(runner.invoke(args=[*hand_out, "--json"]).stdout)
    assert {event["name"] for event in told["events"]["events"]} >= {"Order Completed"}
    assert {one["profile_id"] for one in told["events"]["profiles"]} == {guest, "u:191167"}
    assert state.subjects.waiting() == []
    assert state.subjects.get(request.request_id).profile_ids == (), "nothing in it names the customer any more"
    again = runner.invoke(args=hand_out)
    assert again.exit_code != 0
    assert "no such request waits" in again.output
    sender.shopify("customers/data_request", (folder / "customers__data_request.json").read_bytes() + b" ")
    assert len(state.subjects.waiting()) == 1
    erased = sender.shopify("customers/redact", (folder / "customers__redact.json").read_bytes())
    assert erased.get_json() == {"status": "done"}
    assert state.journal.profiles([guest, "u:191167"]) == [None, None]
    assert state.subjects.waiting() == [], "of who is erased nothing is left to hand out"
    assert list(state.journal.events_of("u:191167")) == list(state.journal.events_of(guest)) == []
    assert profile(sender, "u:8").orders == 1
    kept = [one.webhook_id for one in state.webhooks.kept() if one.topic == "customers/redact"]
    assert state.webhooks.body(kept[0]) is None, "the request itself names somebody"
    assert "191167" not in repr([state.webhooks.body(one.webhook_id) for one in state.webhooks.kept()])
    gone = sender.shopify("shop/redact", (folder / "shop__redact.json").read_bytes())
    assert gone.get_json() == {"status": "done"}
    assert state.journal.profiles(["u:8"]) == [None]


def test_an_order_its_refund_and_its_repetition(sender: Sender) -> None:
    assert sender.shopify("orders/create", order(1)).get_json() == {"status": "done"}
    assert sender.shopify("orders/create", order(1)).get_json() == {"status": "repeated"}
    assert sender.shopify("orders/paid", order(1)).get_json() == {"status": "done"}
    assert profile(sender, "u:7").orders == 1
    assert profile(sender, "u:7").traits["customer_tags"] == ["vip", "blue"]
    refund = {
        "id": 50,
        "order_id": 1,
        "created_at": "2026-03-02T10:00:00Z",
        "refund_line_items": [{"quantity": 1, "line_item": {"product_id": "p002", "price": "10.00"}}],
        "transactions": [{"amount": "10.00"}],
    }
    assert sender.shopify("refunds/create", refund).get_json() == {"status": "done"}
    found = profile(sender, "u:7")
    assert (found.revenue, {bought.product_id for bought in found.purchases}) == (20.0, {"p001"})
    assert sender.shopify("orders/cancelled", order(1, cancelled_at="2026-03-03T10:00:00Z")).status_code == 200
    assert profile(sender, "u:7").orders == 0


def test_a_refund_waits_for_its_order(sender: Sender) -> None:
    refund = {"id": 50, "order_id": 1, "transactions": [{"amount": "10.00"}], "created_at": "2026-03-02T10:00:00Z"}
    assert sender.shopify("refunds/create", refund).get_json() == {"status": "waiting"}
    sender.shopify("orders/create", order(1))
    (waiting,) = sender.shop.state.webhooks.kept("waiting")
    run = sender.shop.app.test_cli_runner().invoke(args=["mtp", "webhooks", "retry", str(waiting.webhook_id), "--json"])
    assert json.loads(run.stdout)["webhooks"][0]["state"] == "done"
    assert profile(sender, "u:7").revenue == 20.0


def test_a_guest_becomes_the_account_with_the_address(sender: Sender) -> None:
    sender.shopify("orders/create", order(1, None))
    sender.shopify("customers/create", {"id": 7, "email": "Ada@Example.com", "created_at": "2026-03-02T10:00:00Z"})
    people = sender.shop.state.people
    guest = f"a:shopify/{sender.shop.state.hasher.email('ada@example.com')}"
    assert guest in people.resolve(["u:7"]).profile_ids


def test_who_refused_is_not_recorded(sender: Sender) -> None:
    browser = sender.shop.browser()
    browser.get("/sign-in/7")
    browser.agree(False)
    assert sender.shopify("orders/create", order(1)).get_json() == {"status": "done"}
    assert sender.shop.state.journal.profiles(["u:7"]) == [None]


def test_products_come_change_and_go(sender: Sender) -> None:
    body = {
        "id": 632910392,
        "handle": "oak-cup",
        "title": "Oak cup",
        "vendor": "Acme",
        "product_type": "Cups",
        "tags": "oak, new",
        "status": "active",
        "published_at": "2026-01-01T00:00:00Z",
        "options": [{"name": "Size"}],
        "variants": [
            {"sku": "oak-s", "price": "12.00", "compare_at_price": "15.00", "option1": "S"},
            {
                "sku": "oak-l",
                "price": "14.00",
                "option1": "L",
                "inventory_management": "shopify",
                "inventory_quantity": 3,
            },
        ],
        "image": {"src": "https://cdn.example/oak.jpg"},
    }
    store = sender.shop.state.catalog_store
    assert sender.shopify("products/create", body).get_json() == {"status": "done"}
    made = store.get(["oak-cup"])["oak-cup"]
    assert (made.title, made.price, made.sale_price, made.currency) == ("Oak cup", 15.0, 12.0, "USD")
    assert [variant.variant_id for variant in made.variants] == ["oak-s", "oak-l"]
    sender.shop.state.pipeline.live.refresh()
    line = {"product_id": 632910392, "quantity": 1}
    sender.shopify("orders/create", order(9, line_items=[line, {"product_id": None, "sku": "oak-l", "quantity": 1}]))
    assert {bought.product_id for bought in profile(sender, "u:7").purchases} == {"oak-cup"}
    sender.shopify("products/update", {**body, "status": "draft"})
    assert store.get(["oak-cup"])["oak-cup"].hidden
    sender.shopify("products/update", {**body, "tags": "back"})
    assert not store.get(["oak-cup"])["oak-cup"].hidden
    sender.shop.state.pipeline.live.refresh()
    assert sender.shopify("products/delete", {"id": 632910392}).get_json() == {"status": "done"}
    assert store.get(["oak-cup"])["oak-cup"].hidden


def test_a_topic_that_nobody_reads_is_ignored(sender: Sender) -> None:
    assert sender.shopify("themes/publish", {"id": 1}).get_json() == {"status": "ignored"}
    assert sender.shopify("orders/create", order(3, line_items=[], customer=None)).get_json() == {"status": "done"}
    assert sender.shopify("checkouts/update", {"token": "t", "line_items": []}).get_json() == {"status": "ignored"}


def test_a_body_under_a_privacy_topic_that_is_not_of_it_does_nothing(sender: Sender) -> None:
    sender.shopify("orders/create", order(1))
    assert sender.shopify("customers/redact", order(1)).get_json() == {"status": "dead"}
    assert sender.shopify("shop/redact", order(1, shop_id=1, shop_domain="x")).get_json() == {"status": "dead"}
    assert profile(sender, "u:7").orders == 1


def test_old_deliveries_are_refused(sender: Sender) -> None:
    def at(seconds: float) -> dict[str, str]:
        return {"X-Shopify-Triggered-At": datetime.fromtimestamp(seconds, UTC).isoformat()}

    now = time.time()
    assert sender.shopify("orders/create", order(1), **at(now - 3 * 86400)).status_code == 401
    assert sender.shopify("orders/create", order(1), **at(now + 3600)).status_code == 401
    assert sender.shopify("orders/create", order(1), **at(now - 3600)).status_code == 200

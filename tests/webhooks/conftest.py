"""A shop that takes webhooks, and senders that sign them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.track.webhooks.signature import sign

from ..web.shop import Shop, build_shop

SECRET, OTHER = "shopify secret", "another secret"
ERP = {
    "kind": "mapped",
    "secrets": ["secret of the erp"],
    "map": {
        "event": "type",
        "events": {"order.paid": "Order Completed", "order.returned": "Order Refunded", "lead": "Identify"},
        "user_id": "customer.number",
        "email": "customer.mail",
        "key": "id",
        "timestamp": "at",
        "products": "lines",
        "product": {"product_id": "article", "quantity": "pieces", "price": "unit_price"},
        "properties": {"order_id": "number", "total": "sum", "channel": {"value": "erp"}},
        "traits": {"club": "customer.club"},
    },
}


@dataclass
class Sender:
    """Posts bodies to a shop as the source does."""

    shop: Shop

    def shopify(self, topic: str, body: dict[str, Any] | bytes, secret: str = SECRET, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        signature = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
        sent = {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": topic, **headers}
        return self.post("shopify", raw, sent)

    def erp(self, body: dict[str, Any], at: float | None = None) -> Any:
        raw = json.dumps(body).encode()
        return self.post("erp", raw, {"X-Mtp-Signature": sign(ERP["secrets"][0], raw, at or time.time())})

    def post(self, source: str, raw: bytes, headers: dict[str, str]) -> Any:
        address = f"/mtp/v1/webhooks/{source}"
        return self.shop.app.test_client().post(address, data=raw, headers=headers, content_type="application/json")

    def said(self) -> list[tuple[str, str]]:
        """What became of deliveries, oldest first."""
        return [(one.topic, one.state) for one in reversed(self.shop.state.webhooks.kept())]


@pytest.fixture
def make_sender(tmp_path: Path) -> Iterator[Callable[..., Sender]]:
    shops: list[Shop] = []

    def make(**config: Any) -> Sender:
        folder = tmp_path / str(len(shops))
        folder.mkdir()
        webhooks = {"shopify": {"kind": "shopify", "secrets": [OTHER, SECRET]}, "erp": ERP}
        shops.append(build_shop(folder, **{"webhooks": webhooks, **config}))
        return Sender(shops[-1])

    yield make
    for shop in shops:
        shop.state.close()


@pytest.fixture
def sender(make_sender: Callable[..., Sender]) -> Sender:
    return make_sender()

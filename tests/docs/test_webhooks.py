"""The page on webhooks: its configuration is taken, its tables are what there is."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
import segment.analytics
from werkzeug.serving import make_server

from mtp_plugin import MTP, receiving
from mtp_plugin.extension import standard_jobs_of
from mtp_plugin.track.webhooks.shopify import TOPICS
from mtp_plugin.track.webhooks.signature import sign
from mtp_plugin.track.webhooks.sources import Source

from ..core.shops import bare_app
from .fences import blocks, names, rows


def test_the_sources_shown_are_taken(tmp_path: Path) -> None:
    app = bare_app(tmp_path)
    code, *_ = blocks("webhooks.md", "python")
    exec(compile(code, "docs", "exec"), {"app": app})
    MTP(app)
    lines = [{"article": "p1", "pieces": 2, "unit_price": 9.5}]
    order = {"id": "e1", "type": "order.paid", "number": "17", "sum": 19, "customer": {"number": 7}, "lines": lines}
    body = json.dumps(order).encode()
    headers = {"X-Mtp-Signature": sign("a long random string", body, time.time())}
    answer = app.test_client().post("/mtp/v1/webhooks/erp", data=body, headers=headers)
    assert answer.get_json() == {"status": "done"}
    state = app.extensions["mtp"]
    (profile,) = state.journal.profiles(["u:7"])
    assert (profile.orders, profile.revenue) == (1, 19.0)
    state.close()


def test_a_source_of_orders(tmp_path: Path) -> None:
    _, code, _ = blocks("webhooks.md", "python")
    app, mtp = bare_app(tmp_path), MTP()
    lines = [SimpleNamespace(sku="p1", pieces=2, price=Decimal("9.50"))]
    when = datetime(2026, 3, 1, tzinfo=UTC)
    order = SimpleNamespace(number=17, customer_id=7, email="ada@example.com", placed_at=when, changed_at=when)
    order.status, order.total, order.lines = "paid", Decimal(19), lines
    asked: list[datetime] = []

    class Changed:
        """Stands for the shop's own model: a column that compares, a query that filters and orders."""

        def __ge__(self, since: datetime) -> bool:
            asked.append(since)
            return True

    query = SimpleNamespace(filter=lambda condition: SimpleNamespace(order_by=lambda column: [order]))
    model = SimpleNamespace(changed_at=Changed(), query=query)
    exec(compile(code, "docs", "exec"), {"mtp": mtp, "Order": model, "datetime": datetime, "UTC": UTC})
    mtp.init_app(app)
    state = app.extensions["mtp"]
    assert standard_jobs_of(state).all["orders-erp"].run() == "1 rows read, 2 events added, 0 of customers who refused"
    assert asked == [datetime.fromtimestamp(0, UTC)]
    (profile,) = state.journal.profiles(["u:7"])
    assert (profile.orders, profile.revenue) == (1, 19.0)
    state.close()


def test_segments_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    *_, code = blocks("webhooks.md", "python")
    app = bare_app(tmp_path, MTP_SECRET_KEYS=["sk_yours"])
    MTP(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    shown = "https://shop.example/mtp"
    assert shown in code
    exec(compile(code.replace(shown, f"http://127.0.0.1:{server.server_port}/mtp"), "docs", "exec"), {})
    segment.analytics.join()
    monkeypatch.setattr(segment.analytics, "default_client", None)
    server.shutdown()
    server.server_close()
    state = app.extensions["mtp"]
    (profile,) = state.journal.profiles(["u:anna-7"])
    assert profile.orders == 1
    state.close()


def test_every_option_is_listed() -> None:
    listed = {name for row in rows("webhooks.md", "option") for name in names(row[0])}
    assert listed == set(Source.__struct_fields__)


def test_every_topic_is_listed() -> None:
    assert {topic for row in rows("webhooks.md", "topic") for topic in names(row[0])} == set(TOPICS)


def test_tries_are_as_told() -> None:
    assert (receiving.PAUSES[:2], receiving.PAUSES[-1], len(receiving.PAUSES)) == ((60.0, 240.0), 86400.0, 8)

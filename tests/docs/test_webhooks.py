"""The page on webhooks: its configuration is taken, its tables are what there is."""

from __future__ import annotations

import json
import time
from pathlib import Path

from mtp_plugin import MTP, receiving
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


def test_every_option_is_listed() -> None:
    listed = {name for row in rows("webhooks.md", "option") for name in names(row[0])}
    assert listed == set(Source.__struct_fields__)


def test_every_topic_is_listed() -> None:
    assert {topic for row in rows("webhooks.md", "topic") for topic in names(row[0])} == set(TOPICS)


def test_tries_are_as_told() -> None:
    assert (receiving.PAUSES[:2], receiving.PAUSES[-1], len(receiving.PAUSES)) == ((60.0, 240.0), 86400.0, 8)

"""What ``evaluate`` measures is what serves: the same lists over HTTP, on 200 prefixes of real sessions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import requests
from werkzeug.serving import make_server

from mtp_plugin import Product
from mtp_plugin.candidates.log import TrainingLog
from mtp_plugin.candidates.train import Learnt, train
from mtp_plugin.catalog.table import build_table
from mtp_plugin.evaluate.read import read_cases, read_sessions
from mtp_plugin.evaluate.sessions import open_learnt
from mtp_plugin.records import Query, Strategy

from ..core.shops import mounted

CASES = 200
SESSIONS = 20_000
KEY = "sk_same_lists"


@pytest.fixture(scope="module")
def learnt(test_data: Path) -> tuple[Learnt, TrainingLog]:
    """Learnt from the last sessions of the training file: enough to be the real thing, quick enough for every run."""
    rows, timed = read_sessions(test_data / "retailrocket_sessions" / "sessions_train.csv.gz")
    wanted: dict[str, None] = {}
    for row in reversed(rows):
        if row[0] not in wanted and len(wanted) == SESSIONS:
            break
        wanted[row[0]] = None
    log = TrainingLog.from_sessions([row for row in rows if row[0] in wanted], timed=timed)
    return train(log, seed=0), log


@pytest.fixture
def served(learnt: tuple[Learnt, TrainingLog], tmp_path: Path) -> Iterator[str]:
    """The address of a running shop with these products and this model."""
    made, log = learnt
    products = [Product(product_id=item, title="") for item in log.items]
    app, state = mounted(
        tmp_path,
        MTP_SECRET_KEYS=[KEY],
        MTP_PLACEMENTS={"next": {"strategies": ["recommended-for-you"], "size": 20}},
        MTP_LATENCY_BUDGET_MS=5000,
    )
    # The data have ids alone; a file without titles would be refused by the importer, so the store is filled directly.
    state.catalog_store.import_products(products, hide_missing=True)
    state.registry.publish("behaviour", made.arrays, made.strings, made.meta)
    state.pipeline.live.refresh()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mtp/v1"
    server.shutdown()
    thread.join()
    server.server_close()
    state.close()


def test_the_same_lists_over_http(learnt: tuple[Learnt, TrainingLog], served: str, test_data: Path) -> None:
    made, log = learnt
    # Rows as the store gives them, so that equals are ranked alike.
    recommender = open_learnt(made, build_table([Product(product_id=item, title="") for item in sorted(log.items)], 1))
    index = recommender.table.index
    cases = [
        prefix
        for prefix, _ in read_cases(test_data / "retailrocket_sessions" / "test_cases.csv.gz")
        if len(prefix) <= 40 and all(item in index for item in prefix)
    ]
    chosen = np.random.default_rng(7).choice(len(cases), CASES, replace=False)
    with requests.Session() as http:
        http.auth = (KEY, "")
        for place in chosen:
            prefix = cases[place]
            send(http, served, f"case-{place}", prefix)
            answer = http.get(
                f"{served}/recommendations", params={"placement": "next", "user_id": f"case-{place}"}, timeout=30
            )
            assert answer.status_code == 200, answer.text
            query = Query(now=log.end, session=tuple(index[item] for item in prefix))
            measured = recommender.candidates(Strategy.RECOMMENDED_FOR_YOU, query, 20)
            expected = [recommender.table.products[row].product_id for row in measured.rows.tolist()]
            assert [item["product_id"] for item in answer.json()["items"]] == expected, prefix


def send(http: requests.Session, served: str, user_id: str, prefix: list[str]) -> None:
    """Tell of the views of a prefix, a second apart, the last just now."""
    now = time.time()
    batch = [
        {
            "type": "track",
            "event": "Product Viewed",
            "userId": user_id,
            "messageId": f"{user_id}-{place}",
            "timestamp": now - len(prefix) + place,
            "properties": {"product_id": item},
        }
        for place, item in enumerate(prefix)
    ]
    answer = http.post(f"{served}/batch", json={"batch": batch}, timeout=30)
    assert answer.json() == {"accepted": len(prefix), "dropped": [], "errors": []}

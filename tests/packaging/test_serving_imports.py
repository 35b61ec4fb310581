"""A process that serves loads nothing that only training, evaluation or imports of files need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from secrets import token_hex

import pytest
from msgspec import structs

from mtp_plugin.training import train_behaviour, train_content

from ..candidates.shop import events, products
from ..core.shops import mounted

ROOT = Path(__file__).parents[2]

SERVE = """
import json, sys
from flask import Flask
from mtp_plugin import MTP
app = Flask("shop", instance_path=sys.argv[1])
app.secret_key = "a secret key of a test, long enough"
app.config["MTP_REGIME"] = "opt-out"
MTP(app)
client = app.test_client()
browser = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140", "Sec-Fetch-Site": "same-origin"}
seen = {"event": "Product Viewed", "properties": {"product_id": "p001"}}
assert client.post("/mtp/v1/track", json=seen, headers=browser).json["accepted"] == 1
answer = client.get("/mtp/v1/recommendations?placement=home-hero", headers=browser).json
block = client.get("/mtp/v1/blocks/home-hero", headers=browser)
print(json.dumps({"answer": answer, "block": block.text, "modules": sorted(sys.modules)}))
"""

# numba itself loads scipy and the BLAS in scipy.linalg where they are installed; our code asks for no part of scipy.
UNWANTED = (
    "sklearn", "scipy.sparse", "scipy.optimize", "scipy.special", "scipy.stats", "pandas", "pyarrow",
    "mtp_plugin.candidates.learn", "mtp_plugin.candidates.train", "mtp_plugin.candidates.log",
    "mtp_plugin.candidates.counts", "mtp_plugin.candidates.forget", "mtp_plugin.training", "mtp_plugin.evaluate",
    "mtp_plugin.kpi.anomaly", "mtp_plugin.alerts", "smtplib", "mtp_plugin.segmenting", "mtp_plugin.segment.learn",
)  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a fresh process answers a visitor of a shop with trained models, and what it has loaded."""
    folder = tmp_path_factory.mktemp("shop")
    app, state = mounted(folder)
    with app.app_context():
        state.catalog_store.import_products(products(), hide_missing=True)
        state.pipeline.ingest([structs.replace(one, event_id=token_hex(16)) for one in events()])
        table = state.pipeline.live.refresh().table
        train_content(state.registry, table, seed=0, progress=print)
        train_behaviour(state.journal, state.registry, table, now=1e7, seed=0, progress=print)
    state.close()
    done = subprocess.run(
        [sys.executable, "-c", SERVE, app.instance_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_serves_from_the_trained_model(served: dict) -> None:
    assert served["answer"]["model_version"]
    assert served["answer"]["items"]
    assert served["answer"]["strategy"] == "recommended-for-you"
    assert served["answer"]["items"][0]["product_id"] in served["block"]


@pytest.mark.parametrize("name", UNWANTED)
def test_it_does_not_load(served: dict, name: str) -> None:
    assert [module for module in served["modules"] if module == name or module.startswith(f"{name}.")] == []

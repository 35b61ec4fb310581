"""Ranking quality on real files: floors under what docs/quality.md tells."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mtp_plugin.evaluate.baskets import evaluate_baskets
from mtp_plugin.evaluate.sessions import evaluate_sessions

pytestmark = pytest.mark.data


def data(name: str) -> Path:
    """A file of the real data; skipped without the data, failing where it should be and is not."""
    folder = os.environ.get("MTP_TEST_DATA")
    if not folder:
        pytest.skip("MTP_TEST_DATA is not set")
    path = Path(folder) / name
    assert path.exists(), f"MTP_TEST_DATA is set, but there is no {path}"
    return path


def test_sessions() -> None:
    found = evaluate_sessions(
        data("retailrocket_sessions/sessions_train.csv.gz"),
        data("retailrocket_sessions/test_cases.csv.gz"),
    )
    metrics = found["metrics"]
    assert metrics["hr@20"] >= 0.595
    assert metrics["mrr@20"] >= 0.331
    assert metrics["novel"]["hr@20"] >= 0.383
    assert metrics["novel"]["mrr@20"] >= 0.146
    for name, baseline in found["baselines"].items():
        assert metrics["mrr@20"] > baseline["mrr@20"], name
        assert metrics["novel"]["hr@20"] > baseline["novel"]["hr@20"], name


def test_baskets() -> None:
    found = evaluate_baskets(data("online_retail/online_retail.csv.gz"), format="online-retail")
    metrics = found["metrics"]
    assert metrics["next_basket"]["recall@20"] >= 0.298
    assert metrics["next_basket"]["ndcg@20"] >= 0.329
    assert metrics["next_basket_new"]["recall@20"] >= 0.154
    assert metrics["next_basket_new"]["ndcg@20"] >= 0.141
    assert metrics["completion"]["hr@20"] >= 0.414
    assert metrics["completion"]["mrr@20"] >= 0.163
    for name, baseline in found["baselines"].items():
        assert metrics["next_basket"]["recall@20"] > baseline["next_basket"]["recall@20"], name
        assert metrics["completion"]["mrr@20"] > baseline["completion"]["mrr@20"], name

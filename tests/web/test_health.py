"""Health, figures, and what they do not tell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtp_plugin.records import ConsentLevel, Slate
from mtp_plugin.web.metrics import MOST_UNCOUNTED, Metrics

from .shop import SECRET, Shop


def test_live_and_ready(shop: Shop) -> None:
    client = shop.app.test_client()
    assert client.get("/mtp/health/live").get_json() == {"status": "ok"}
    answer = client.get("/mtp/health/ready")
    assert answer.status_code == 200
    assert set(answer.get_json()["checks"].values()) == {"ok"}


def raises() -> str:
    raise OSError("postgresql://user:hunter2@db")


@pytest.mark.parametrize("probe", [lambda: "postgresql://user:hunter2@db refuses", raises])
def test_what_is_wrong_is_named_and_not_told(shop: Shop, probe: Callable[[], str]) -> None:
    shop.state.probes["database"] = probe
    answer = shop.app.test_client().get("/mtp/health/ready")
    assert answer.status_code == 503
    assert answer.get_json()["status"] == "failing"
    assert answer.get_json()["checks"]["database"] == "failing"
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("name", ["redis", "models"])
@pytest.mark.parametrize("probe", [lambda: "redis://:hunter2@cache is away", raises])
def test_what_only_degrades_keeps_the_worker_in_service(shop: Shop, name: str, probe: Callable[[], str]) -> None:
    shop.state.probes[name] = probe
    answer = shop.app.test_client().get("/mtp/health/ready")
    assert answer.status_code == 200
    assert answer.get_json()["status"] == answer.get_json()["checks"][name] == "degraded"
    assert "hunter2" not in answer.text
    shop.state.probes["database"] = raises
    answer = shop.app.test_client().get("/mtp/health/ready")
    assert (answer.status_code, answer.get_json()["status"]) == (503, "failing")


def figures(shop: Shop) -> str:
    return shop.app.test_client().get("/mtp/metrics", headers={"Authorization": f"Bearer {SECRET}"}).text


def test_metrics_count(shop: Shop) -> None:
    browser = shop.browser().agree()
    browser.view("p001")
    browser.get("/mtp/v1/recommendations?placement=home-hero")
    browser.get("/mtp/v1/recommendations?placement=nope")
    text = figures(shop)
    assert 'mtp_events_total{app="shop",outcome="accepted"} 1.0' in text
    assert 'mtp_requests_total{app="shop",route="recommendations",status="200"} 1.0' in text
    assert 'mtp_requests_total{app="shop",route="recommendations",status="404"} 1.0' in text
    assert 'placement="home-hero"' in text


def test_what_consent_costs_is_counted_without_ids(shop: Shop) -> None:
    def did(event: str) -> dict[str, object]:
        return {"type": "track", "event": event, "properties": {"product_id": "p001"}}

    body = {"batch": [did("Product Viewed"), did("Product Clicked"), did("Product Added")]}
    shop.browser().agree().post("/mtp/v1/batch", json=body)
    shop.browser().post("/mtp/v1/batch", json=body)
    shop.browser().post("/mtp/v1/track", json=did("Product Clicked"))
    text = figures(shop)

    def count(level: str, kind: str, outcome: str) -> float:
        labels = f'app="shop",kind="{kind}",level="{level}",outcome="{outcome}"'
        found = [line for line in text.splitlines() if line.startswith(f"mtp_consent_outcomes_total{{{labels}}}")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    assert [count("full", kind, "kept") for kind in ("event", "click", "cart", "order")] == [3, 1, 1, 0]
    below = [count(level, "click", "dropped") for level in ("contextual", "non-personal")]
    assert sum(below) == 2
    assert count("full", "click", "dropped") == 0


def test_metrics_of_two_applications(make_shop: Callable[..., Shop]) -> None:
    first, second = make_shop(), make_shop()
    first.browser().get("/mtp/health/live")
    assert 'route="live"' in figures(first)
    assert 'route="live"' not in figures(second)


def test_the_loopback_address_is_nobody(shop: Shop) -> None:
    assert shop.app.test_client().get("/mtp/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 401


def test_workers_are_added_up(tmp_path: Path) -> None:
    """Values in files are chosen when prometheus_client is imported, so each worker is a process of its own."""
    work = "from mtp_plugin.web.metrics import Metrics; m = Metrics('shop'); m.request('track', 200, 0.1); "
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", work + "print(m.text().decode())"]
    texts = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout for _ in range(2)
    ]
    assert 'mtp_requests_total{app="shop",route="track",status="200"} 1.0' in texts[0]
    assert 'mtp_requests_total{app="shop",route="track",status="200"} 2.0' in texts[1]


SLATE = Slate(
    recommendation_id="r", placement="home-hero", strategy="", fallback_level=0, items=(),
    consent_level=ConsentLevel.FULL,
)  # fmt: skip


def counted(metrics: Metrics) -> float:
    """Slates that Prometheus would be told of by who reads the registry alone."""
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == "mtp_slates_total")


def test_slates_are_counted_when_they_are_written_scraped_or_many() -> None:
    metrics = Metrics("shop")
    times = (0.001,) * 5
    metrics.answered(SLATE, "draft", times)
    assert counted(metrics) == 1, "nobody writes it"
    metrics.answered(SLATE, "own", times)
    assert counted(metrics) == 1
    metrics.slate_queue(1, 0)
    assert counted(metrics) == 2
    metrics.answered(SLATE, "own", times)
    assert b'mtp_slates_total{app="shop",cache="own",' in metrics.text()
    assert counted(metrics) == 3
    for _ in range(MOST_UNCOUNTED):
        metrics.answered(SLATE, "miss", times)
    assert counted(metrics) == 3 + MOST_UNCOUNTED

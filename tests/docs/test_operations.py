"""The page on operations lists every metric and job, and its servers, its cron line and its scrape work."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from mtp_plugin import MTP, CallableCatalog
from mtp_plugin.jobs import DAY, HOUR, MINUTE
from mtp_plugin.records import ConsentLevel, Slate
from mtp_plugin.scheduled import standard_jobs
from mtp_plugin.web.figures import StoreFigures
from mtp_plugin.web.metrics import Metrics

from ..core.shops import BROWSER, bare_app, mounted, watches
from ..servers import free_port, wait_until
from .fences import blocks, names, rows

SHOP = """
from flask import Flask
from mtp_plugin import MTP

app = Flask(__name__)
app.secret_key = "of the tests, and long enough"
MTP(app)
"""


def test_every_metric_is_listed_with_its_labels(tmp_path: Path, redis_url: str) -> None:
    metrics = Metrics("shop")
    metrics.request("/x", 200, 0.1)
    metrics.events("accepted", 1)
    metrics.answered(
        Slate(
            recommendation_id="r1",
            placement="home-hero",
            strategy="best-sellers",
            fallback_level=0,
            items=(),
            consent_level=ConsentLevel.FULL,
        ),
        "miss",
        (0.1,) * 5,
    )
    metrics.failure("home-hero")
    metrics.choice("banner", "full")
    metrics.chosen("hero", "strategy", "best-sellers")
    metrics.outcome("full", "slate", "shown")
    forward = {"crm": {"kind": "segment", "write_key": "secret"}}
    app, state = mounted(tmp_path, watches(6), MTP_FORWARD=forward, MTP_STREAM_URL=redis_url)
    for job in ("train", "feedback", "carts", "forward"):
        app.test_cli_runner().invoke(args=["mtp", "jobs", "run", job])
    metrics.slate_queue(0, 0)  # slates are counted when they are written
    known = {}
    for family in [*metrics.registry.collect(), *StoreFigures("shop", state).collect()]:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        known[name] = {label for sample in family.samples for label in sample.labels} - {"app", "le"}
    listed = {}
    for name, labels, _ in rows("operations.md", "metric"):
        listed[names(name)[0]] = set(names(labels.split(":")[0]))
    state.close()
    assert listed == known


def test_every_job_is_listed(tmp_path: Path) -> None:
    mtp, app = MTP(), bare_app(tmp_path)
    mtp.catalog(CallableCatalog(watches, availability=lambda ids: dict.fromkeys(ids, True)))
    mtp.init_app(app)
    every = {7 * DAY: "week", DAY: "day", HOUR: "hour", 5 * MINUTE: "5 minutes", MINUTE: "minute", 10.0: "10 seconds"}
    known = {job.name: every[job.every] for job in standard_jobs(app.extensions["mtp"])}
    app.extensions["mtp"].close()
    assert {names(name)[0]: every for name, every, _ in rows("operations.md", "job")} == known


def test_cron_runs_what_is_due(tmp_path: Path) -> None:
    (line,) = blocks("operations.md", "cron")
    times, command = line.split()[:5], line.split("&& flask ")[1]
    assert times == ["*"] * 5
    app, state = mounted(tmp_path, watches(6))
    first, again = (app.test_cli_runner().invoke(args=shlex.split(command)) for _ in range(2))
    state.close()
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "train" in first.stdout
    assert "Nothing is due." in again.stdout


def test_prometheus_may_read(tmp_path: Path) -> None:
    (text,) = blocks("operations.md", "yaml")
    path, key = re.findall(r"metrics_path: (\S+)", text)[0], re.findall(r"credentials: (\w+)", text)[0]
    app, state = mounted(tmp_path, watches(6), MTP_SECRET_KEYS=[key])
    client = app.test_client()
    client.get("/mtp/v1/recommendations?placement=home-trending", headers=BROWSER)
    assert client.get(path).status_code == 401
    told = client.get(path, headers={"Authorization": f"Bearer {key}"})
    state.close()
    assert told.status_code == 200
    labels = 'app="shop",cache="miss",consent_level="contextual",fallback_level="0",placement="home-trending"'
    assert f"mtp_slates_total{{{labels}}} 1.0" in told.text


@pytest.mark.parametrize("line", blocks("operations.md", "sh")[-1].splitlines())
def test_servers_serve(line: str, tmp_path: Path) -> None:
    """Each server as it is shown; the port alone is another."""
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    port = free_port()
    program, *words = shlex.split(line)
    assert any("8000" in word for word in words) == (program == "gunicorn"), "granian has this port by itself"
    words = [word.replace("8000", str(port)) for word in words]
    words += ["--port", str(port)] if program == "granian" else []
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [str(Path(sys.executable).parent / program), *words],
            cwd=tmp_path,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/mtp/health/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        wait_until(lambda: server.poll() is not None or answers(), f"an answer of {program}")
        assert server.poll() is None, (tmp_path / "log").read_text()
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        with contextlib.suppress(ProcessLookupError):  # workers outlive a master that is killed
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()

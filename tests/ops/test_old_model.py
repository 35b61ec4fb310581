"""A model of an older format in the registry: pages go on without it, and whoever looks is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from ..core.shops import BROWSER, mounted, watches
from ..core.test_pipeline import seen
from ..servers import free_port, wait_until

SHOP = """
from flask import Flask, render_template_string
from mtp_plugin import MTP
app = Flask("shop", instance_path={folder!r}, root_path={folder!r})
app.secret_key = "tests only, but long enough"
app.config["MTP_LATENCY_BUDGET_MS"] = 10_000
MTP(app)

@app.get("/")
def page():
    return render_template_string("{{{{ mtp_block('home-hero') }}}}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A shop with models."""
    app, state = mounted(tmp_path, watches(12))
    state.pipeline.ingest([seen(f"p0{n}", visitor=f"v{v}", ago=60 + n) for v in range(4) for n in range(4)])
    assert app.test_cli_runner().invoke(args=["mtp", "train"]).exit_code == 0
    state.close()
    (tmp_path / "shop.py").write_text(SHOP.format(folder=str(tmp_path)))
    return tmp_path


@pytest.fixture
def served(folder: Path) -> Iterator[str]:
    """The shop's address; it starts when its models are as they are now."""
    port = free_port()
    words = [sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", "2", "-b", f"127.0.0.1:{port}", "shop:app"]
    for manifest in (folder / "mtp_models" / "behaviour").glob("*/manifest.json"):
        told = json.loads(manifest.read_text())
        manifest.write_text(json.dumps(aged(told, (folder / "age").read_text())))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(words, cwd=folder, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{url}/mtp/health/live"), "an answer of the shop")
        yield url
    finally:
        server.terminate()
        server.wait()


def aged(manifest: dict[str, Any], what: str) -> dict[str, Any]:
    """As an older version would have written it: another layout of files, or another sense of what is in them."""
    return manifest | ({"format": 0} if what == "files" else {"meta": manifest["meta"] | {"format": 0}})


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).status_code == 200
    except requests.RequestException:
        return False


def flask(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flask", "--app", "shop", "mtp", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(params=["files", "contents"], autouse=True)
def age(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    (tmp_path / "age").write_text(request.param)


def test_pages_answer_without_it_and_everybody_is_told(folder: Path, served: str) -> None:
    page = requests.get(served, headers=BROWSER, timeout=60)
    assert page.status_code == 200
    assert 'data-mtp-placement="home-hero"' in page.text
    asked = {"placement": "home-hero", "limit": 3}
    slate = requests.get(f"{served}/mtp/v1/recommendations", asked, headers=BROWSER, timeout=60).json()
    assert len(slate["items"]) == 3
    assert slate["model_version"] == ""
    health = requests.get(f"{served}/mtp/health/ready", timeout=60)
    assert health.status_code == 200
    assert health.json()["checks"]["models"] == "degraded"

    doctor = flask(folder, "doctor", "--json")
    assert doctor.returncode == 1
    (finding,) = (one for one in json.loads(doctor.stdout)["findings"] if one["subject"] == "behaviour model")
    assert finding["status"] == "broken"
    status = json.loads(flask(folder, "status", "--json").stdout)
    assert status["behaviour_model"] is None
    assert list(status["models_not_served"]) == ["behaviour"]
    assert status["content_model"], "the other one serves on"

    assert flask(folder, "train").returncode == 0

    def well() -> bool:
        requests.get(served, headers=BROWSER, timeout=60)  # who passes by has versions looked for
        return bool(requests.get(f"{served}/mtp/health/ready", timeout=60).json()["checks"]["models"] == "ok")

    wait_until(well, "the new model without a restart")
    slate = requests.get(f"{served}/mtp/v1/recommendations", asked, headers=BROWSER, timeout=60).json()
    assert slate["model_version"]

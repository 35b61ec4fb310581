"""What is in deploy/ is what tools that know such files take, and what granian starts with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..servers import free_port, wait_until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
YAML = sorted({*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml")})
STYLE = (
    "{extends: default, rules: {line-length: disable, document-start: disable, braces: {max-spaces-inside: 1}, "
    "comments: {min-spaces-from-content: 1}}}"
)
SHOP = """
import gc

from flask import Flask
from mtp_plugin import MTP

def create_app():
    app = Flask("shop")
    app.config |= {"SECRET_KEY": "of the tests, and long enough"}
    MTP(app)
    app.add_url_rule("/frozen", view_func=lambda: str(gc.get_freeze_count()))
    return app
"""


def lint(*command: str | Path) -> None:
    done = subprocess.run([str(BIN / command[0]), *map(str, command[1:])], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_yaml_is_tidy() -> None:
    lint("yamllint", "--strict", "-d", STYLE, *YAML)


def test_the_image_is_well_made() -> None:
    lint("hadolint", DEPLOY / "Dockerfile")
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    build, served = text.split("\nFROM ")[1], text.split("\nFROM ")[2]
    assert "gcc" in build
    assert "gcc" not in served
    assert re.search(r"^USER 10001", served, re.MULTILINE)


def test_compose_is_what_the_specification_says() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert set(services) == {"web", "jobs", "database", "redis", "prometheus", "grafana"}
    for name in ("web", "jobs", "redis"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    for service in services.values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))
        for mounted in service.get("volumes", []):
            source = mounted.split(":")[0]
            assert not source.startswith("./") or (DEPLOY / source).exists(), source
        assert all((DEPLOY / name).is_file() for name in service.get("env_file", []))


def test_manifests_are_what_kubernetes_takes() -> None:
    lint("kubernetes-validate", "--strict", *sorted((DEPLOY / "kubernetes").glob("*.yaml")))


def pods() -> list[Any]:
    found = []
    for path in (DEPLOY / "kubernetes").glob("*.yaml"):
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            spec = one.get("spec", {})
            template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
            found += [template["spec"]] if template else []
    return found


def test_pods_may_do_little() -> None:
    assert len(pods()) == 2
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]


def test_prometheus_takes_its_configuration() -> None:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    done = subprocess.run(
        [found, "check", "config", "--syntax-only", str(DEPLOY / "prometheus" / "containers.yml")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("server", ["granian", "gunicorn"])
def test_servers_start_as_configured(server: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    lines = (DEPLOY / "granian.env").read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    port = free_port()
    if server == "granian":
        command = ["granian", "--factory", "--port", str(port), "shop:create_app"]
    else:
        command = [
            "gunicorn",
            "--config",
            str(DEPLOY / "gunicorn.conf.py"),
            "--bind",
            f"127.0.0.1:{port}",
            "shop:create_app()",
        ]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]], cwd=tmp_path, env=os.environ | settings, stdout=log, stderr=log
        )

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/mtp/health/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        wait_until(lambda: process.poll() is not None or answers(), f"an answer of {server}")
        assert process.poll() is None, (tmp_path / "log").read_text()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/frozen", timeout=10) as answer:
            assert server == "granian" or int(answer.read()) > 10_000, "what is loaded is left out of collections"
    finally:
        process.terminate()
        process.wait(40)

"""The commands of the page on quality measure; on small files, for those of the page are not shipped."""

from __future__ import annotations

import gzip
import json
import shlex
from pathlib import Path

import pytest
from flask import Flask

from mtp_plugin.cli import mtp

from ..evaluate.test_baskets import history
from ..evaluate.test_sessions import ring
from .fences import blocks


def pack(path: Path, as_name: str) -> None:
    with gzip.open(path.parent / as_name, "wt", encoding="utf-8") as file:
        file.write(path.read_text(encoding="utf-8"))


def test_the_commands_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pack(ring(tmp_path / "train", 200, 1, tabs=False), "sessions_train.csv.gz")
    pack(ring(tmp_path / "test", 12, 2, tabs=False), "test_cases.csv.gz")
    pack(history(tmp_path / "orders"), "online_retail.csv.gz")
    app = Flask("measure")
    app.cli.add_command(mtp)
    found = []
    for block in blocks("quality.md", "sh"):
        done = app.test_cli_runner().invoke(args=shlex.split(block)[1:])
        assert done.exit_code == 0, done.output
        found.append(json.loads(done.stdout))
    sessions, baskets = found
    assert sessions["metrics"]["hr@20"] > sessions["baselines"]["popularity"]["hr@20"]
    assert set(baskets["metrics"]) >= {"next_basket", "next_basket_new", "completion"}

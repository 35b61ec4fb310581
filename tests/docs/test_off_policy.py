"""The commands of the page on off-policy evaluation answer; on small logs, for those of the page are not shipped."""

from __future__ import annotations

import gzip
import json
import shlex
from pathlib import Path

import pytest
from flask import Flask

from mtp_plugin.cli import mtp

from ..evaluate.test_policies import write_log
from .fences import blocks


def test_the_commands_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, policy in (("random_all.csv.gz", (0.5, 0.5)), ("bts_all.csv.gz", (0.1, 0.9))):
        text = write_log(tmp_path / "log.csv", policy).read_bytes()
        Path(name).write_bytes(gzip.compress(text))
    app = Flask("measure")
    app.cli.add_command(mtp)
    (block,) = blocks("off-policy.md", "sh")
    said = []
    for line in block.splitlines():
        done = app.test_cli_runner().invoke(args=shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
        said.append(done.stdout)
    assert said[0].startswith("Better: it would have earned more")
    assert json.loads(said[1])["verdict"]["word"] == "worse"

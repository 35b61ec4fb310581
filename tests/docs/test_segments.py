"""What the page on segments shows can be done."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from mtp_plugin.handmade import check_condition

from ..core.shops import mounted
from .fences import blocks


def test_the_condition_shown_can_be_counted_and_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, state = mounted(tmp_path / "shop")
    monkeypatch.chdir(tmp_path)
    (condition,) = blocks("segments.md", "json")
    check_condition(json.loads(condition))
    Path("condition.json").write_text(condition, encoding="utf-8")
    (commands,) = blocks("segments.md", "sh")
    for line in commands.splitlines():
        done = app.test_cli_runner().invoke(args=shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
    assert "Margin browsers" in done.output
    (made,) = state.segments.made()
    assert (made.segment_id, made.precedence, made.condition) == ("margin-browsers", 10, json.loads(condition))
    state.close()

"""The page on key figures: its command answers, its table has every figure there is."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from mtp_plugin.kpi.measures import MEASURES

from ..core.shops import mounted, watches
from .fences import fences


def test_the_command_shown(tmp_path: Path) -> None:
    (block,) = (one for one in fences("kpi.md") if one.language == "sh")
    app, state = mounted(tmp_path, watches())
    arguments = shlex.split(block.text.strip())[1:]
    found = json.loads(app.test_cli_runner().invoke(args=arguments).stdout)
    assert found["by"] == "placement"
    assert set(found["all"]["figures"]) >= set(MEASURES)
    state.close()


def test_every_figure_is_told_of() -> None:
    page = (Path(__file__).parents[2] / "docs" / "kpi.md").read_text(encoding="utf-8")
    named = {name for row in re.findall(r"^\| (`.+?) \|", page, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named >= set(MEASURES)

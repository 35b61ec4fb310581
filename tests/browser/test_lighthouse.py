"""Lighthouse on the demo store, if it can be had: what ``benchmarks/lighthouse.py`` prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
ENOUGH, COST, RUNS = 95, 2, 3


def scores(*options: str) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "benchmarks" / "lighthouse.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    report: dict[str, Any] = json.loads(done.stdout)
    if "missing" in report:
        pytest.skip(report["missing"])
    pages: dict[str, Any] = report["pages"]
    return pages


def test_pages_and_what_blocks_cost_them() -> None:
    pages = scores(f"--runs={RUNS}")
    assert set(pages) == {"home", "category", "product"}
    for name, page in pages.items():
        assert min(page["with_blocks"]["best"].values()) >= ENOUGH, (name, page)
        assert page["with_blocks"]["cumulative-layout-shift"] == 0, name
        assert max(page["cost"].values()) <= COST, (name, page)

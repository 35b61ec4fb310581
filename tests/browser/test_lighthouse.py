"""Lighthouse on the demo store, if it can be had: what ``benchmarks/lighthouse.py`` prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
ENOUGH, COST, RUNS = 95, 2, 3


@pytest.fixture(scope="module")
def busy() -> bool:
    """Whether the machine has more to do than it has processors; Lighthouse takes that for the page's slowness."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


@pytest.fixture(scope="module")
def pages(busy: bool) -> dict[str, Any]:
    """The report on each page, with blocks and without."""
    command = [sys.executable, str(ROOT / "benchmarks" / "lighthouse.py"), f"--runs={1 if busy else RUNS}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    report: dict[str, Any] = json.loads(done.stdout)
    if "missing" in report:
        pytest.skip(report["missing"])
    found: dict[str, Any] = report["pages"]
    assert set(found) == {"home", "category", "product"}
    return found


@pytest.mark.parametrize("kind", ["accessibility", "best-practices", "seo"])
def test_scores_that_do_not_depend_on_time(pages: dict[str, Any], kind: str) -> None:
    for name, page in pages.items():
        assert page["with_blocks"]["best"][kind] >= ENOUGH, (name, page["with_blocks"]["below"])
        assert page["cost"][kind] <= COST, name
        assert page["with_blocks"]["cumulative-layout-shift"] == 0, name


def test_performance_and_what_blocks_cost_of_it(pages: dict[str, Any], busy: bool) -> None:
    if busy:
        pytest.skip("this machine is busy with other things, whose time Lighthouse would count as the page's")
    for name, page in pages.items():
        assert page["with_blocks"]["best"]["performance"] >= ENOUGH, (name, page)
        assert page["cost"]["performance"] <= COST, (name, page)

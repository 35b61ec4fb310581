"""The little brother of ``benchmarks/chaos.py``: every fault once, and nothing is lost, twice, or not answered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..servers import missing, postgres_programs, redis_binary

ROOT = Path(__file__).parents[2]


@pytest.mark.postgres
@pytest.mark.redis
def test_counts_come_out_right() -> None:
    if postgres_programs() is None or redis_binary() is None or shutil.which("sh") is None:
        missing("PostgreSQL or Redis is not installed: sh deploy/system.sh")
    done = subprocess.run(
        [sys.executable, "benchmarks/chaos.py", "--seconds", "30", "--seed", "3"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    events = told["events"]
    assert len(told["faults"]) == 9
    assert events["answered_for"] > 500
    assert events["sent_again"] > 0
    assert events["refusals"].get("503", 0) > 0, "no fault was ever felt"
    wrong = {name: events[name] for name in ("lost", "twice", "profiles_wrong", "copies_wrong")}
    assert set(wrong.values()) == {0}, wrong
    for fault, pages in told["pages"].items():
        assert pages["not_200"] == 0, fault
    asked, without = (sum(pages[name] for pages in told["pages"].values()) for name in ("asked", "without_block"))
    assert without < asked / 4, "a process that starts while the database is away has nothing to show, others have"
    assert told["pages"]["calm"]["with_own"] > 0, "readers were nobody"

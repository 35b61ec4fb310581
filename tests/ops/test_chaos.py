"""The little brother of ``benchmarks/chaos.py``: every fault once, and nothing is lost, twice, or not answered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..servers import missing, postgres_programs, redis_binary

ROOT = Path(__file__).parents[2]


def ran(*options: str) -> dict[str, Any]:
    """What a run found, with all that holds of every one asserted."""
    if postgres_programs() is None or redis_binary() is None or shutil.which("sh") is None:
        missing("PostgreSQL or Redis is not installed: sh deploy/system.sh")
    done = subprocess.run(
        [sys.executable, "benchmarks/chaos.py", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    events = told["events"]
    assert events["answered_for"] > 500
    assert events["sent_again"] > 0
    wrong = {name: events[name] for name in ("lost", "twice", "profiles_wrong", "copies_wrong")}
    assert set(wrong.values()) == {0}, wrong
    for fault, pages in told["pages"].items():
        assert pages["not_200"] == 0, fault
    asked, without = (sum(pages[name] for pages in told["pages"].values()) for name in ("asked", "without_block"))
    assert without < asked / 4, "a process that starts while the database is away has nothing to show, others have"
    return told


@pytest.mark.postgres
@pytest.mark.redis
def test_counts_come_out_right() -> None:
    told = ran("--seconds", "30", "--seed", "3")
    assert len(told["faults"]) == 9
    assert told["pages"]["calm"]["with_own"] > 0, "readers were nobody"
    refused = told["events"]["refusals"].values()
    assert sum(counts.get("503", 0) for counts in refused) > 0, "no fault was ever felt"


@pytest.mark.postgres
@pytest.mark.redis
def test_with_a_stream_nobody_is_refused_while_the_database_is_away() -> None:
    """All that is answered for meanwhile is recorded afterwards, whoever is killed."""
    told = ran("--seconds", "30", "--seed", "4", "--stream", "--away", "8")
    away = [fault for fault in told["faults"] if fault.endswith("for 8 s")]
    assert len(away) == 2
    assert len(told["faults"]) == 12
    for fault in away:
        assert told["events"]["refusals"].get(fault, {}) == {}
        assert told["pages"][fault]["asked"] > 0
        assert told["pages"][fault]["without_block"] == 0

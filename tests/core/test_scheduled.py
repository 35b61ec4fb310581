"""The jobs every shop has do what they say."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from mtp_plugin.extension import standard_jobs_of
from mtp_plugin.records import ConsentLevel, SlateRequest

from .shops import mounted, watches
from .test_pipeline import seen


def test_retention_deletes_old_slates_and_message_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, state = mounted(tmp_path, watches(6))
    event = msgspec.structs.replace(seen("p02"), permanent=False)
    state.pipeline.ingest([event])
    request = SlateRequest(placement="home-hero", now=time.time(), consent_level=ConsentLevel.NON_PERSONAL)
    slate = state.pipeline.recommend(request)
    state.slates.flush()
    assert state.slates.get(slate.recommendation_id) is not None
    assert state.pipeline.ingest([event]) == [False]

    later = time.time() + 40 * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    run = standard_jobs_of(state).run("retention")
    assert run is not None
    assert run.ok
    assert run.message == "1 slates and 1 message ids deleted"
    assert state.slates.get(slate.recommendation_id) is None


def test_training_publishes_both_models_and_workers_see_them(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, watches())
    state.pipeline.ingest([seen(f"p{n:02d}", visitor=f"v{v}", ago=60 + n) for v in range(8) for n in (v, v + 3, v + 6)])
    run = standard_jobs_of(state).run("train")
    assert run is not None
    assert run.ok, run.message
    serving = state.pipeline.live.refresh()
    assert serving.versions[1] == state.registry.current("behaviour")
    assert serving.versions[2] == state.registry.current("content")


def test_training_without_events_says_so(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, watches(6))
    run = standard_jobs_of(state).run("train")
    assert run is not None
    assert not run.ok
    assert "no product views" in run.message


def test_a_declared_catalogue_is_imported_by_its_job(tmp_path: Path) -> None:
    _, without = mounted(tmp_path, watches(6))
    assert "catalog" not in standard_jobs_of(without).all

"""The jobs every shop has do what they say."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from flask import Flask

from mtp_plugin import MTP, Product
from mtp_plugin.catalog.mapped import CallableCatalog
from mtp_plugin.extension import standard_jobs_of
from mtp_plugin.records import ConsentLevel, SlateRequest

from .shops import bare_app, mounted, watches
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
    assert run.message == (
        "0 visitors, 0 events, 1 slates, 1 message ids, 0 webhooks, 0 replaced choices, "
        "0 requests of data subjects, 0 outcomes, 0 alerts and their hours deleted"
    )
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


def test_a_shop_without_events_has_nothing_to_learn_from_yet(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, watches(6))
    run = standard_jobs_of(state).run("train")
    assert run is not None
    assert run.ok
    assert run.message.endswith("behaviour: nothing to learn from yet")
    assert state.registry.current("content"), "words are there to learn from"
    assert state.registry.current("behaviour") is None


def test_a_shop_without_anything_fails_no_job(tmp_path: Path) -> None:
    _, state = mounted(tmp_path)
    runs = standard_jobs_of(state).run_due()
    assert {run.name for run in runs} == set(standard_jobs_of(state).all)
    assert all(run.ok for run in runs), runs


def declared(folder: Path, products: list[Product]) -> tuple[MTP, Flask]:
    """A shop whose own catalogue is *products*, as they are when it is asked."""
    mtp, app = MTP(), bare_app(folder)
    mtp.catalog(CallableCatalog(products=lambda: list(products), availability=lambda ids: dict.fromkeys(ids, True)))
    mtp.init_app(app)
    return mtp, app


def by_job(mtp: MTP, app: Flask) -> None:
    run = standard_jobs_of(app.extensions["mtp"]).run("catalog")
    assert run is not None
    assert run.ok, run.message


def by_code(mtp: MTP, app: Flask) -> None:
    with app.app_context():
        mtp.import_catalog()


def by_command(mtp: MTP, app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["mtp", "import-catalog"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("way", [by_job, by_code, by_command])
def test_all_ways_to_import_the_declared_catalogue_are_one(tmp_path: Path, way: Callable[[MTP, Flask], None]) -> None:
    products = watches(6)
    mtp, app = declared(tmp_path, products)
    registry, live = app.extensions["mtp"].registry, app.extensions["mtp"].pipeline.live
    way(mtp, app)
    first = registry.current("content")
    assert first
    assert live.get().versions[2] == first, "it serves at once"

    way(mtp, app)
    assert registry.current("content") == first, "the same catalogue has nothing new to teach"

    products += watches(8)[6:]
    way(mtp, app)
    assert registry.current("content") != first
    assert live.get().versions[2] == registry.current("content")
    assert len(live.get().table) == 8


def test_without_a_declared_catalogue_there_is_no_job(tmp_path: Path) -> None:
    _, without = mounted(tmp_path, watches(6))
    assert "catalog" not in standard_jobs_of(without).all

"""Between two trainings the model that serves is counted anew: what happened since is in it, what it learnt stays."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from mtp_plugin.candidates.log import owner
from mtp_plugin.extension import standard_jobs_of
from mtp_plugin.records import Event, Query, Strategy
from mtp_plugin.state import State
from mtp_plugin.training import challenge_behaviour, refresh_behaviour, train_behaviour

from .shops import mounted, watches
from .sorted_shop import sorted_shop, viewed
from .test_contest import HOUR, visits


def quiet(text: str) -> None:
    """Nobody listens."""


@pytest.fixture
def state(tmp_path: Path) -> State:
    _, state = mounted(tmp_path, watches())
    now = time.time()
    state.pipeline.ingest(visits(now - 200 * HOUR, 1, 120, 1))
    table = state.pipeline.live.refresh().table
    train_behaviour(state.journal, state.registry, table, now=now - 100 * HOUR, seed=0, progress=quiet)
    return state


def run(state: State) -> str:
    found = standard_jobs_of(state).run("refresh")
    assert found is not None
    assert found.ok, found.message
    return found.message


def related(state: State, product_id: str) -> list[str]:
    serving = state.pipeline.live.get()
    query = Query(now=time.time(), in_view=(serving.table.index[product_id],))
    found = serving.recommender.candidates(Strategy.RELATED_PRODUCTS, query, 2)
    return [serving.table.products[row].product_id for row in found.rows.tolist()]


def since(state: State) -> list[Event]:
    return visits(time.time() - 2 * HOUR, 9, 200, 4)


def test_what_happened_since_is_in_it_and_what_was_learnt_stays(state: State) -> None:
    before = state.registry.load("behaviour", state.registry.current("behaviour") or "")
    assert run(state) == "nothing new to count, or no model yet"
    state.pipeline.ingest(since(state))
    assert "behaviour 2" in run(state)
    after = state.registry.load("behaviour", state.registry.current("behaviour") or "")
    assert after.meta["experts"] == before.meta["experts"]
    assert after.meta["interactions"] == before.meta["interactions"] + 800
    assert "p12" in related(state, "p03"), "from 3 they went on to 12"
    newest = next(info for info in state.registry.list("behaviour") if info.current)
    assert newest.lineage["refreshed_from"] == before.version
    assert newest.lineage["last_number"] == state.journal.last_number()
    assert run(state) == "nothing new to count, or no model yet"


def test_reading_on_is_as_reading_anew(state: State) -> None:
    state.pipeline.ingest(since(state))
    now = time.time()
    first = refresh_behaviour(state.journal, state.registry, now=now, progress=quiet)
    serving = state.registry.list("behaviour")[-1]
    bundle = state.registry.load("behaviour", serving.version)
    lineage = {name: value for name, value in serving.lineage.items() if name != "last_number"}
    state.registry.publish("behaviour", bundle.arrays, bundle.strings, bundle.meta, lineage=lineage)
    second = refresh_behaviour(state.journal, state.registry, now=now, progress=quiet)
    one, two = (state.registry.load("behaviour", version) for version in (first, second))
    assert first != second
    assert one.arrays.keys() == two.arrays.keys()
    for name, array in one.arrays.items():
        assert np.array_equal(array, two.arrays[name]), name
    assert (one.meta, one.strings) == (two.meta, two.strings)


def test_hourly_versions_do_not_push_out_what_was_trained(state: State) -> None:
    trained = state.registry.current("behaviour")
    for hour in range(12):
        state.pipeline.ingest([viewed(f"late-{hour}", "p01", time.time() + hour)])
        run(state)
    kept = state.registry.list("behaviour")
    assert trained in {info.version for info in kept}
    assert len(kept) == 3


def test_a_visitor_who_is_erased_is_in_no_version(state: State) -> None:
    state.pipeline.ingest(since(state))
    run(state)
    state.subjects.erase(["a:v4-7"], actor="test")
    for info in state.registry.list("behaviour"):
        assert owner("a:v4-7") not in state.registry.load("behaviour", info.version).arrays["log_owners"]


def test_a_contest_takes_what_judges_out_of_the_counts_of_the_champion(state: State) -> None:
    """It serves with all that happened; judged it is without what neither may have seen."""
    new = visits(time.time() - 50 * HOUR, 7, 300, 3)
    state.pipeline.ingest(new)
    run(state)
    table = state.pipeline.live.refresh().table
    _, verdict = challenge_behaviour(state.journal, state.registry, table, now=time.time(), seed=0, progress=quiet)
    assert verdict.champion is not None
    assert verdict.challenger is not None
    assert verdict.cases >= 50
    # Both count the same sessions: neither is ahead for having seen the answers.
    assert verdict.champion.mrr == pytest.approx(verdict.challenger.mrr, abs=0.1)


def test_segments_keep_their_own_rankings(tmp_path: Path) -> None:
    _, state = sorted_shop(tmp_path)
    before = state.registry.load("behaviour", state.registry.current("behaviour") or "")
    state.pipeline.ingest([viewed("somebody-new", "p01", time.time())])
    assert "behaviour 2" in run(state)
    after = state.registry.load("behaviour", state.registry.current("behaviour") or "")
    assert after.strings["segments"] == before.strings["segments"]
    assert len(after.arrays["log_segment"]) == len(before.arrays["log_segment"]) + 1
    assert np.array_equal(after.arrays["log_segment"][:-1], before.arrays["log_segment"])
    assert state.pipeline.live.get().recommender.sources.segments.place is not None

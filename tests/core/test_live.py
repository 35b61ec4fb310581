"""What serves follows what is current, survives what cannot be opened, and tries again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtp_plugin import Product
from mtp_plugin.candidates.recommender import Recommender
from mtp_plugin.candidates.sources import FORMAT
from mtp_plugin.errors import ModelError, UnavailableError
from mtp_plugin.live import Live
from mtp_plugin.ports import Bundle
from mtp_plugin.store.memory import MemoryCatalog, MemoryRegistry
from mtp_plugin.training import train_content

from .shops import mounted, watches


class Hiccup(MemoryRegistry):
    """A registry whose bundles cannot be opened for a while."""

    fault: Exception | None = None
    loads = 0

    def load(self, kind: str, version: str) -> Bundle:
        self.loads += 1
        if self.fault is not None:
            raise self.fault
        return super().load(kind, version)


@pytest.fixture
def registry() -> Hiccup:
    return Hiccup()


@pytest.fixture
def live(registry: Hiccup) -> Live:
    catalog = MemoryCatalog()
    catalog.import_products(watches(), hide_missing=True)
    return Live(catalog, registry, every=0.0, patience=0.05)


def publish(live: Live, registry: Hiccup) -> str:
    return train_content(registry, live.refresh().table, seed=0, progress=lambda text: None)


def eventually(is_so: Callable[[], bool]) -> bool:
    for _ in range(500):
        if is_so():
            return True
        time.sleep(0.01)
    return False


def test_a_new_version_is_seen_without_being_told(live: Live, registry: Hiccup) -> None:
    assert live.get().versions[2] == ""
    version = publish(live, registry)
    assert eventually(lambda: live.get().versions[2] == version)


@pytest.mark.parametrize("fault", [UnavailableError("away"), ModelError("wrong checksum")])
def test_a_bundle_that_cannot_be_opened_is_tried_again(live: Live, registry: Hiccup, fault: Exception) -> None:
    version = publish(live, registry)
    registry.fault = fault
    serving = live.refresh()
    assert serving.versions[2] == ""
    assert serving.wanted[2] == version
    registry.fault = None
    assert eventually(lambda: live.get().versions[2] == version)


def test_the_version_before_serves_on(live: Live, registry: Hiccup) -> None:
    first = publish(live, registry)
    assert live.refresh().versions[2] == first
    registry.fault = ModelError("wrong checksum")
    publish(live, registry)
    assert live.refresh().versions[2] == first
    assert len(live.get().table) == len(watches())


def test_rolling_back_switches_back(live: Live, registry: Hiccup) -> None:
    first = publish(live, registry)
    second = publish(live, registry)
    assert live.refresh().versions[2] == second
    registry.activate("content", first)
    assert eventually(lambda: live.get().versions[2] == first)


def test_a_damaged_bundle_on_disk_is_served_without(tmp_path: Path) -> None:
    _, state = mounted(tmp_path, watches())
    train_content(state.registry, state.pipeline.live.refresh().table, seed=0, progress=lambda text: None)
    for path in (tmp_path / "mtp_models").rglob("*.npy"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 0xFF
        path.write_bytes(data)
    serving = state.pipeline.live.refresh()
    assert serving.versions[2] == ""
    assert np.count_nonzero(serving.table.visible) == len(watches())


def test_a_changed_catalogue_is_seen(live: Live) -> None:
    before = live.get()
    live._catalog.import_products([Product(product_id="new", title="New")], hide_missing=False)
    assert eventually(lambda: "new" in live.get().table.index)
    assert before.table.version != live.get().table.version


def unreadable(registry: Hiccup, kind: str) -> str:
    """A model that can be opened, and that this code cannot serve."""
    return registry.publish(kind, {}, {"items": ()}, {"format": 0})


@pytest.mark.parametrize(("broken", "kind", "place"), [("content", "behaviour", 1), ("behaviour", "content", 2)])
def test_a_new_model_serves_beside_one_that_cannot(
    live: Live, registry: Hiccup, broken: str, kind: str, place: int
) -> None:
    unreadable(registry, broken)
    assert live.refresh().versions[1:3] == ("", "")
    version = registry.publish(kind, {}, {"items": ()}, {"format": FORMAT})
    serving = live.refresh()
    assert serving.versions[place] == version
    assert live.unserved().keys() == {broken}


@pytest.mark.parametrize("broken", ["content", "behaviour", "propensity", "feedback", "segments"])
def test_what_cannot_serve_is_tried_again_without_making_the_others_anew(
    live: Live, registry: Hiccup, broken: str
) -> None:
    before = live.refresh()
    unreadable(registry, broken)
    assert live.refresh().recommender is before.recommender
    assert live.refresh().propensity is before.propensity
    assert registry.loads == 1
    assert live.unserved().keys() == {broken}


def test_what_cannot_be_prepared_serves_all_the_same(
    live: Live, registry: Hiccup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(recommender: Recommender) -> None:
        raise IndexError("out of bounds")

    monkeypatch.setattr(Recommender, "warm", breaks)
    assert len(live.refresh().table) == len(watches())
    version = publish(live, registry)
    assert live.refresh().versions[2] == version


def test_it_is_closed_while_a_page_has_it_looked_for(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    live.refresh()
    starting, closed = threading.Event(), threading.Event()

    class Slow(threading.Thread):
        def start(self) -> None:
            starting.set()
            assert closed.wait(10)
            super().start()

    page = threading.Thread(target=live.get)
    monkeypatch.setattr("mtp_plugin.live.threading.Thread", Slow)
    page.start()
    assert starting.wait(10)
    live.close()
    closed.set()
    page.join(10)
    monkeypatch.undo()
    live.close()

"""What every model registry promises: bundles whole or not at all, and one switch that all workers see."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import ModelError, UnavailableError
from mtp_plugin.ports import ModelRegistry
from mtp_plugin.store.memory import MemoryRegistry
from mtp_plugin.store.open import Stores

from .conftest import DATABASES, PATIENT_MS, settings_of

ARRAYS: dict[str, Any] = {
    "weights": np.arange(12, dtype=np.float32).reshape(3, 4),
    "rows": np.array([3, 1, 2], dtype=np.int32),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3)),
    "turned": np.asfortranarray(np.arange(6).reshape(2, 3)),
}
STRINGS = {"products": ("p1", "Größe", ""), "none": ()}
META = {"half_life": 3.5, "names": ["a"], "n": np.int64(3)}


def publish(registry: ModelRegistry, value: float = 1.0, *, kind: str = "behaviour", activate: bool = True) -> str:
    return registry.publish(kind, {"x": np.full(3, value)}, {}, {}, activate=activate)


@pytest.fixture(params=("memory", *DATABASES, "remote"))
def registries(
    request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores], tmp_path: Path
) -> Callable[[], ModelRegistry]:
    """Gives one registry more on the same models, as another worker has it."""
    if request.param == "memory":
        only = MemoryRegistry()
        return lambda: only
    if request.param == "remote":
        settings = Settings(model_folder=f"memory://{tmp_path.name}", latency_budget_ms=PATIENT_MS)
    else:
        settings = settings_of(request.param, request)
    return lambda: open_again(settings).registry


@pytest.fixture
def registry(registries: Callable[[], ModelRegistry]) -> ModelRegistry:
    return registries()


def test_a_bundle_comes_back_as_it_was(registries: Callable[[], ModelRegistry]) -> None:
    version = registries().publish(
        "behaviour", ARRAYS, STRINGS, META, figures={"hr@20": np.float32(0.5)}, lineage={"events": 9}
    )
    registry = registries()
    bundle = registry.load("behaviour", version)
    assert bundle.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(bundle.arrays[name], array)
        assert bundle.arrays[name].dtype == array.dtype
        assert not bundle.arrays[name].flags.writeable
    assert (bundle.kind, bundle.version, bundle.strings) == ("behaviour", version, STRINGS)
    assert bundle.meta == {"half_life": 3.5, "names": ["a"], "n": 3}
    (info,) = registry.list()
    assert (info.kind, info.version, info.current) == ("behaviour", version, True)
    assert (info.figures, info.lineage) == ({"hr@20": 0.5}, {"events": 9})


def test_an_empty_registry(registry: ModelRegistry) -> None:
    assert registry.current("behaviour") is None
    assert registry.list() == []
    assert registry.list("behaviour") == []
    assert registry.prune("behaviour", 1) == 0


def test_a_switch_is_seen_by_others(registries: Callable[[], ModelRegistry]) -> None:
    one, other = registries(), registries()
    first = publish(one, 1)
    assert other.current("behaviour") == first
    second = publish(one, 2)
    third = publish(one, 3, activate=False)
    assert other.current("behaviour") == second
    other.activate("behaviour", third)
    assert one.current("behaviour") == third
    one.activate("behaviour", first)
    assert other.current("behaviour") == first
    assert other.load("behaviour", first).arrays["x"][0] == 1
    assert other.current("content") is None


def test_the_list_is_newest_first_and_marks_what_serves(registry: ModelRegistry) -> None:
    versions = [publish(registry, n) for n in range(3)]
    content = publish(registry, kind="content")
    registry.activate("behaviour", versions[1])
    assert {info.version for info in registry.list()} == {*versions, content}
    found = registry.list("behaviour")
    assert [info.created_at for info in found] == sorted((info.created_at for info in found), reverse=True)
    assert [info.version for info in found if info.current] == [versions[1]]


def test_pruning_keeps_the_newest_and_the_one_that_serves(registry: ModelRegistry) -> None:
    versions = [publish(registry, n) for n in range(5)]
    order = [info.version for info in registry.list("behaviour")]
    registry.activate("behaviour", order[-1])
    opened = registry.load("behaviour", order[2])
    assert registry.prune("behaviour", 2) == 2
    assert [info.version for info in registry.list("behaviour")] == [order[0], order[1], order[4]]
    assert opened.arrays["x"][0] == versions.index(order[2])
    with pytest.raises(ValueError, match="keep"):
        registry.prune("behaviour", 0)


def test_publishing_leaves_the_newest_and_the_one_that_serves(registry: ModelRegistry) -> None:
    serving = publish(registry)
    content = publish(registry, kind="content")
    drafts = [publish(registry, n, activate=False) for n in range(8)]
    left = {info.version for info in registry.list("behaviour")}
    assert len(left) == 6
    assert {serving, drafts[-1]} <= left
    assert registry.load("behaviour", serving).arrays["x"][0] == 1
    assert [info.version for info in registry.list("content")] == [content], "each kind for itself"
    for n in range(8):
        newest = publish(registry, n)
    assert len(registry.list("behaviour")) == 5
    assert registry.current("behaviour") == newest


def test_what_is_not_there_cannot_serve(registry: ModelRegistry) -> None:
    version = publish(registry)
    for kind, name in (("behaviour", "none"), ("content", version), ("../x", version)):
        with pytest.raises(ModelError):
            registry.load(kind, name)
        with pytest.raises(ModelError):
            registry.activate(kind, name)
    assert registry.current("behaviour") == version


def test_objects_are_refused_and_leave_nothing(registry: ModelRegistry) -> None:
    with pytest.raises(ModelError):
        registry.publish("behaviour", {"x": np.array([{}, []], dtype=object)}, {}, {})
    assert registry.list() == []
    assert registry.current("behaviour") is None


def test_many_publish_at_once(registries: Callable[[], ModelRegistry]) -> None:
    shared = [registries(), registries()]
    ready = threading.Barrier(5)

    def one(worker: int) -> str:
        ready.wait()
        return publish(shared[worker % 2], worker)

    with ThreadPoolExecutor(5) as pool:
        versions = list(pool.map(one, range(5)))
    assert len(set(versions)) == 5
    assert shared[0].current("behaviour") in versions
    assert [shared[0].load("behaviour", version).arrays["x"][0] for version in versions] == list(range(5))


# -------------------------------------------------------------------------------- what lies in the folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "instance" / "mtp_models"


@pytest.fixture
def local(open_again: Callable[[Settings], Stores]) -> ModelRegistry:
    return open_again(Settings()).registry


def test_arrays_are_memory_mapped(local: ModelRegistry) -> None:
    version = local.publish("behaviour", ARRAYS, {}, {})
    assert isinstance(local.load("behaviour", version).arrays["weights"].base, np.memmap)


@pytest.mark.parametrize("damage", ["flip", "cut", "missing", "manifest", "manifest-missing", "format", "swapped"])
def test_damage_is_found(local: ModelRegistry, folder: Path, damage: str) -> None:
    before = publish(local)
    version = publish(local, 2)
    bundle = folder / "behaviour" / version
    array, manifest = bundle / "x.npy", bundle / "manifest.json"
    content = array.read_bytes()
    if damage == "flip":
        array.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "cut":
        array.write_bytes(content[:-8])
    elif damage == "missing":
        array.unlink()
    elif damage == "manifest":
        manifest.write_bytes(manifest.read_bytes()[:-5])
    elif damage == "manifest-missing":
        manifest.unlink()
    elif damage == "format":
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 99}))
    else:
        manifest.write_bytes((folder / "behaviour" / before / "manifest.json").read_bytes())
    with pytest.raises(ModelError, match=version):
        local.load("behaviour", version)
    local.activate("behaviour", before)
    assert local.load("behaviour", before).arrays["x"][0] == 1


def test_a_pickle_is_never_opened(local: ModelRegistry, folder: Path) -> None:
    import hashlib

    version = publish(local)
    bundle = folder / "behaviour" / version
    np.save(bundle / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    checksum = hashlib.blake2b((bundle / "x.npy").read_bytes(), digest_size=32).hexdigest()
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"]["x.npy"] = checksum
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="cannot be read"):
        local.load("behaviour", version)


def test_half_a_bundle_is_not_listed(local: ModelRegistry, folder: Path) -> None:
    version = publish(local)
    (folder / "behaviour" / ".draft-abc").mkdir()
    (folder / "behaviour" / "20250101T000000-0000").mkdir()
    assert [info.version for info in local.list()] == [version]


def test_copies_of_deleted_bundles_go_too(open_again: Callable[[Settings], Stores], tmp_path: Path) -> None:
    import shutil

    settings = Settings(model_folder=f"memory://{tmp_path.name}-copies", latency_budget_ms=PATIENT_MS)
    registry, copies = open_again(settings).registry, tmp_path / "instance" / "mtp_model_copies" / "behaviour"
    first = publish(registry)
    assert [path.name for path in copies.iterdir()] == [first]
    shutil.copytree(copies / first, tmp_path / "elsewhere")
    for n in range(8):
        newest = publish(registry, n)
    assert len(list(copies.iterdir())) == 5
    shutil.rmtree(copies / newest)
    shutil.copytree(tmp_path / "elsewhere", copies / first)
    registry.load("behaviour", newest)
    assert len(list(copies.iterdir())) == 5, "a machine that fetches drops what others deleted"
    assert not (copies / first).exists()


def test_a_folder_that_cannot_be_written_is_said(open_again: Callable[[Settings], Stores], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    stores = open_again(Settings(model_folder=str(tmp_path / "file" / "models")))
    assert stores.probes["models"]()
    with pytest.raises(UnavailableError):
        publish(stores.registry)

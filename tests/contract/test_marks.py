"""Copies of profiles in a process are never older than what somebody was told is stored."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.config import Settings
from mtp_plugin.store.marks import SLOTS, WIDTH, Marks
from mtp_plugin.store.near_journal import NearJournal
from mtp_plugin.store.open import Stores

from .events import make_event, note, noted

Open = Callable[[Settings], Stores]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'shop.sqlite'}")


def _write(path: str) -> None:
    Marks(Path(path)).change(["a:1"])


def test_a_mark_changes_for_all_processes(tmp_path: Path) -> None:
    path = tmp_path / "marks"
    marks = Marks(path)
    before, other = marks.of("a:1"), marks.of("a:2")
    child = multiprocessing.get_context("spawn").Process(target=_write, args=(str(path),))
    child.start()
    child.join()
    assert marks.of("a:1") != before
    assert marks.of("a:2") == other
    assert path.stat().st_size == SLOTS * WIDTH
    assert path.stat().st_blocks * 512 >= SLOTS * WIDTH, "a hole would end the process when the disk is full"


@given(st.lists(st.text(max_size=8), min_size=1, max_size=5))
def test_any_id_has_a_mark(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    marks = Marks(tmp_path_factory.getbasetemp() / "any-marks")
    before = [marks.of(name) for name in ids]
    marks.change(ids)
    assert all(marks.of(name) != mark for name, mark in zip(ids, before, strict=True))


def test_another_worker_sees_each_write_erasure_and_rebuild(settings: Settings, open_again: Open) -> None:
    writer, reader = (open_again(settings).journal for _ in range(2))
    assert isinstance(reader, NearJournal)
    assert reader.profiles(["a:1"]) == [None]
    for number in range(5):
        writer.record([make_event(number)], note)
        assert len(noted(reader.profiles(["a:1"])[0])) == number + 1
        assert len(noted(reader.profiles(["a:1"])[0])) == number + 1
    writer.rebuild(lambda profile, events: note(None, events[:2]))
    assert len(noted(reader.profiles(["a:1"])[0])) == 2
    writer.erase("a:1")
    assert reader.profiles(["a:1"]) == [None]


def test_a_copy_answers_without_the_database(settings: Settings, open_again: Open, monkeypatch) -> None:
    journal = open_again(settings).journal
    journal.record([make_event(1)], note)
    found = journal.profiles(["a:1", "a:2"])
    monkeypatch.setattr(NearJournal, "stored", lambda self, ids: pytest.fail("the database was asked"))
    assert journal.profiles(["a:1", "a:2"]) == found


def test_a_full_disk_leaves_no_copies(settings: Settings, open_again: Open, monkeypatch) -> None:
    def full(*arguments: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    journal = open_again(settings).journal
    for number in range(2):
        journal.record([make_event(number)], note)
        assert len(noted(journal.profiles(["a:1"])[0])) == number + 1


def test_a_linked_database_has_the_marks_of_the_real_one(tmp_path: Path, open_again: Open) -> None:
    real, link = tmp_path / "real", tmp_path / "current"
    real.mkdir()
    link.symlink_to(real)
    one, other = (
        open_again(Settings(database_url=f"sqlite:///{folder / 'shop.sqlite'}")).journal for folder in (real, link)
    )
    one.record([make_event(1)], note)
    assert len(noted(other.profiles(["a:1"])[0])) == 1
    one.record([make_event(2)], note)
    assert len(noted(other.profiles(["a:1"])[0])) == 2


def test_profiles_are_read_each_time_without_it(settings: Settings, open_again: Open, tmp_path: Path) -> None:
    (tmp_path / "shop.sqlite-marks").mkdir()
    writer, reader = (open_again(settings).journal for _ in range(2))
    writer.record([make_event(1)], note)
    assert len(noted(reader.profiles(["a:1"])[0])) == 1
    writer.record([make_event(2)], note)
    assert len(noted(reader.profiles(["a:1"])[0])) == 2

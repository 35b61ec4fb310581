"""Erasure reaches everything, models too, and goes on after a crash; the other rights hold what they promise."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask

from mtp_plugin.errors import InputError, NotFoundError
from mtp_plugin.memberships import Sorter
from mtp_plugin.privacy.readable import as_html, as_text
from mtp_plugin.records import ConsentLevel, Event, EventProduct, SlateRequest
from mtp_plugin.segmenting import refresh_segments
from mtp_plugin.state import State
from mtp_plugin.subjects import tell
from mtp_plugin.track.identifiers import time_ordered_id
from mtp_plugin.training import NothingToLearnError, train_behaviour

from ..core.shops import mounted, watches
from ..core.test_commands import run
from ..segment.visitors import T0, view, visits
from ..segment.visitors import products as kinds_of_products

NOW = 1_760_000_000.0
MARK = "marked-4711"
"""Stands in everything that the visitor leaves."""


def did(who: str, number: int, name: str = "Product Viewed", **more: Any) -> Event:
    at = NOW + 60 * number + sum(map(ord, who)) % 50
    return Event(
        event_id=time_ordered_id(at),
        name=name,
        profile_id=who,
        timestamp=at,
        received_at=at,
        dedupe_key=f"{who}-{number}-{name}",
        products=(EventProduct(product_id=f"p{(number * 7 + len(who)) % 30:02d}"),),
        **more,
    )


def history(visitors: Sequence[str], per: int = 6) -> list[Event]:
    events = [did(who, number) for who in visitors for number in range(per)]
    events += [did(who, per + 1, "Order Completed", properties={"order_id": f"o-{who}"}) for who in visitors]
    return sorted(events, key=lambda event: event.timestamp)


def others(count: int = 30) -> list[str]:
    return [f"a:{'x' * (1 + one % 5)}{one}" for one in range(count)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Flask, State]]:
    app, state = mounted(tmp_path, watches())
    yield app, state
    state.close()


def leave_traces(state: State) -> None:
    """Everything that can be kept of one visitor."""
    own = [
        did(f"u:{MARK}", number, traits={"city": MARK}, properties={"note": MARK}, anonymous_id=MARK)
        for number in range(5)
    ]
    state.pipeline.ingest(own + history(others()))
    train(state)
    request = SlateRequest(
        placement="home-hero", now=NOW, consent_level=ConsentLevel.FULL, profile_ids=(f"u:{MARK}", f"a:{MARK}")
    )
    assert state.pipeline.recommend(request).items
    state.slates.flush()


def train(state: State) -> None:
    train_behaviour(
        state.journal, state.registry, state.pipeline.live.refresh().table, now=NOW + 9999, seed=0, progress=len
    )


def written(folder: Path) -> list[str]:
    """Every file and row in which the mark stands."""
    found = [str(path) for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite-wal"
             and "sqlite" not in path.name and MARK.encode() in path.read_bytes()]  # fmt: skip
    with closing(sqlite3.connect(folder / "mtp.sqlite")) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f"SELECT * FROM {table}"):
                if any(MARK in (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
                       for value in row):  # fmt: skip
                    found.append(table)
    return sorted(set(found))


def test_erasure_reaches_everything_that_was_written(shop: tuple[Flask, State], tmp_path: Path) -> None:
    app, state = shop
    leave_traces(state)
    assert {"mtp_event", "mtp_profile", "mtp_slate", "mtp_slate_profile"} <= set(written(tmp_path))
    done = run(app, "subject", "erase", f"u:{MARK}", f"a:{MARK}", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["finished_at"]
    assert told["steps"]["events"] == 5
    assert told["steps"]["models"] == 1
    assert written(tmp_path) == []
    assert state.journal.count() == len(history(others()))
    assert [entry.action for entry in state.audit.latest(2)] == ["subject.erase-done", "subject.erase-asked"]
    assert state.audit.verify() == []


def arrays(state: State) -> dict[str, Any]:
    version = state.registry.current("behaviour")
    assert version
    bundle = state.registry.load("behaviour", version)
    return {**bundle.arrays, **{name: np.array(words) for name, words in bundle.strings.items()}, "meta": bundle.meta}


def test_an_erased_model_is_one_trained_without_the_visitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtp_plugin.subjects.time.time", lambda: NOW + 9999)
    (_, with_her), (_, without) = (mounted(tmp_path / name, watches()) for name in ("with", "without"))
    leave_traces(with_her)
    before = arrays(with_her)
    with_her.subjects.erase([f"u:{MARK}", f"a:{MARK}"], "test")
    without.pipeline.ingest(history(others()))
    train(without)
    erased, expected = arrays(with_her), arrays(without)
    assert erased.keys() == expected.keys()
    for name, array in expected.items():
        assert np.array_equal(erased[name], array) if name != "meta" else erased[name] == array, name
    assert any(not np.array_equal(before[name], array) for name, array in expected.items() if name != "meta")
    assert len(with_her.registry.list("behaviour")) == 1, "no older version remembers"
    for state in (with_her, without):
        state.close()


def test_erased_segments_and_what_is_learnt_by_them_are_those_without_the_visitor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shop with segments, whose next refresh would otherwise go on from where the erased visitor was among others."""
    now = T0 + 3600
    monkeypatch.setattr("mtp_plugin.subjects.time.time", lambda: now)
    shops = [mounted(tmp_path / name, kinds_of_products(), MTP_SEGMENT_COUNT=3)[1] for name in ("with", "without")]
    hers = [
        view(kind, number, now - 900 + 60 * number)
        for number, kind in enumerate(("watches", "watches", "lamps", "bags", "lamps"))
    ]
    # Groups of three sizes, so that ids are given in the same order in both shops: they live on with their groups.
    all_others = [events for number, events in enumerate(visits(120)) if number % 3 == 0 or number > 9 * (number % 3)]
    for state, own in zip(shops, (hers, []), strict=True):
        for events in [*all_others, *([own] if own else [])]:
            state.pipeline.ingest(events)
        learn_all(state, now)
    before = [bundle_of(state, "segments") for state in shops]
    assert not all(same(before[0][name], before[1][name]) for name in before[1])
    shops[0].subjects.erase([hers[0].profile_id], "test")
    shops[1].subjects.erase(["a:nobody"], "test")  # models are made anew in the same way, of the same visitors
    for kind in ("segments", "behaviour"):
        erased, expected = (bundle_of(state, kind) for state in shops)
        assert erased.keys() == expected.keys()
        for name, array in expected.items():
            assert same(erased[name], array), (kind, name)
        assert len(shops[0].registry.list(kind)) == 1, "no older version remembers"
    for state in shops:
        state.close()


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Bit for bit; what is unknown in both is the same."""
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def learn_all(state: State, now: float) -> None:
    refresh_segments(state.journal, state.registry, state.segments, state.settings, now=now, seed=0, progress=len)
    table = state.pipeline.live.refresh().table
    train_behaviour(
        state.journal, state.registry, table, now=now, seed=0, progress=len, sorter=Sorter.of(state.pipeline)
    )


def bundle_of(state: State, kind: str) -> dict[str, Any]:
    version = state.registry.current(kind)
    assert version
    bundle = state.registry.load(kind, version)
    return {**bundle.arrays, **{name: np.array(words) for name, words in bundle.strings.items()}}


def test_the_only_visitor_can_be_erased_too(shop: tuple[Flask, State]) -> None:
    _, state = shop
    state.pipeline.ingest([did("u:only", number) for number in range(6)])
    train(state)
    state.subjects.erase(["u:only"], "test")
    assert len(arrays(state)["log_owners"]) == 0
    with pytest.raises(NothingToLearnError):
        train(state)
    assert state.pipeline.recommend(SlateRequest(placement="home-trending", now=NOW)).items


class Crash(BaseException):
    """The power goes."""


STEPS = ("suppress", "events", "slates", "consents", "models", "sweep", "finish")


@pytest.mark.parametrize("at", STEPS)
def test_an_erasure_goes_on_after_a_crash(
    shop: tuple[Flask, State], tmp_path: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, state = shop
    leave_traces(state)
    subjects = state.subjects

    def crash(*arguments: object, **options: object) -> Any:
        raise Crash

    place: dict[str, tuple[object, str]] = {
        "suppress": (subjects, "_suppress"),
        "models": (subjects, "_models"),
        "sweep": (subjects, "_end"),
        "finish": (subjects, "_finish"),
        **{holder.name: (holder, "erase") for holder in subjects.holders},
    }
    with monkeypatch.context() as broken:
        broken.setattr(*place[at], crash)
        with pytest.raises(Crash):
            subjects.erase([f"u:{MARK}", f"a:{MARK}"], "test")
    (open_request,) = state.requests.unfinished()
    assert at not in open_request.steps

    again = run(app, "jobs", "run", "erasures", "--json")  # another process finds it
    assert json.loads(again.stdout)["ran"][0]["message"] == "1 requests done"
    assert state.requests.unfinished() == []
    assert written(tmp_path) == []


def test_what_was_erased_does_not_come_back(shop: tuple[Flask, State]) -> None:
    _, state = shop
    own = [did("u:5", number) for number in range(4)]
    state.pipeline.ingest(own)
    state.subjects.erase(["u:5"], "test")
    assert state.pipeline.ingest([*own, did("u:6", 1)]) == [False] * 4 + [True]
    assert state.pipeline.ingest([did("u:5", 99_999_999)]) == [False], "nothing new either"
    assert state.journal.profiles(["u:5"]) == [None]

    state.subjects.readmit("u:5")
    later = did("u:5", 99_999_999)
    assert state.pipeline.ingest([*own, later]) == [False] * 4 + [True], "after a new yes, but not what was erased"


def test_a_restriction_keeps_and_uses_nothing_until_it_is_lifted(shop: tuple[Flask, State]) -> None:
    app, state = shop
    state.pipeline.ingest([did("u:7", number) for number in range(4)] + history(others(5)))
    run(app, "subject", "restrict", "u:7")
    assert state.pipeline.ingest([did("u:7", 50)]) == [False]
    assert state.journal.profiles(["u:7"]) != [None]
    state.subjects.resume()
    train_all(app)
    assert "u:7" not in learnt_from(state)
    assert run(app, "subject", "lift", "u:7").exit_code == 0
    assert state.pipeline.ingest([did("u:7", 51)]) == [True]
    train_all(app)
    assert "u:7" in learnt_from(state)


def train_all(app: Flask) -> None:
    assert run(app, "train").exit_code == 0


def learnt_from(state: State) -> set[str]:
    from mtp_plugin.candidates.log import owner

    owners = set(arrays(state)["log_owners"].tolist())
    return {name for name in ["u:7", *others(5)] if owner(name) in owners}


def test_an_objection_is_a_refusal_on_record(shop: tuple[Flask, State]) -> None:
    app, state = shop
    state.pipeline.ingest([did("u:8", 1)])
    assert json.loads(run(app, "subject", "object", "u:8", "--json").stdout)["steps"]["refuse"] == 1
    assert {(one.granted, one.source) for one in state.consents.of("u:8")} == {(False, "subject-request")}
    assert state.subjects.suppressed.kinds("u:8") == {"objected"}


def test_what_was_around_others_stays_theirs(shop: tuple[Flask, State]) -> None:
    """When an objection takes rows out of what is learnt from."""
    app, state = shop
    devices = {"u:20": "mobile", "u:21": "tv", "u:22": "desktop"}
    state.pipeline.ingest([did(name, 1, context={"device": device}) for name, device in devices.items()])
    assert run(app, "subject", "object", "u:21").exit_code == 0
    told = {
        name: around.device
        for batch in state.subjects.suppressed.without(state.journal.interactions())
        for name, around in zip(batch.profile_ids, batch.surroundings, strict=True)
        if name in devices
    }
    assert told == {"u:20": "mobile", "u:22": "desktop"}


def test_corrections_are_events_that_a_rebuild_keeps(shop: tuple[Flask, State]) -> None:
    app, state = shop
    state.pipeline.ingest([did("u:9", 1, traits={"city": "Bonn", "team": "red"})])
    told = run(app, "subject", "rectify", "u:9", "--set", "city=Köln", "--set", "team=null", "--json")
    assert json.loads(told.stdout)["steps"]["rectify"] == {"traits": ["city", "team"], "changed": 1}

    def traits() -> dict[str, Any]:
        (profile,) = state.journal.profiles(["u:9"])
        assert profile
        return {name: profile.traits.get(name) for name in ("city", "team")}

    assert traits() == {"city": "Köln", "team": None}
    state.pipeline.rebuild()
    assert traits() == {"city": "Köln", "team": None}
    with pytest.raises(NotFoundError):
        state.subjects.rectify(["u:nobody"], "test", {"a": 1})
    with pytest.raises(InputError):
        state.subjects.rectify(["u:9"], "test", {})


def test_edited_interests_are_events_that_a_rebuild_keeps(shop: tuple[Flask, State]) -> None:
    _, state = shop
    state.pipeline.ingest([did("u:9", number) for number in range(4)])

    def affinities() -> dict[str, dict[str, float]]:
        (profile,) = state.journal.profiles(["u:9"])
        assert profile
        return profile.affinities

    liked = max(affinities()["brand"], key=affinities()["brand"].__getitem__)
    for value, facet, wanted in ((liked, "brand", False), ("Shop > Lamp", "category", True)):
        tell(state.pipeline, "u:9", "Interests Edited", properties={"facet": facet, "value": value, "wanted": wanted})
    edited = affinities()
    assert liked not in edited["brand"]
    assert "Shop > Lamp" in edited["category"]
    state.pipeline.ingest([did("u:9", 20)])
    edited = affinities()
    state.pipeline.rebuild()
    assert affinities() == edited


def test_an_export_is_complete_and_readable(shop: tuple[Flask, State], tmp_path: Path) -> None:
    app, state = shop
    leave_traces(state)
    found = json.loads(run(app, "subject", "export", f"u:{MARK}", f"a:{MARK}").stdout)
    assert len(found["events"]["events"]) == 5
    assert found["events"]["profiles"][0]["traits"]["city"] == MARK
    assert found["slates"][0]["slate"]["items"]
    for written_as in (as_html(found), as_text(found)):
        assert MARK in written_as
        assert "2025-10-09" in written_as, "times are said as people say them"
    page = tmp_path / "export.html"
    assert run(app, "subject", "export", f"u:{MARK}", "--format", "html", "--output", str(page)).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")
    assert state.audit.latest(1)[0].action == "subject.exported"
    assert MARK not in str(list(state.audit.entries()))


def test_an_export_shows_nothing_as_markup() -> None:
    assert "<script>" not in as_html({"a<script>": ["<script>", {"<script>": "<script>"}]})


def test_who_holds_more_takes_part(shop: tuple[Flask, State]) -> None:
    _, state = shop

    class Notes:
        name = "notes"

        def __init__(self) -> None:
            self.kept = {"u:1": ["a"], "a:1": ["b", "c"]}

        def linked(self, profile_id: str) -> list[str]:
            return {"u:1": ["a:1"], "a:1": ["u:1"]}.get(profile_id, [])

        def export(self, profile_ids: Sequence[str]) -> Any:
            return [note for name in profile_ids for note in self.kept.get(name, [])]

        def erase(self, profile_ids: Sequence[str]) -> int:
            return sum(len(self.kept.pop(name, [])) for name in profile_ids)

    notes = Notes()
    state.subjects.holders.append(notes)
    assert state.subjects.export(["a:1"], "test")["notes"] == ["b", "c", "a"]
    assert state.subjects.erase(["a:1"], "test").steps["notes"] == 3
    assert notes.kept == {}
    assert state.pipeline.ingest([did("u:1", 1)]) == [False], "those linked are suppressed, too"


@pytest.mark.parametrize("who", ["1", "x:1", "u:", ""])
def test_an_id_says_of_what_kind_it_is(shop: tuple[Flask, State], who: str) -> None:
    app, _ = shop
    assert run(app, "subject", "erase", who).exit_code == 1


def test_retention_counts_before_it_deletes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, state = mounted(tmp_path, watches(), MTP_PROFILE_DAYS=100, MTP_EVENT_DAYS=50, MTP_SLATE_DAYS=1)
    clock: Callable[[], float] = lambda: NOW + 99 * 86400.0  # noqa: E731
    monkeypatch.setattr("mtp_plugin.scheduled.time.time", clock)
    state.pipeline.ingest([did("u:1", 1), did("u:2", 1), did("u:2", 60 * 24 * 60)])
    state.pipeline.recommend(SlateRequest(placement="home-trending", now=NOW))
    state.slates.flush()

    def rows(*words: str) -> dict[str, int]:
        return {row["kind"]: row["count"] for row in json.loads(run(app, "retention", *words, "--json").stdout)["rows"]}

    expected = {"visitors": 0, "events": 2, "slates": 1, "message ids": 3, "webhooks": 0, "replaced choices": 0,
                "requests of data subjects": 0, "outcomes": 0, "alerts and their hours": 0}  # fmt: skip
    assert rows("--dry-run") == rows("--dry-run") == expected
    assert state.journal.count() == 3
    assert rows() == expected
    assert state.journal.count() == 1
    monkeypatch.setattr("mtp_plugin.scheduled.time.time", lambda: NOW + 400 * 86400.0)
    assert rows("--dry-run")["visitors"] == 1
    assert "1 would be deleted" in run(app, "retention", "--dry-run").stdout
    assert json.loads(run(app, "jobs", "run", "retention", "--json").stdout)["ran"][0]["ok"]
    assert state.journal.profiles(["u:2"]) == [None]
    state.close()

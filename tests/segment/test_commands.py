"""``flask mtp segments ...``: read, compared, exported, renamed, written by hand, drawn; nothing below the floor."""

from __future__ import annotations

import builtins
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask

from mtp_plugin.ports import SegmentChange, SegmentCount, SegmentMove, SegmentRefresh
from mtp_plugin.records import Segment
from mtp_plugin.segment.story import compare, migration, points, readable, shown, sizes, story
from mtp_plugin.segmenting import refresh_segments

from ..core.shops import mounted
from .visitors import DAY, T0, products, visits


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shop with two refreshes behind it."""
    app, state = mounted(tmp_path_factory.mktemp("shop"), products(), MTP_SEGMENT_COUNT=3)
    with app.app_context():
        for events in visits(150):
            state.pipeline.ingest(events)
        parts: Any = (state.journal, state.registry, state.segments, state.settings)
        for week in (0, 1):
            refresh_segments(*parts, now=T0 + 3600 + 7 * DAY * week, seed=week, progress=lambda text: None)
    yield app, state
    state.close()


def run(app: Flask, *words: str, code: int = 0) -> Any:
    """The object that a command prints with ``--json``."""
    done = app.test_cli_runner().invoke(args=["mtp", "segments", *words, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def said(app: Flask, *words: str) -> str:
    done = app.test_cli_runner().invoke(args=["mtp", "segments", *words])
    assert done.exit_code == 0, done.output
    return str(done.stdout)


def test_segments_are_listed_and_described(shop: Any) -> None:
    app, _ = shop
    listed = run(app, "list")["segments"]
    assert len(listed) == 3
    one = run(app, "describe", listed[0]["segment_id"])
    assert one["segment"]["name"] == listed[0]["name"]
    assert one["stability"] in ("stable", "uncertain", "unstable")
    assert len(one["sizes"]) >= 2
    text = said(app, "describe", listed[0]["segment_id"])
    assert re.search(r"rule: .*\n  right for \d+% of those it picks", text)
    assert run(app, "describe", "s99", code=1)["error"]["code"] == "not-found"
    for segment in listed:
        assert segment["name"] in said(app, "list")


def test_refreshes_are_compared(shop: Any) -> None:
    app, _ = shop
    found = run(app, "compare")
    assert found["kept_id"] == 1.0
    assert all(one["before"] == one["after"] for one in found["segments"])
    assert "recency_days moved" in said(app, "compare")
    assert run(app, "compare", "--back", "7", code=1)["error"]["field"] == "back"
    assert run(app, "compare", "--to", "1", code=1)["error"]["field"] == "to"
    (step,) = found["steps"]
    assert (step["version"], step["migration"]) == (found["after"], found["migration"])


def test_any_two_refreshes_are_compared_and_moves_told_step_by_step(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, products())
    with app.app_context():
        for day, size in enumerate((60, 50, 80)):
            counts = tuple(SegmentCount(segment_id=f"s{n}", name=f"N{n}", size=size + n) for n in (1, 2))
            moves = (
                SegmentMove(before="s1", after="s2", count=30 + day),
                SegmentMove(before="s2", after="s1", count=3),
            )
            state.segments.record_refresh(
                SegmentRefresh(
                    version=str(day), refreshed_at=T0 + DAY * day, method="kmeans", visitors=200,
                    segments=counts, moves=moves,
                )
            )  # fmt: skip
    early, whole = run(app, "compare", "--back", "2", "--to", "1"), run(app, "compare", "--back", "2")
    assert [(one["before"], one["after"]) for one in (early, whole)] == [("0", "1"), ("0", "2")]
    sizes = [{one["segment_id"]: one["after"] for one in found["segments"]} for found in (early, whole)]
    assert sizes == [{"s1": 51, "s2": 52}, {"s1": 81, "s2": 82}]
    assert [one["migration"]["flows"][0]["count"] for one in whole["steps"]] == [32, 31]
    text = said(app, "compare", "--back", "2")
    assert "32 from N1 to N2" in text
    assert "3 from N2" not in text
    state.close()


def test_segments_and_members_are_exported(shop: Any, tmp_path: Path) -> None:
    app, _ = shop
    one = run(app, "list")["segments"][0]
    lines = [json.loads(line) for line in said(app, "export").splitlines()]
    assert [line["segment_id"] for line in lines] == [s["segment_id"] for s in run(app, "list")["segments"]]
    said(app, "export", "--members", one["segment_id"], "--out", str(tmp_path / "out.csv"))
    members = (tmp_path / "out.csv").read_text().split()
    assert members[0] == "profile_id"
    assert len(members) == one["size"] + 1
    assert len(run(app, "export", "--members", one["segment_id"])["members"]) == one["size"]
    assert run(app, "export", "--members", "nothing", code=1)["error"]["code"] == "not-found"


def test_a_merchants_name_lives_on(shop: Any) -> None:
    app, state = shop
    one = run(app, "list")["segments"][0]["segment_id"]
    other = run(app, "list")["segments"][1]["name"]
    assert run(app, "rename", one, other, code=1)["error"]["field"] == "name"
    assert run(app, "rename", one, " Our  best ")["name"] == "Our best"
    run(app, "refresh")
    assert run(app, "describe", one)["segment"]["name"] == "Our best"
    assert run(app, "rename", one, "")["name"] != "Our best"
    assert any(entry.action == "segment.renamed" for entry in state.audit.latest(9))


def test_one_is_written_by_hand_counted_and_deleted(shop: Any, tmp_path: Path) -> None:
    app, _ = shop
    condition = '{"profile.category.Watches": {"$gte": 0.5}}'
    counted = run(app, "count", "--condition", condition)
    assert counted["size"] >= 40
    made = run(app, "create", "Watch people", "--condition", condition, "--precedence", "3")
    assert made["segment"]["segment_id"] == "watch-people"
    assert made["count"]["size"] == made["segment"]["size"] == counted["size"]
    assert run(app, "list")["segments"][0]["segment_id"] == "watch-people"
    assert "by hand" in said(app, "list")
    (tmp_path / "few.json").write_text('{"profile.sessions": {"$gt": 40}}')
    few = run(app, "create", "Few", "--file", str(tmp_path / "few.json"))
    assert few["count"]["size"] is None
    assert "fewer than 20 visitors" in said(app, "describe", "few")
    assert run(app, "profile", "few", str(tmp_path / "few.png"), code=1)["error"]["code"] == "too-few"
    assert run(app, "rename", "few", "Very few")["name"] == "Very few"
    for name in ("watch-people", "few"):
        assert run(app, "delete", name) == {"deleted": name}
    assert run(app, "delete", "few", code=1)["error"]["code"] == "not-found"
    for wrong in ("{", "[]", '{"profile.nothing": 1}', ""):
        assert run(app, "create", "X", "--condition", wrong, code=1)["error"]["code"]


@pytest.mark.parametrize("form", ["png", "svg"])
def test_pictures_are_drawn(shop: Any, tmp_path: Path, form: str) -> None:
    app, _ = shop
    pytest.importorskip("matplotlib")
    one = run(app, "list")["segments"][0]["segment_id"]
    calls = {"map": (), "history": (), "profile": (one,)}
    for verb, words in calls.items():
        first, again = (tmp_path / f"{verb}{turn}.{form}" for turn in (1, 2))
        for file in (first, again):
            assert run(app, verb, *words, str(file))["file"] == str(file)
        assert first.read_bytes() == again.read_bytes()
        if form == "png":
            assert first.read_bytes().startswith(b"\x89PNG")
        else:
            text = "".join(ElementTree.parse(first).getroot().itertext())
            assert one in text or verb == "profile"
    tsne = tmp_path / f"tsne.{form}"
    assert run(app, "map", str(tsne), "--method", "tsne")["points"] == 150
    assert run(app, "map", str(tmp_path / "map.gif"), code=1)["error"]["field"] == "file"


def test_without_matplotlib_it_is_said_what_to_install(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = shop
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    error = run(app, "map", str(tmp_path / "map.png"), code=1)["error"]
    assert "mtp-plugin[plots]" in error["message"]


# --------------------------------------------------------------------------------------------- what is shown, as data


def refresh(at: float, *sizes: tuple[str, int], **more: Any) -> SegmentRefresh:
    counts = tuple(SegmentCount(segment_id=one, name=f"N{one}", size=size) for one, size in sizes)
    return SegmentRefresh(
        version=str(at), refreshed_at=at, method="kmeans", visitors=sum(s for _, s in sizes), segments=counts, **more
    )


OLD = refresh(1.0, ("s1", 100), ("s2", 15))
NEW = refresh(
    2.0,
    ("s1", 80),
    ("s3", 50),
    moves=tuple(SegmentMove(*move) for move in (("s1", "s3", 30), ("s1", "s1", 70), ("", "s1", 25), ("s2", "s3", 9))),
    changes=(
        SegmentChange(kind="split", before=("s1",), after=("s1", "s3")),
        SegmentChange(kind="gone", before=("s2",), after=()),
    ),
)


def test_nothing_below_the_floor_is_shown() -> None:
    series = {one.segment_id: [size.size for size in one.sizes] for one in sizes([NEW, OLD], {}, 20)}
    assert series == {"s1": [100, 80], "s3": [None, 50], "s2": [None, None]}
    moved = migration(NEW, {"s3": "Called"}, 20)
    assert [(flow.before, flow.after_name, flow.count) for flow in moved.flows] == [
        ("s1", "Called", 30), ("s1", "Ns1", 70), ("", "Ns1", 25),
    ]  # fmt: skip
    assert moved.few is None
    assert {one.segment_id: (one.before, one.after) for one in compare(OLD, NEW, {}, 20)} == {
        "s1": (100, 80), "s2": (None, None), "s3": (None, 50),
    }  # fmt: skip
    few = story(Segment(segment_id="s2", name="Few", size=15, lifts=(("orders", 1.0, 2.0),)), [NEW, OLD], {}, 20)
    assert (few.shown, few.segment.size, few.apart) == (False, 0, ())
    assert shown(19, 20) is None


def test_a_story_says_who_came_and_went() -> None:
    told = story(Segment(segment_id="s3", name="New", size=50, stability=0.5), [NEW, OLD], {"s1": "One"}, 20)
    assert [(flow.before_name, flow.count) for flow in told.joined] == [("One", 30)]
    assert told.stability == "unstable"
    assert told.changes == ("One (s1) split into One (s1) and Ns3 (s3)",)
    assert points(None) == ()


def test_rules_are_readable() -> None:
    rule = {"profile.orders": {"$gte": 3.0, "$lt": 10.0}, "profile.traits.plan": {"$in": ["gold"]}, "$or": [{"a": 1}]}
    assert readable(rule) == 'orders >= 3 and orders < 10 and traits.plan is one of gold and $or [{"a":1}]'
    assert readable({}) == "everybody"

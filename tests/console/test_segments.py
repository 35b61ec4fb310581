"""Segments in the console: found ones and their story, those written by hand, and nothing below the floor."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtp_plugin.records import Event, EventProduct
from mtp_plugin.segmenting import refresh_segments

from .conftest import Desk, open_desk

NOW = time.time()


def shoppers(count: int = 160) -> list[Event]:
    """Half of them look at small things often, half at large ones once."""
    found = []
    for who in range(count):
        busy = who % 2
        for turn in range(12 if busy else 2):
            number = 2 * ((who * 7 + turn) % 60) + busy
            name = "Order Completed" if busy and turn > 9 else "Product Viewed"
            at = NOW - 86_400.0 * (turn + who % 5) - who
            found.append(
                Event(
                    event_id=f"{int(at * 1000):012x}{who:010x}{turn:010x}",
                    name=name,
                    profile_id=f"a:{who:032x}",
                    timestamp=at,
                    received_at=at,
                    dedupe_key=f"{who}-{turn}",
                    anonymous_id=f"{who:032x}",
                    products=(EventProduct(product_id=f"p{number:03d}", price=10.0),),
                )
            )
    return found


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A shop whose visitors fall into segments."""
    desk = open_desk(tmp_path_factory.mktemp("peopled"))
    state = desk.shop.state
    state.pipeline.ingest(shoppers())
    refresh_segments(
        state.journal, state.registry, state.segments, state.settings, now=NOW, seed=0, progress=lambda text: None
    )
    state.pipeline.live.refresh()
    yield desk
    state.close()


@pytest.fixture
def desk(peopled: Desk) -> Desk:
    return peopled.be(("merchandiser", "Ada"))


def some(desk: Desk) -> str:
    return desk.shop.state.pipeline.live.get().segments.all()[0].segment_id


def test_a_shop_without_segments_says_how_to_get_them(tmp_path: Path) -> None:
    desk = open_desk(tmp_path)
    assert "No segments yet" in desk.get("/segments/").text
    assert desk.get("/segments/segment/s1").status_code == 404
    desk.shop.state.close()


def test_the_list_and_the_map(desk: Desk) -> None:
    page = desk.get("/segments/").text
    for one in desk.shop.state.pipeline.live.get().segments.all():
        assert f"/segments/segment/{one.segment_id}" in page
    assert '<svg class="map"' in page
    assert desk.get("/segments/?map=tsne").status_code == 200
    rows = desk.get("/segments/?format=csv").text.splitlines()
    assert rows[0].startswith("segment_id,name")
    floor = desk.shop.state.settings.segment_min_size
    assert all(int(row.split(",")[-6]) >= floor for row in rows[1:] if row.split(",")[-6].isdecimal())


def test_one_segments_story(desk: Desk) -> None:
    page = desk.get(f"/segments/segment/{some(desk)}").text
    for heading in ("What sets them apart", "Joined and left", "Call it something else"):
        assert heading in page
    assert '<ol class="slate">' in page
    assert desk.get(f"/as/?segment={some(desk)}").status_code == 200


def test_a_name_of_the_merchants_own(desk: Desk) -> None:
    name = some(desk)
    desk.post(f"/segments/segment/{name}/name", name="")  # whatever another test has called it
    own = desk.shop.state.pipeline.live.get().segments.all()[0].name
    assert desk.post(f"/segments/segment/{name}/name", name="  Our  regulars ").status_code == 303
    page = desk.get(f"/segments/segment/{name}").text
    assert "<h1>Our regulars</h1>" in page
    assert "is called Our regulars now" in page
    assert "segment.renamed" in desk.get("/changes/?kind=segment").text
    assert desk.post(f"/segments/segment/{name}/name", name="x" * 200).status_code == 422
    assert desk.post(f"/segments/segment/{name}/name", name="").status_code == 303
    assert f"<h1>{own}</h1>".replace("&", "&amp;") in desk.get(f"/segments/segment/{name}").text


def test_one_is_written_counted_saved_changed_and_deleted(desk: Desk) -> None:
    state = desk.shop.state
    assert desk.get("/segments/new").status_code == 200
    form = {
        "name": "Buyers of ours", "precedence": "10", "enabled": "on", "when.any": "all",
        "when.0.fact": "profile.orders", "when.0.comparison": "$gte", "when.0.value": "1",
    }  # fmt: skip
    counted = desk.post("/segments/new", **form, intent="count").text
    assert re.search(r"80 of 160 visitors", counted, re.I)
    assert "orders is at least 1" in counted
    assert state.segments.made() == []
    assert 'name="when.1.fact"' in desk.post("/segments/new", **form, intent="add.when").text
    assert desk.post("/segments/new", **form, intent="save").status_code == 303
    (made,) = state.segments.made()
    assert (made.segment_id, made.condition, made.size) == ("buyers-of-ours", {"profile.orders": {"$gte": 1}}, 80)
    edit = f"/segments/written/{made.segment_id}"
    assert "80 of 160" in desk.get(edit).text, "the notice"
    assert desk.post("/segments/new", **form, intent="save").status_code == 422, "the name is taken"
    assert desk.post(edit, **{**form, "when.0.value": "2"}, intent="save").status_code == 303
    page = desk.get(edit).text
    undo = re.search(r'action="([^"]+/restore)">.*?name="json" value="([^"]+)"', page, re.S)
    assert undo
    assert desk.post(f"{edit}/restore", json=undo[2].replace("&#34;", '"')).status_code == 303
    assert state.segments.made()[0].condition == {"profile.orders": {"$gte": 1}}
    assert desk.get(f"/segments/segment/{made.segment_id}").status_code == 200
    assert desk.post(f"{edit}/delete").status_code == 303
    assert state.segments.made() == []
    assert desk.get(edit).status_code == 404


@pytest.mark.parametrize("changes", [{"name": ""}, {"precedence": "x"}, {"when.0.fact": ""}, {"when.0.fact": "nothing"},
                                     {"when.0.value": ""}, {"when.json": "["}, {"when.json": "{}"}])  # fmt: skip
def test_an_error_is_told(desk: Desk, changes: dict[str, str]) -> None:
    form = {"name": "N", "precedence": "1", "when.0.fact": "profile.orders", "when.0.value": "1", **changes}
    answer = desk.post("/segments/new", **form, intent="save")
    assert answer.status_code == 422
    assert 'class="error-summary"' in answer.text


TYPED = st.text(max_size=12) | st.sampled_from(["profile.orders", "$gte", "$in", "1", "count", "save", "add.when"])
NAMES = ("name", "precedence", "intent", "when.0.fact", "when.0.comparison", "when.0.value", "when.any", "when.json")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.dictionaries(st.sampled_from(NAMES), TYPED), json=st.text(max_size=30))
def test_whatever_is_sent_is_answered(desk: Desk, form: dict[str, str], json: str) -> None:
    assert desk.post("/segments/new", **form).status_code in (200, 303, 422)
    assert desk.post("/segments/written/x/restore", json=json).status_code == 400
    assert desk.post(f"/segments/segment/{some(desk)}/name", name=json).status_code in (303, 404, 422)

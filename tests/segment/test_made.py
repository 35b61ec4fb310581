"""Segments written by hand: checked, counted, tried before found ones, and used by every worker within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from mtp_plugin.errors import ConditionError, InputError
from mtp_plugin.handmade import check_condition, checked, count, recount
from mtp_plugin.ports import MadeSegment, SegmentRefresh
from mtp_plugin.profile.features import features_of
from mtp_plugin.records import ConsentLevel, Context, Funnel, Profile, Segment, Slate, SlateRequest
from mtp_plugin.scheduled import standard_jobs
from mtp_plugin.segment.made import MadeSegments, paths_of
from mtp_plugin.segment.null import NoSegments
from mtp_plugin.segment.stage import Segments

from ..core.shops import mounted
from .visitors import T0, products, visits

NOW = T0 + 3600
MARGIN = {"profile.margin_affinity": {"$gte": 0.4}, "profile.view_to_buy": {"$lt": 0.05}}
"""Looks at high-margin things, rarely buys."""


def made(segment_id: str, condition: dict[str, Any], **more: Any) -> MadeSegment:
    return MadeSegment(segment_id=segment_id, name=segment_id.title(), condition=condition, **more)


def visitor(margin: float = 0.5, views: int = 40, bought: int = 1, **more: Any) -> Profile:
    funnels = {"Accessories": Funnel(views, 0, bought)}
    return Profile(
        profile_id="a:1", events=views, sessions=2, last_seen=NOW, margin=(margin * 10, 10.0), funnels=funnels, **more
    )


def stage(*segments: MadeSegment, min_age: int = 18) -> Segments:
    return Segments(NoSegments(), MadeSegments(segments), {}, features_of, min_age=min_age)


def in_segment(of: Segments, profile: Profile | None, **context: Any) -> str:
    ref = of.assign(profile, Context(**context), NOW)
    return ref.segment_id if ref else ""


def test_high_margin_and_rarely_buying() -> None:
    segments = stage(made("margin-browsers", MARGIN))
    assert in_segment(segments, visitor()) == "margin-browsers"
    assert in_segment(segments, visitor(margin=0.2)) == ""
    assert in_segment(segments, visitor(bought=9)) == ""


def test_the_first_in_precedence_counts() -> None:
    second, first = made("second", {"profile.sessions": 2}, precedence=5), made("first", MARGIN, precedence=1)
    assert in_segment(stage(second, first), visitor()) == "second", "the order is the book's"
    assert in_segment(stage(first, second), visitor()) == "first"
    assert in_segment(stage(first, second), visitor(margin=0.1)) == "second"


def test_context_can_be_asked_for() -> None:
    segments = stage(made("evening", {"context.daypart": "evening", "profile.sessions": {"$gte": 1}}))
    assert in_segment(segments, visitor(), daypart="evening") == "evening"
    assert in_segment(segments, visitor()) == ""


@pytest.mark.parametrize("who", [None, Profile(profile_id="a:1"), visitor(traits={"age": 15})])
def test_who_is_unknown_or_too_young_is_in_none(who: Profile | None) -> None:
    rarely = stage(made("rarely", {"profile.view_to_buy": {"$lt": 0.05}}))
    assert in_segment(rarely, who) == ""
    assert in_segment(rarely, visitor()) == "rarely"


def test_a_request_alone_belongs_where_nothing_but_context_is_asked_for() -> None:
    phones = made("phones", {"context.device": "mobile", "$not": {"context.country": "DE"}})
    segments = stage(made("mixed", {"$or": [{"context.device": "mobile"}, {"profile.orders": 1}]}), phones)
    assert in_segment(segments, None, device="mobile") == "phones"
    assert in_segment(segments, None, device="mobile", country="DE") == ""
    assert in_segment(segments, Profile(profile_id="a:1"), device="mobile") == "phones", "nothing is known yet"
    assert in_segment(segments, Profile(profile_id="a:1", traits={"age": 15}), device="mobile") == ""
    ref = segments.assign(None, Context(device="mobile"), NOW)
    assert ref is not None
    assert ref.confidence == 1.0
    assert not segments.page_alone
    assert stage(made("home", {"context.page_type": "home"}), made("rich", {"profile.spend": {"$gt": 9}})).page_alone


def test_one_that_is_off_or_cannot_be_read_puts_nobody_into_it() -> None:
    off, broken = made("off", MARGIN, enabled=False), made("broken", {"profile.orders": {"$near": 3}})
    segments = stage(off, broken, made("rest", {"profile.sessions": 2}))
    assert in_segment(segments, visitor()) == "rest"
    assert [one.segment_id for one in segments.all()] == ["broken", "rest"]
    assert segments.find("off") is None


def test_paths_are_found_wherever_they_stand() -> None:
    either = [{"profile.orders": 1}, {"$not": {"context.city": {"$in": ["Rom"]}}}]
    condition = {"$or": either, "profile.spend": {"$gt": 2}}
    assert paths_of(condition) == {"profile.orders", "context.city", "profile.spend"}


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({}, ""),
        ({"profile.orders": {"$near": 3}}, "profile.orders.$near"),
        ({"profile.oders": 3}, "profile.oders"),
        ({"orders": 3}, "orders"),
        ({"segment.id": "s1"}, "segment.id"),
        ({"$or": [{"context.moon": "full"}]}, "context.moon"),
    ],
)
def test_what_could_never_hold_as_meant_is_refused(condition: dict[str, Any], field: str) -> None:
    with pytest.raises(ConditionError) as caught:
        check_condition(condition)
    assert caught.value.field == field
    if field in ("profile.oders", "orders"):
        assert "profile.orders" in caught.value.message


def test_ids_and_names_are_checked() -> None:
    wanted = MadeSegment(segment_id="", name="  Größte   Margen! ", condition=MARGIN)
    assert checked(wanted).segment_id == "groesste-margen"
    assert checked(wanted).name == "Größte Margen!"
    assert checked(MadeSegment(segment_id="", name="S1", condition=MARGIN)).segment_id == "segment-s1"
    for segment_id, name, field in (("s1", "x", "segment_id"), ("A b", "x", "segment_id"), ("", "  ", "name")):
        with pytest.raises(InputError) as caught:
            checked(MadeSegment(segment_id=segment_id, name=name, condition=MARGIN))
        assert caught.value.field == field
    with pytest.raises(InputError, match="s7"):
        checked(wanted, [Segment(segment_id="s7", name="größte margen!")])


# ----------------------------------------------------------------------------------------- counted, and in workers


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shop with 120 visitors, of whom 40 like watches."""
    folder: Path = tmp_path_factory.mktemp("shop")
    app, state = mounted(folder, products())
    with app.app_context():
        for events in visits(120):
            state.pipeline.ingest(events)
    yield app, state, folder
    state.close()


WATCHES = {"profile.category.Watches": {"$gte": 0.5}}


def test_all_are_counted_where_they_are_few(shop: Any) -> None:
    _, state, _ = shop
    found = count(state.journal, state.settings, WATCHES, now=NOW)
    assert (found.looked, found.visitors, found.unknown) == (120, 120, ())
    assert found.size == found.holds
    assert 35 <= (found.size or 0) <= 45


def test_many_are_estimated_and_it_is_told_how_far_it_is(shop: Any) -> None:
    _, state, _ = shop
    told: list[str] = []
    found = count(state.journal, state.settings, WATCHES, now=NOW, most=90, progress=told.append)
    assert (found.looked, found.visitors) == (90, 120)
    assert abs((found.size or 0) - 40) < 20
    assert "about" in found.line()
    assert told == []


def test_fewer_than_the_floor_are_not_told(shop: Any) -> None:
    _, state, _ = shop
    found = count(state.journal, state.settings, {"profile.sessions": {"$gt": 50}, "context.city": "Rom"}, now=NOW)
    assert (found.size, found.share, found.holds, found.floor) == (None, None, None, 20)
    assert found.line() == "fewer than 20 of 120 visitors"
    assert found.unknown == ("context.city",)


def test_a_segment_just_written_has_a_slate_of_its_own_within_minutes(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, products())
    later = time.time() - T0
    with app.app_context():
        for events in visits(120):
            state.pipeline.ingest([structs.replace(one, timestamp=one.timestamp + later) for one in events])
        jobs = {job.name: job for job in standard_jobs(state)}
        assert jobs["segment-slates"].every == 300
        jobs["train"].run()
        assert jobs["segment-slates"].run() == "no segment written by hand is new"
        lamps = {"profile.category.Lamps": {"$gte": 0.5}}
        state.segments.save(made("lamp-people", lamps, changed_at=time.time() + 1))
        state.pipeline.live.refresh()
        asked = SlateRequest(placement="home-trending", now=time.time(), segment_id="lamp-people", limit=3)

        def reasons() -> set[str]:
            return {code for item in state.pipeline.recommend(asked).items for code in item.reason_codes}

        assert "segment-popular" not in reasons()
        assert jobs["segment-slates"].run().endswith(", for Lamp-People")
        assert "segment-popular" in reasons()
    state.close()


def test_an_export_tells_the_segment_and_an_erasure_forgets_it(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, products())
    with app.app_context():
        for events in visits(3):
            state.pipeline.ingest(events)
        state.segments.save(made("watch-people", WATCHES))
        refresh = SegmentRefresh(version="1", refreshed_at=NOW, method="kmeans", visitors=3, segments=())
        state.segments.record_refresh(refresh, [("a:v0", "s1"), ("a:v1", "s1")])
        state.pipeline.live.refresh()
        ref = {"segment_id": "watch-people", "name": "Watch-People", "confidence": 1.0}
        assert state.subjects.export(["a:v0"], "test")["segments"] == [{"profile_id": "a:v0", **ref}]
        assert state.subjects.export(["a:v1"], "test")["segments"] == []
        assert "segments" in state.subjects.erase(["a:v0"], "test").steps
        assert [one for batch in state.segments.members() for one in batch] == [("a:v1", "s1")]
    state.close()


def test_the_request_counts_as_it_was_last(shop: Any) -> None:
    _, state, _ = shop
    found = count(state.journal, state.settings, {"context.device": "mobile"}, now=NOW)
    assert 35 <= (found.size or 0) <= 45


def eventually(is_so: Callable[[], bool]) -> bool:
    for _ in range(600):
        if is_so():
            return True
        time.sleep(0.05)
    return False


def test_another_worker_uses_it_within_seconds(shop: Any) -> None:
    _, state, folder = shop
    _, worker = mounted(folder)
    try:
        request = SlateRequest(
            placement="home-hero", now=NOW, consent_level=ConsentLevel.FULL, profile_ids=("a:v0",), limit=3
        )

        def seen() -> str:
            segment = worker.pipeline.recommend(request).segment
            return segment.name if segment else ""

        recommender = worker.pipeline.live.get().recommender
        assert seen() == ""
        state.segments.save(made("watch-people", WATCHES))
        assert eventually(lambda: seen() == "Watch-People")
        state.segments.save(MadeSegment(segment_id="watch-people", name="Uhrenfreunde", condition=WATCHES))
        assert eventually(lambda: seen() == "Uhrenfreunde")
        assert recount(state.journal, state.segments, state.settings, now=NOW)["watch-people"] >= 35
        asked = SlateRequest(placement="home-hero", now=NOW, segment_id="watch-people")
        assert worker.pipeline.recommend(asked).segment is not None
        assert state.segments.delete("watch-people")
        assert eventually(lambda: seen() == "")
        assert worker.pipeline.live.get().recommender is recommender, "nothing else was loaded again"
    finally:
        worker.close()


def test_answers_without_a_profile_are_shared_by_segment_and_no_further(tmp_path: Path) -> None:
    state = mounted(tmp_path, products(), MTP_CACHE_SECONDS=60)[1]
    assert state.pipeline.by_page_alone(ConsentLevel.CONTEXTUAL)
    state.segments.save(made("phones", {"context.device": "mobile"}))
    state.pipeline.live.refresh()

    def asked(device: str, level: ConsentLevel = ConsentLevel.CONTEXTUAL) -> Slate:
        about = Context(device=device, city="Rom", referrer="example.org")
        request = SlateRequest(placement="home-trending", now=NOW, consent_level=level, context=about, limit=3)
        return state.pipeline.recommend(request)

    try:
        phone, desk, again = asked("mobile"), asked("desktop"), asked("mobile")
        assert phone.segment is not None
        assert (phone.segment.segment_id, phone.segment.confidence, desk.segment) == ("phones", 1.0, None)
        assert again.recommendation_id == phone.recommendation_id != desk.recommendation_id
        assert asked("mobile", ConsentLevel.NON_PERSONAL).segment is None
        assert not state.pipeline.by_page_alone(ConsentLevel.CONTEXTUAL)
        assert state.pipeline.by_page_alone(ConsentLevel.NON_PERSONAL)
        state.slates.flush()
        kept = [entry.request.context for entry in state.slates.sample(NOW - 9, NOW + 9, 9)]
        assert kept
        assert all((one.device, one.city, one.referrer) == ("", "", "") for one in kept)
    finally:
        state.close()

"""The path: events change the next slate, nothing is shown that cannot be bought, faults step down the ladder."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin import Product
from mtp_plugin.errors import InputError, NotFoundError, UnavailableError
from mtp_plugin.pipeline import Pipeline
from mtp_plugin.records import ConsentLevel, Context, Event, SlateRequest
from mtp_plugin.state import State
from mtp_plugin.track.imported import imported_event
from mtp_plugin.track.products import products_of

from .shops import mounted, watches


@pytest.fixture
def state(tmp_path: Path) -> State:
    return mounted(tmp_path, watches())[1]


def seen(product_id: str, visitor: str = "ada", ago: float = 5.0) -> Event:
    name = "Product Viewed"
    return imported_event(
        name,
        key=f"{product_id}-{ago}",
        timestamp=time.time() - ago,
        anonymous_id=visitor,
        products=products_of(name, {"product_id": product_id}),
    )


def asked(placement: str = "home-hero", **more: Any) -> SlateRequest:
    defaults: dict[str, Any] = {"now": time.time(), "consent_level": ConsentLevel.FULL, "profile_ids": ("a:ada",)}
    return SlateRequest(placement=placement, **{**defaults, **more})


def ids(pipeline: Pipeline, request: SlateRequest) -> list[str]:
    return [item.product_id for item in pipeline.recommend(request).items]


def test_one_view_changes_the_next_slate(state: State) -> None:
    before = state.pipeline.recommend(asked())
    state.pipeline.ingest([seen("p02")])
    after = state.pipeline.recommend(asked())
    assert [i.product_id for i in before.items] != [i.product_id for i in after.items]
    bags = [i for i in after.items if int(i.product_id[1:]) % 3 == 2]
    assert len(bags) > len(after.items) / 2, "most of the slate is of the kind that was looked at"
    assert after.items[0].because == "p02"
    assert "viewed-similar" in after.items[0].reason_codes


def test_positions_count_from_one_and_scores_fall(state: State) -> None:
    slate = state.pipeline.recommend(asked())
    assert [item.position for item in slate.items] == list(range(1, len(slate.items) + 1))
    scores = [item.score for item in slate.items]
    assert all(0 < item.propensity <= 1 for item in slate.items)
    assert len({item.product_id for item in slate.items}) == len(scores) == 6


@pytest.mark.parametrize("level", [ConsentLevel.CONTEXTUAL, ConsentLevel.NON_PERSONAL])
def test_below_full_consent_no_profile_is_read(
    state: State, level: ConsentLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.pipeline.ingest([seen("p02")])

    def read(*args: object) -> None:
        raise AssertionError("a profile was read without permission")

    monkeypatch.setattr(state.pipeline.journal, "profiles", read)
    with_history = ids(state.pipeline, asked(consent_level=level))
    assert with_history == ids(state.pipeline, asked(consent_level=level, profile_ids=()))


def test_nothing_in_cart_excluded_or_in_view_is_shown(state: State) -> None:
    everything = {p.product_id for p in watches()}
    request = asked("product-similar", product_ids=("p00",), cart_ids=("p03",), exclude_ids=("p06",), limit=40)
    shown = set(ids(state.pipeline, request))
    assert shown
    assert shown <= everything - {"p00", "p03", "p06"}


def test_nothing_is_shown_that_the_shop_cannot_sell(state: State) -> None:
    first = ids(state.pipeline, asked())
    state.pipeline.availability = lambda product_ids: {i: i not in first[:2] for i in product_ids}
    second = ids(state.pipeline, asked())
    assert len(second) == len(first), "spares stand in"
    assert not set(first[:2]) & set(second)


def test_the_shop_is_asked_once_a_slate(state: State) -> None:
    calls: list[list[str]] = []
    state.pipeline.availability = lambda product_ids: (
        calls.append(list(product_ids)) or dict.fromkeys(product_ids, True)
    )
    state.pipeline.recommend(asked())
    assert len(calls) == 1
    assert len(calls[0]) == len(set(calls[0]))


def test_a_failing_availability_shows_nothing(state: State, caplog: pytest.LogCaptureFixture) -> None:
    state.pipeline.availability = lambda product_ids: 1 / 0  # type: ignore[return-value]
    assert ids(state.pipeline, asked()) == []
    assert "availability failed" in caplog.text


def test_hidden_and_sold_out_are_out_from_the_next_version_on(state: State) -> None:
    first = ids(state.pipeline, asked())
    state.catalog_store.set_stock({first[0]: 0})
    assert first[0] not in ids(state.pipeline, asked()), "the store is asked even before workers see the new version"
    state.pipeline.live.refresh()
    assert first[0] not in ids(state.pipeline, asked())


def test_the_filter_of_a_request(state: State) -> None:
    shown = ids(state.pipeline, asked(filter={"brand": "Alba", "price": {"$lt": 60}}, limit=40))
    cheap = [p.product_id for p in watches() if p.brand == "Alba" and (p.price or 0) < 60]
    assert sorted(shown) == sorted(cheap)


def test_a_malformed_filter_is_the_callers_to_mend(state: State) -> None:
    with pytest.raises(InputError) as caught:
        state.pipeline.recommend(asked(filter={"price": {"$lit": 60}}))
    assert caught.value.field


def test_unknown_placement_and_segment(state: State) -> None:
    with pytest.raises(NotFoundError, match="home-hero"):
        state.pipeline.recommend(asked("home-hera"))
    with pytest.raises(NotFoundError, match="no segment"):
        state.pipeline.recommend(asked(segment_id="s1"))


def test_recently_viewed_is_empty_rather_than_padded(state: State) -> None:
    slate = state.pipeline.recommend(asked("recently-viewed"))
    assert slate.items == ()
    state.pipeline.ingest([seen("p02"), seen("p05", ago=3)])
    assert ids(state.pipeline, asked("recently-viewed")) == ["p05", "p02"]


def test_the_category_of_the_page(state: State) -> None:
    shown = ids(state.pipeline, asked("category-top", context=Context(category="Shop > Lamp")))
    assert shown
    assert all(int(name[1:]) % 3 == 1 for name in shown)


def test_a_department_holds_its_categories(tmp_path: Path) -> None:
    lonely = Product(product_id="x1", title="Rope", category_path=("Sea", "Rope"), price=3.0)
    pipeline = mounted(tmp_path, [*watches(), lonely])[1].pipeline
    assert ids(pipeline, asked("category-top", context=Context(category="Sea"))) == ["x1"]
    assert "x1" not in ids(pipeline, asked("category-top", limit=40, context=Context(category="Shop")))
    assert len(ids(pipeline, asked("category-top", context=Context(category="Nowhere")))) == 6


def test_without_the_profile_store_a_slate_still_comes(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise UnavailableError("the database is away")

    monkeypatch.setattr(state.pipeline.journal, "profiles", away)
    assert len(ids(state.pipeline, asked())) == 6


def test_a_slate_is_logged_with_what_replay_needs(state: State) -> None:
    state.pipeline.ingest([seen("p02")])
    slate = state.pipeline.recommend(asked())
    state.slates.flush()
    entry = state.slates.get(slate.recommendation_id)
    assert entry is not None
    assert entry.slate == slate
    assert entry.profile is not None
    assert [item.product_id for item in entry.profile.recent] == ["p02"]
    assert entry.rungs[0].strategy == "recommended-for-you"
    assert set(entry.rungs[0].product_ids) >= {item.product_id for item in slate.items if item.origins}
    assert entry.versions["content"] == ""
    assert entry.request.seed == 0


def test_shared_slates_are_made_once_and_personal_ones_each_time(tmp_path: Path) -> None:
    state = mounted(tmp_path, watches(), MTP_CACHE_SECONDS=60)[1]
    anonymous = asked(consent_level=ConsentLevel.NON_PERSONAL, profile_ids=())
    first, second = state.pipeline.recommend(anonymous), state.pipeline.recommend(anonymous)
    assert first.recommendation_id == second.recommendation_id
    state.pipeline.ingest([seen("p02")])
    assert state.pipeline.recommend(asked()).recommendation_id != state.pipeline.recommend(asked()).recommendation_id


def test_account_and_browser_are_read_as_one_visitor(state: State) -> None:
    state.pipeline.ingest([seen("p02")])
    both = asked("recently-viewed", profile_ids=("u:77", "a:ada"))
    assert ids(state.pipeline, both) == ["p02"]


def test_the_same_event_counts_once(state: State) -> None:
    event = seen("p02")
    assert state.pipeline.ingest([event, event]) == [True, False]
    assert state.pipeline.ingest([event]) == [False]
    assert state.journal.count() == 1


def test_rebuilding_gives_the_same_profiles(state: State) -> None:
    state.pipeline.ingest([seen("p02"), seen("p05", ago=3)])
    state.pipeline.ingest([seen("p01", ago=90)])
    before = state.journal.profiles(["a:ada"])[0]
    assert state.pipeline.rebuild() == 1
    after = state.journal.profiles(["a:ada"])[0]
    assert before is not None
    assert after is not None
    assert (before.affinities.keys(), before.events, before.sessions) == (
        after.affinities.keys(),
        after.events,
        after.sessions,
    )
    assert {i.product_id for i in before.recent} == {i.product_id for i in after.recent}


def test_a_placement_may_leave_out_what_was_seen(tmp_path: Path) -> None:
    state = mounted(tmp_path, watches(), MTP_PLACEMENTS={"home-hero": {"allow_repeats": False, "size": 40}})[1]
    state.pipeline.ingest([seen("p02"), seen("p05", ago=3)])
    shown = ids(state.pipeline, asked())
    assert shown
    assert not {"p02", "p05"} & set(shown)


def test_a_shop_that_can_sell_little_shows_what_it_can(tmp_path: Path) -> None:
    state = mounted(tmp_path, watches(100))[1]
    few = {f"p{number:02d}" for number in range(0, 100, 10)}
    state.pipeline.availability = lambda product_ids: {i: i in few for i in product_ids}
    assert len(ids(state.pipeline, asked())) == 6
    state.pipeline.availability = lambda product_ids: {i: i == "p50" for i in product_ids}
    assert ids(state.pipeline, asked()) == ["p50"]


def test_a_full_cart_leaves_a_full_slate(tmp_path: Path) -> None:
    state = mounted(tmp_path, watches(100))[1]
    for level in ConsentLevel:
        cart = tuple(ids(state.pipeline, asked(limit=40, consent_level=level)))
        assert len(cart) == 40
        shown = ids(state.pipeline, asked(cart_ids=cart, consent_level=level))
        assert len(shown) == 6
        assert not set(shown) & set(cart)


def test_with_our_own_store_away_the_catalogue_as_loaded_decides(state: State) -> None:
    def away(product_ids: object) -> dict[str, bool]:
        raise UnavailableError("the database is away")

    state.pipeline.availability = away
    assert len(ids(state.pipeline, asked())) == 6


@pytest.mark.parametrize("level", [ConsentLevel.CONTEXTUAL, ConsentLevel.NON_PERSONAL])
def test_below_full_consent_the_log_holds_the_page_alone(state: State, level: ConsentLevel) -> None:
    context = Context(
        device="mobile",
        daypart="night",
        referrer="clinic.example",
        campaign="c",
        locale="de",
        query="rash",
        page_type="home",
    )
    slate = state.pipeline.recommend(asked(consent_level=level, context=context, cart_ids=("p03",)))
    state.slates.flush()
    entry = state.slates.get(slate.recommendation_id)
    assert entry is not None
    assert entry.profile is None
    assert entry.request.context == Context(page_type="home")
    assert (entry.request.cart_ids, entry.request.profile_ids, entry.rungs) == ((), (), ())


def test_visitors_who_agreed_have_slates_of_their_own(state: State) -> None:
    ada, ben = (state.pipeline.recommend(asked(profile_ids=(f"a:{name}",))) for name in ("ada", "ben"))
    assert ada.recommendation_id != ben.recommendation_id
    state.slates.flush()
    assert state.slates.erase("a:ada") == 1
    assert state.slates.get(ada.recommendation_id) is None
    assert state.slates.get(ben.recommendation_id) is not None


def test_stages_are_asked_for_every_request(tmp_path: Path) -> None:
    state = mounted(tmp_path, watches())[1]
    calls: list[str] = []

    class Experiments:
        def assign(self, request: SlateRequest, segment: object) -> None:
            calls.append(request.profile_ids[0])

    state.pipeline.stages = dataclasses.replace(state.pipeline.stages, experiments=Experiments())
    for name in ("ada", "ben", "cy"):
        state.pipeline.recommend(asked(profile_ids=(f"a:{name}",)))
    assert calls == ["a:ada", "a:ben", "a:cy"]


@pytest.mark.parametrize("fact", ["stock", "margin"])
def test_visitors_cannot_find_out_what_the_shop_keeps_to_itself(state: State, fact: str) -> None:
    for condition in ({fact: {"$gt": 0}}, {"$not": {"$or": [{"brand": "Alba"}, {fact: {"$exists": True}}]}}):
        with pytest.raises(InputError, match="own business") as caught:
            state.pipeline.recommend(asked(filter=condition))
        assert caught.value.field == fact
    assert ids(state.pipeline, asked(filter={"stock": {"$gt": 0}}, private_facts=True))


def test_a_late_block_with_nothing_yet_goes_on_to_the_next_rung(state: State) -> None:
    """A cold process may use up the budget before the first rung has found nothing; the page still gets its block."""
    state.pipeline.settings = dataclasses.replace(state.pipeline.settings, latency_budget_ms=0.0)
    slate = state.pipeline.recommend(asked(profile_ids=()))
    assert (len(slate.items), slate.strategy) == (6, "trending-items")


def test_the_level_says_which_rung_answered(state: State) -> None:
    newcomer = state.pipeline.recommend(asked(profile_ids=("a:new",)))
    assert (newcomer.strategy, newcomer.fallback_level) == ("trending-items", 1)
    nothing_in_view = state.pipeline.recommend(asked("product-similar", profile_ids=("a:new",), product_ids=("zz",)))
    assert (nothing_in_view.strategy, nothing_in_view.fallback_level) == ("best-sellers", 1)
    empty = state.pipeline.recommend(asked(filter={"brand": "Nobody"}))
    assert (empty.items, empty.strategy, empty.fallback_level) == ((), "", 3)

"""From the context that events were stored with to a slate that leans as others with the same device do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask

from mtp_plugin.commands.replay import replay_of
from mtp_plugin.memberships import Sorter
from mtp_plugin.records import ConsentLevel, Context, Event, Slate, SlateRequest, Surroundings
from mtp_plugin.state import State
from mtp_plugin.track.imported import imported_event
from mtp_plugin.track.products import products_of
from mtp_plugin.training import forget_visitors, refresh_behaviour, train_behaviour

from ..candidates.shop import products
from ..candidates.two_kinds import DAYS, N, around, visits
from .shops import mounted

DAY = 86_400.0
BEGAN = time.time() - (DAYS + 1) * DAY


def viewed(visitor: str, at: float, row: int, context: dict[str, Any]) -> Event:
    properties = {"product_id": f"p{row:03}"}
    return imported_event(
        "Product Viewed",
        key=f"{at}-{row}",
        timestamp=at,
        anonymous_id=visitor,
        products=products_of("Product Viewed", properties),
        properties=properties,
        context=context,
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, State]]:
    """Visitors with phones choose even numbers, those at desks odd ones."""
    app, state = mounted(Path(tmp_path_factory.mktemp("leaning")), products(N))
    state.pipeline.ingest(
        [
            viewed(one.visitor[2:], BEGAN + one.at + 60 * step, row, {"device": around(one.visitor, "device").device})
            for one in visits(6_000)
            for step, row in enumerate(one.way)
        ]
    )
    told: dict[str, Any] = {"now": time.time(), "seed": 0, "progress": lambda text: None}
    table = state.pipeline.live.refresh().table
    train_behaviour(state.journal, state.registry, table, sorter=Sorter.of(state.pipeline), **told)
    state.pipeline.live.refresh()
    yield app, state
    state.close()


def ask(state: State, device: str, visitor: str = "", level: ConsentLevel = ConsentLevel.FULL, **more: Any) -> Slate:
    return state.pipeline.recommend(
        SlateRequest(
            placement="home-hero",
            now=time.time(),
            consent_level=level,
            profile_ids=(f"a:{visitor}",) if visitor else (),
            context=Context(device=device),
            **more,
        )
    )


def devices(state: State) -> set[str]:
    """Those that the model that serves knows."""
    version = next(one.version for one in state.registry.list("behaviour") if one.current)
    values = state.registry.load("behaviour", version).arrays["leaning_values"].tobytes()
    return {one.device for one in msgspec.json.decode(values, type=list[Surroundings])}


def rows(slate: Slate) -> list[int]:
    return [int(item.product_id[1:]) for item in slate.items]


def test_the_same_visitor_sees_another_order_with_another_device(shop: tuple[Flask, State]) -> None:
    state = shop[1]
    assert state.pipeline.live.get().recommender.rerankers["session"].leans
    state.pipeline.ingest([viewed("somebody", time.time() - 30, 3, {})])
    phone, desk = (ask(state, device, "somebody") for device in ("mobile", "desktop"))
    first = [[row for row in rows(slate) if 33 <= row < 40][:2] for slate in (phone, desk)]
    assert [row % 2 for row in first[0]] == [0, 0]
    assert [row % 2 for row in first[1]] == [1, 1]
    state.slates.flush()
    replay = replay_of(state)
    for slate in (phone, desk):
        assert replay(slate.recommendation_id, time.time()).verdict == "same"
        entry = state.slates.get(slate.recommendation_id)
        assert entry is not None
        assert [(one.product_id, one.score) for one in state.pipeline.recommend(entry.request).items] == [
            (one.product_id, one.score) for one in slate.items
        ]


@pytest.mark.parametrize("level", [ConsentLevel.NON_PERSONAL, ConsentLevel.CONTEXTUAL])
def test_whoever_did_not_agree_is_not_told_by_the_device(shop: tuple[Flask, State], level: ConsentLevel) -> None:
    state = shop[1]
    found = [ask(state, device, level=level, product_ids=("p003",)) for device in ("mobile", "desktop")]
    assert rows(found[0]) == rows(found[1])
    question = state.pipeline.preview(
        SlateRequest(placement="home-hero", now=time.time(), consent_level=level, context=Context(device="mobile"))
    )[1]
    assert question.profile is None


def test_counting_anew_and_erasing_keep_it(shop: tuple[Flask, State]) -> None:
    """What came since is counted in with its context; what an erased visitor was seen with goes with the visitor."""
    state = shop[1]
    last = time.time() - 10
    state.pipeline.ingest([viewed(f"new-{n}", last, 20, {"device": "tv"}) for n in range(30)])
    told: dict[str, Any] = {"now": time.time(), "progress": lambda text: None}
    assert refresh_behaviour(state.journal, state.registry, **told)
    assert devices(state) == {"mobile", "desktop", "tv"}
    for n in range(30):
        state.journal.erase(f"a:new-{n}")
    table = state.pipeline.live.get().table
    gone = [f"a:new-{n}" for n in range(30)]
    assert forget_visitors(state.journal, state.registry, table, gone, seed=0, **told)
    assert devices(state) == {"mobile", "desktop"}

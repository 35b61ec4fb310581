"""Slates are made again from their log: the same products, order and scores, or why not."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask

from mtp_plugin.commands.replay import replay_of
from mtp_plugin.records import ConsentLevel, Context, SlateRequest
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.state import State

from .shops import mounted, watches
from .sorted_shop import EACH, KINDS, sorted_shop

PLACEMENTS = (
    "home-hero", "home-trending", "product-similar", "product-together", "cart-complete", "category-top",
    "search-empty", "recently-viewed",
)  # fmt: skip
RULES = [
    {"then": [{"effect": "boost", "where": {"brand": "Brenn"}, "by": 3}], "placements": ["home-hero"]},
    {"when": {"context.device": "mobile"}, "then": [{"effect": "bury", "where": {"price": {"$gt": 80}}, "by": 2}]},
    {"when": {"context.page_type": "product"}, "then": [{"effect": "pin", "where": {"brand": "Alba"}, "position": 2}]},
    {"then": [{"effect": "lock", "product_ids": ["p03", "p04"], "position": 1}], "placements": ["home-trending"]},
    {"then": [{"effect": "limit", "per": "category", "most": 3}], "placements": ["category-top"]},
    {"when": {"profile.events": {"$gte": 15}}, "then": [{"effect": "filter", "where": {"price": {"$lt": 160}}}]},
    {"when": {"context.device": "tablet"},
     "then": [{"effect": "strategy", "strategies": ["on-sale", "trending-items"]}],
     "placements": ["search-empty"]},
]  # fmt: skip
BANDITS = {
    "ladder": {"about": "strategy", "placement": "home-hero", "arms": ["best-sellers", "trending-items"],
               "policy": "epsilon-greedy", "epsilon": 0.5},
    "slot": {"about": "product", "placement": "product-similar", "position": 2, "arms": 4, "policy": "thompson"},
}  # fmt: skip


def ask(dice: random.Random, now: float) -> SlateRequest:
    """A request; every fifth asks for nothing in particular, as those do who share a draft."""
    if dice.random() < 0.2:
        return SlateRequest(
            placement=dice.choice(PLACEMENTS[:2]),
            now=now,
            seed=dice.randrange(2**31),
            consent_level=ConsentLevel.FULL,
            profile_ids=(f"a:new-{dice.random()}",),
        )
    kind = dice.choice(KINDS)
    visitor = f"a:{kind}-{dice.randrange(EACH)}"
    level = dice.choice((ConsentLevel.FULL, ConsentLevel.FULL, ConsentLevel.CONTEXTUAL, ConsentLevel.NON_PERSONAL))
    who = dice.random()
    products = [f"p{dice.randrange(30):02d}" for _ in range(4)]
    return SlateRequest(
        placement=dice.choice(PLACEMENTS),
        now=now + dice.random(),
        seed=dice.randrange(2**31),
        consent_level=level,
        profile_ids=(visitor if who < 0.7 else "a:nobody",) if level is ConsentLevel.FULL else (),
        context=Context(
            device=dice.choice(("mobile", "tablet", "desktop")),
            page_type=dice.choice(("home", "product")),
            category=dice.choice(("", "Shop > Watch", "Shop > Bag")),
        ),
        product_ids=(products[0],) if dice.random() < 0.5 else (),
        cart_ids=(products[1],) if dice.random() < 0.3 else (),
        exclude_ids=(products[2],) if dice.random() < 0.3 else (),
        filter={"brand": "Alba"} if dice.random() < 0.1 else {},
        limit=dice.choice((0, 0, 3, 12)),
        shown_ids=tuple(products[2:]) if dice.random() < 0.4 else (),
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, State]:
    app, state = sorted_shop(tmp_path_factory.mktemp("replay"), MTP_LATENCY_BUDGET_MS=10_000, MTP_BANDITS=BANDITS)
    named = [{"rule_id": f"r{number}", **rule} for number, rule in enumerate(RULES)]
    state.rules.save(read_ruleset({"rules": named}), by="ada", at=time.time())
    state.pipeline.live.refresh()
    return app, state


def test_a_thousand_random_slates_are_made_again(shop: tuple[Flask, State]) -> None:
    """With rules, pins, locks, limits, segments, refusals of the shop, shared drafts and policies that explore."""
    _, state = shop
    dice, now = random.Random(11), time.time()
    sold: set[str] = set()
    state.pipeline.availability = lambda ids: {name: name in sold for name in ids}
    segments = [segment.segment_id for segment in state.pipeline.live.get().segments.all()]
    made: dict[str, SlateRequest] = {}
    for _ in range(1000):
        refusing = dice.choice((0.0, 0.0, 0.3, 0.9))
        sold = {f"p{number:02d}" for number in range(30) if dice.random() >= refusing}
        request = ask(dice, now)
        if dice.random() < 0.1:
            request = msgspec.structs.replace(request, segment_id=dice.choice(segments))
        made.setdefault(state.pipeline.recommend(request).recommendation_id, request)
    state.slates.flush(60)
    replay, verdicts, why = replay_of(state), list[str](), set[str]()
    kinds = {"pinned": 0, "refused": 0, "reused": 0, "second": 0, "chosen": 0, "rules": 0, "segment": 0, "profile": 0}
    for recommendation_id, request in made.items():
        found = replay(recommendation_id, now)
        verdicts.append(found.verdict)
        entry = state.slates.get(recommendation_id)
        assert entry is not None, "every slate that is shown is in the log"
        if found.verdict == "gone":
            assert request.cart_ids
            assert request.consent_level is not ConsentLevel.FULL
            why.update(found.reasons)
            continue
        assert found.verdict == "same", found
        kinds["pinned"] += any("pinned" in item.reason_codes for item in entry.slate.items)
        kinds["refused"] += bool(entry.unavailable)
        kinds["reused"] += bool(entry.draft_id)
        kinds["second"] += len({rung.depth for rung in entry.rungs}) > 1
        kinds["chosen"] += bool(entry.slate.choices)
        kinds["rules"] += bool(entry.slate.rules)
        kinds["segment"] += entry.slate.segment is not None
        kinds["profile"] += entry.profile is not None
    assert why == {"a visitor who did not agree had a cart: what was made of it is not kept"}
    assert verdicts.count("same") > 800
    assert all(count >= 20 for count in kinds.values()), kinds


def replayed(app: Flask, *words: str) -> dict[str, Any]:
    found = app.test_cli_runner().invoke(args=["mtp", "replay", *words, "--json"])
    assert found.exit_code == 0, found.output
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer


def slate(state: State, profile_ids: Sequence[str] = (), now: float | None = None) -> str:
    level = ConsentLevel.FULL if profile_ids else ConsentLevel.NON_PERSONAL
    request = SlateRequest(
        placement="home-trending", now=now or time.time(), consent_level=level, profile_ids=tuple(profile_ids)
    )
    return state.pipeline.recommend(request).recommendation_id


@pytest.fixture
def small(tmp_path: Path) -> tuple[Flask, State]:
    return mounted(tmp_path, watches(), MTP_SLATE_DAYS=10)


def test_the_command_says_the_same(small: tuple[Flask, State]) -> None:
    app, state = small
    found = replayed(app, slate(state, ["a:1"]))
    assert (found["verdict"], found["reasons"]) == ("same", [])
    assert found["logged"]["items"] == found["replayed"]["items"]
    text = app.test_cli_runner().invoke(args=["mtp", "replay", slate(state, ["a:1"])]).output
    assert "the same products, order and scores" in text


def test_what_retention_or_erasure_took_is_said(small: tuple[Flask, State]) -> None:
    app, state = small
    old, own = slate(state, ["a:1"], time.time() - 20 * 86400), slate(state, ["a:2"])
    state.slates.flush()
    state.slates.purge(time.time() - 10 * 86400)
    state.subjects.erase(["a:2"], "test", models=False)
    assert "deleted by retention: MTP_SLATE_DAYS is 10" in replayed(app, old)["reasons"][0]
    assert "erased with its visitor" in replayed(app, own)["reasons"][0]
    assert replayed(app, "nonsense")["reasons"] == ["that is no id of a slate"]


def test_a_catalogue_that_is_gone_is_said(small: tuple[Flask, State]) -> None:
    app, state = small
    own = slate(state, ["a:1"])
    before = state.pipeline.live.get().table.version
    first = state.pipeline.recommend(SlateRequest(placement="home-trending", now=time.time())).items[0].product_id
    (known,) = state.catalog_store.get([first]).values()
    renamed = msgspec.structs.replace(known, title="Quite another thing", category_path=("Elsewhere",))
    state.catalog_store.import_products([renamed], hide_missing=False)
    state.pipeline.live.refresh()
    found = replayed(app, own)
    assert found["versions"]["catalog"] == "gone"
    assert f"version {before} of the catalogue is gone" in found["reasons"][0]


def test_a_shared_slate_is_logged_whoever_asked_first(small: tuple[Flask, State]) -> None:
    """A known visitor's slate has an id of its own; those who share its draft get another, which is there, too."""
    app, state = small
    page = Context(page_type="home")
    asked = SlateRequest(
        placement="home-trending",
        now=time.time(),
        consent_level=ConsentLevel.FULL,
        profile_ids=("a:new",),
        context=page,
    )
    first = state.pipeline.recommend(asked)
    again = state.pipeline.recommend(msgspec.structs.replace(asked, profile_ids=("a:other",)))
    state.slates.flush()
    entry = state.slates.get(again.recommendation_id)
    assert entry is not None
    assert entry.draft_id not in ("", first.recommendation_id)
    shared = state.slates.get(entry.draft_id)
    assert shared is not None
    assert (shared.request.profile_ids, shared.request.unit, shared.profile) == ((), "", None)
    assert "a:new" not in msgspec.json.encode(shared).decode()
    assert {replayed(app, one)["verdict"] for one in (first.recommendation_id, again.recommendation_id)} == {"same"}
    state.subjects.erase(["a:new"], "test", models=False)
    assert replayed(app, again.recommendation_id)["verdict"] == "same"

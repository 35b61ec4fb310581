"""New products get a small share of the last place, drawn evenly, with the probabilities that are logged."""

from __future__ import annotations

import math
import time
from pathlib import Path

import msgspec
import pytest
from flask import Flask

from mtp_plugin.commands.replay import replay_of
from mtp_plugin.errors import SettingError
from mtp_plugin.records import ConsentLevel, Product, Slate, SlateRequest
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.state import State

from .shops import mounted, watches
from .sorted_shop import viewed

SHARE, NEW = 0.3, ("p27", "p28", "p29")
DAY, NOW = 86400.0, 1_760_000_000.0


def products(now: float) -> list[Product]:
    """The last three came yesterday."""
    return [msgspec.structs.replace(one, created=now - DAY) if one.product_id in NEW else one for one in watches()]


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Flask, State]:
    now = NOW
    settings = {"home-hero": {"exploration": SHARE, "strategies": ["recently-viewed", "best-sellers"], "size": 6}}
    app, state = mounted(tmp_path, products(now), MTP_PLACEMENTS=settings, MTP_LATENCY_BUDGET_MS=10_000)
    state.pipeline.ingest([viewed("one", f"p{number:02d}", now - 100.0 + number) for number in range(12)])
    return app, state


def slates(state: State, count: int, **more: object) -> list[Slate]:
    now = NOW
    asked = SlateRequest(
        placement="home-hero", now=now, seed=5, consent_level=ConsentLevel.FULL, profile_ids=("a:one",), limit=6
    )
    asked = msgspec.structs.replace(asked, **more)
    return [state.pipeline.recommend(msgspec.structs.replace(asked, now=now + n / 1000)) for n in range(count)]


def test_each_new_product_has_its_share_and_the_propensities_are_true(shop: tuple[Flask, State]) -> None:
    """Frequencies within four standard deviations of a binomial: all that is drawn is fixed."""
    _, state = shop
    count = 3000
    found = slates(state, count)
    last = [slate.items[-1] for slate in found]
    assert all([item.propensity for item in slate.items[:-1]] == [1.0] * 5 for slate in found)
    shown = {name: [item for item in last if item.product_id == name] for name in {item.product_id for item in last}}
    assert set(NEW) < set(shown)
    assert len(shown) == 4
    for name, items in shown.items():
        share = SHARE / 3 if name in NEW else 1 - SHARE
        assert {round(item.propensity, 9) for item in items} == {round(share, 9)}
        assert abs(len(items) - count * share) < 4 * math.sqrt(count * share * (1 - share))
    assert shown["p28"][0].reason_codes == ("new",)


def test_a_slate_that_explored_is_made_again(shop: tuple[Flask, State]) -> None:
    _, state = shop
    found = slates(state, 60)
    assert any(slate.items[-1].product_id in NEW for slate in found)
    state.slates.flush()
    replay = replay_of(state)
    assert {replay(slate.recommendation_id, time.time()).verdict for slate in found} == {"same"}


def test_who_is_not_known_and_what_is_shared_is_not_explored_with(shop: tuple[Flask, State]) -> None:
    _, state = shop
    for more in (
        {"profile_ids": ("a:nobody",)},
        {"profile_ids": (), "consent_level": ConsentLevel.CONTEXTUAL},
        {"profile_ids": (), "consent_level": ConsentLevel.NON_PERSONAL},
    ):
        found = slates(state, 40, **more)
        assert len({tuple(item.product_id for item in slate.items) for slate in found}) == 1
        assert {item.propensity for slate in found for item in slate.items} == {1.0}


def test_rules_and_the_shop_have_the_last_word(shop: tuple[Flask, State]) -> None:
    _, state = shop
    state.pipeline.availability = lambda ids: {name: name != "p27" for name in ids}
    rules = [{"rule_id": "r", "then": [{"effect": "filter", "where": {"brand": "Brenn"}}]}]  # p27 and p29
    state.rules.save(read_ruleset({"rules": rules}), by="ada", at=time.time())
    state.pipeline.live.refresh()
    assert {slate.items[-1].product_id for slate in slates(state, 200)} & set(NEW) == {"p29"}
    rules[0]["then"] = [{"effect": "pin", "product_id": "p02", "position": 6}]
    state.rules.save(read_ruleset({"rules": rules}), by="ada", at=time.time())
    state.pipeline.live.refresh()
    assert {(s.items[-1].product_id, s.items[-1].propensity) for s in slates(state, 50)} == {("p02", 1.0)}


def test_without_new_products_nothing_is_tried(shop: tuple[Flask, State]) -> None:
    _, state = shop
    state.catalog_store.import_products(watches(), hide_missing=False)
    state.pipeline.live.refresh()
    found = slates(state, 60)
    assert {item.propensity for slate in found for item in slate.items} == {1.0}


def test_a_share_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="exploration"):
        mounted(tmp_path, MTP_PLACEMENTS={"home-hero": {"exploration": 0.9}})

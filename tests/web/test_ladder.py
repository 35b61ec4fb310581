"""Every rung of the ladder forced over HTTP: what is answered, what caches are told and what is counted agree."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mtp_plugin.errors import UnavailableError
from mtp_plugin.training import train_content

from ..servers import wait_until
from .shop import SECRET, Shop, build_shop, products

Make = Callable[..., Shop]
KEY = {"Authorization": f"Bearer {SECRET}"}
LADDER = {"steps": {"strategies": ["recently-viewed", "on-sale", "trending-items"], "size": 4, "min_items": 2}}
NO_PAST = {"steps": {"strategies": ["related-products", "on-sale"], "size": 4, "min_items": 2}}


def counted(shop: Shop, placement: str) -> dict[int, float]:
    """Slates of a placement by rung, as Prometheus is told."""
    text = shop.app.test_client().get("/mtp/metrics", headers=KEY).text
    found: dict[int, float] = {}
    for labels, number in re.findall(r"^mtp_slates_total\{(.*)\} (\S+)$", text, re.MULTILINE):
        if f'placement="{placement}"' in labels:
            rung = int(re.search(r'fallback_level="(\d+)"', labels).group(1))  # type: ignore[union-attr]
            found[rung] = found.get(rung, 0) + float(number)
    return found


def ask(shop: Shop, **more: Any) -> tuple[dict[str, Any], str]:
    answer = shop.app.test_client().get("/mtp/v1/recommendations?placement=steps", **more)
    assert answer.status_code == 200
    return answer.get_json(), answer.headers["Cache-Control"]


def hide_all(shop: Shop, **change: Any) -> None:
    shop.state.catalog_store.import_products(
        [msgspec.structs.replace(one, **change) for one in products()], hide_missing=True
    )
    shop.state.pipeline.live.refresh()


@pytest.mark.parametrize(("rung", "strategy"), [(0, "recently-viewed"), (1, "on-sale"), (2, "trending-items")])
def test_each_rung_of_its_own(make_shop: Make, rung: int, strategy: str) -> None:
    shop = make_shop(placements=LADDER)
    if rung == 1:
        hide_all(shop, sale_price=1.0)
    browser = shop.browser().agree() if rung == 0 else shop.browser().agree(False)
    if rung == 0:
        for number in range(4):
            browser.view(f"p{number:03d}")
    answer = browser.get("/mtp/v1/recommendations?placement=steps").get_json()
    assert (answer["fallback_level"], answer["strategy"]) == (rung, strategy)
    assert len(answer["items"]) == 4
    assert counted(shop, "steps") == {rung: 1}


def test_the_last_resort_is_below_the_ladder(make_shop: Make) -> None:
    shop = make_shop(placements=NO_PAST)
    answer, control = ask(shop)
    assert (answer["fallback_level"], answer["strategy"]) == (2, "best-sellers")
    assert control == "no-store", "it may be as asked a moment later"
    assert counted(shop, "steps") == {2: 1}


def test_nothing_at_all_is_the_rung_below_the_last(make_shop: Make) -> None:
    shop = make_shop(placements=NO_PAST)
    hide_all(shop, stock=0)
    answer, control = ask(shop)
    assert (answer["items"], answer["fallback_level"], answer["strategy"]) == ([], 3, "")
    assert control == "no-store"
    assert counted(shop, "steps") == {3: 1}
    assert shop.browser().get("/mtp/v1/blocks/steps").text == ""


def test_no_time_is_told_and_not_kept(make_shop: Make) -> None:
    """With a budget of nothing the first strategy that finds anything is all there is; the rest is made afterwards."""
    shop = make_shop(placements=LADDER)
    few = [msgspec.structs.replace(one, sale_price=1.0) for one in products()[:2]]
    shop.state.catalog_store.import_products(few, hide_missing=False)
    shop.state.pipeline.live.refresh()
    pipeline = shop.state.pipeline
    pipeline.settings = dataclasses.replace(pipeline.settings, latency_budget_ms=0.0)
    late, control = ask(shop)
    assert (late["fallback_level"], len(late["items"]), control) == (1, 2, "no-store")
    wait_until(lambda: not len(pipeline._afterwards), "the rest")
    whole, control = ask(shop)
    assert (whole["fallback_level"], len(whole["items"])) == (1, 4)
    assert control.startswith("public")
    assert counted(shop, "steps") == {1: 2}


def test_a_rules_own_ladder_is_judged_by_itself(make_shop: Make) -> None:
    """Its third strategy is as asked, though the placement has but two; best sellers under its one are not."""
    shop = make_shop(placements=NO_PAST)

    def rule(*strategies: str) -> None:
        body = {"rules": [{"rule_id": "other", "then": [{"effect": "strategy", "strategies": list(strategies)}]}]}
        kept = shop.app.test_client().put("/mtp/v1/rules", json=body, headers=KEY)
        assert kept.status_code == 200, kept.text
        shop.state.pipeline.live.refresh()

    rule("related-products", "on-sale", "trending-items")
    answer, control = ask(shop)
    assert (answer["fallback_level"], answer["strategy"]) == (2, "trending-items")
    assert control.startswith("public")
    rule("on-sale")
    answer, control = ask(shop)
    assert (answer["fallback_level"], answer["strategy"]) == (1, "best-sellers")
    assert control == "no-store"
    assert counted(shop, "steps") == {1: 1, 2: 1}


@pytest.mark.parametrize("fault", [UnavailableError("away"), RuntimeError("the shop's own")])
def test_what_can_be_bought_is_not_known(make_shop: Make, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    """Our own store away: the catalogue as loaded has to do. The shop's callable broken: nothing is shown."""
    shop = make_shop(placements=LADDER)

    def fail(ids: object) -> dict[str, bool]:
        raise fault

    monkeypatch.setattr(shop.state.pipeline, "availability", fail)
    answer, control = ask(shop)
    if isinstance(fault, UnavailableError):
        assert (answer["fallback_level"], len(answer["items"])) == (2, 4)
        assert control.startswith("public")
    else:
        assert (answer["fallback_level"], answer["items"], control) == (3, [], "no-store")
    assert counted(shop, "steps") == {answer["fallback_level"]: 1}


def test_a_damaged_model_is_told_and_served_without(tmp_path: Path) -> None:
    """Another process starts on what is there: blocks from the catalogue alone."""
    first = build_shop(tmp_path)
    train_content(first.state.registry, first.state.pipeline.live.refresh().table, seed=0, progress=lambda text: None)
    first.state.close()
    path = "/mtp/v1/recommendations?placement=product-similar&product_ids=p001"
    for damaged in (False, True):
        if damaged:
            for array in (tmp_path / "mtp_models" / "content").rglob("*.npy"):
                array.write_bytes(array.read_bytes()[:-1] + b"?")
        shop = build_shop(tmp_path)
        answer = shop.app.test_client().get(path).get_json()
        assert answer["items"]
        assert (shop.state.pipeline.live.get().versions[2] == "") is damaged
        assert counted(shop, "product-similar") == {answer["fallback_level"]: 1}
        assert shop.app.test_client().get("/mtp/health/ready").status_code == 200
        shop.state.close()

"""Simulated shoppers: they see HTML alone, choose by taste or by nothing, and their lift is told with an interval."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask

from demo_store import create_app, traffic
from demo_store.lift import figures, lifts
from demo_store.personas import PERSONAS
from demo_store.seeing import Page
from demo_store.shoppers import Models, Shopper, Told, Window

from ..docs.fences import blocks
from .conftest import BROWSER


class InProcess:
    """A browser over the application itself."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()
        self._client.environ_base["HTTP_USER_AGENT"] = BROWSER
        self.told: list[dict[str, Any]] = []

    def get(self, path: str) -> Page:
        return self._page(path, self._client.get(path, follow_redirects=True))

    def post(self, path: str, fields: Mapping[str, str]) -> Page:
        return self._page(path, self._client.post(path, data=dict(fields), follow_redirects=True))

    def tell(self, events: list[dict[str, Any]]) -> None:
        answer = self._client.post("/mtp/v1/batch", json={"batch": events}, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 200, answer.text
        self.told += events

    @staticmethod
    def _page(path: str, answer: Any) -> Page:
        return Page(answer.text, answer.request.path)


def test_the_simulator_loads_nothing_of_the_plugin() -> None:
    code = "import demo_store.traffic, sys; print([name for name in sys.modules if name.startswith('mtp_plugin')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_one_clock_for_several_processes(tmp_path: Any) -> None:
    clock = traffic.Clock.make(tmp_path / "clock", 1_700_000_000.0)
    path = str(tmp_path / "clock")
    code = f"from demo_store.clock import Clock; Clock({path!r}).rule(); import time; print(time.time())"

    def other() -> float:
        return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)

    assert other() == 1_700_000_000.0
    clock.set(1_700_000_123.5)
    assert other() == 1_700_000_123.5


def test_a_product_is_read_off_its_page(shop: Flask) -> None:
    page = InProcess(shop).get("/products/selby-rucksack")
    facts = page.facts
    assert facts is not None
    assert (facts.product_id, facts.category) == ("selby-rucksack", "bags")
    assert {"backpack", "everyday", "common thread", "ink", "commute"} <= facts.words
    assert facts.price > 0
    assert page.buy is not None
    assert page.buy.fields["variant"].startswith("selby-rucksack")


def test_lists_are_read_with_their_places_and_long_ones_to_the_end(shop: Flask) -> None:
    browser = InProcess(shop)
    hero = next(shelf for shelf in browser.get("/").shelves if shelf.name == "home-hero")
    assert hero.slate
    assert [card.position for card in hero.cards] == list(range(1, len(hero.cards) + 1))
    assert all(card.url.startswith("/products/") for card in hero.cards)
    listed = traffic._listed(browser, "/shop/everything")  # type: ignore[arg-type]
    assert len(listed) == len(shop.extensions["tarn"].catalogue.products)


def test_a_control_may_fill_the_first_block_by_chance(shop: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shop.config, "DEMO_SHELF", "random")
    browser = InProcess(shop)
    shown = [next(s for s in browser.get("/").shelves if s.name == "home-hero") for _ in range(3)]
    assert all(len(shelf.cards) == 8 and not shelf.slate for shelf in shown)
    # 24 drawn out of more than 200: that two draws agree in eight places has a chance below 1e-15.
    assert len({tuple(card.product_id for card in shelf.cards) for shelf in shown}) == 3


def test_a_control_sees_the_same_best_sellers_as_everybody(shop: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks: what a visitor's segment likes would be no control."""
    monkeypatch.setitem(shop.config, "DEMO_SHELF", "popular")
    shown = []
    for persona in ("", "flora", "milo"):
        browser = InProcess(shop)
        if persona:
            browser.post(f"/account/as/{persona}", {})
        shown.append(next(s for s in browser.get("/").shelves if s.name == "home-hero"))
    assert all(len(shelf.cards) == 8 and not shelf.slate for shelf in shown)
    assert len({tuple(card.product_id for card in shelf.cards) for shelf in shown}) == 1


@pytest.fixture(scope="module")
def window(shop: Flask) -> Window:
    browser = InProcess(shop)
    urls = traffic._listed(browser, "/shop/everything")[:60]  # type: ignore[arg-type]
    return Window({url: facts for url in urls if (facts := browser.get(url).facts)})


def test_a_shopper_browses_agrees_buys_and_tells_as_the_page_would(shop: Flask, window: Window) -> None:
    names: set[str] = set()
    orders = 0
    for number in range(12):
        dice = np.random.default_rng([5, number])
        browser = InProcess(shop)
        shopper = Shopper(PERSONAS["flora"], browser, window, Models(by_taste=True), dice)
        for _ in range(3):
            assert all(wait > 0 for wait in shopper.visit())
        names |= {event.get("event", event["type"]) for event in browser.told}
        orders += shopper.told.orders
        assert shopper.answered
        assert bool(browser.told) == shopper.agrees
    assert {"page", "Product Viewed", "Product List Viewed", "Product Clicked", "Product Added"} <= names
    # Of 36 visits about one in ten orders: that none does has a chance below .03, and the seed is fixed.
    assert orders > 0


def test_taste_decides_in_one_model_and_nothing_in_the_other(window: Window) -> None:
    """A shopper looks at two pages: one of what this one likes best, and one of what least."""

    def rate(by_taste: bool, best: bool) -> float:
        clicked = seen = 0
        for number in range(400):
            shopper = Shopper(
                PERSONAS["ben"], Silent(), window, Models(by_taste), np.random.default_rng([9, number, best])
            )
            order = np.argsort(-shopper.liking if best else shopper.liking)[:8]
            shopper._look(Page(_block([window.urls[place] for place in order]), "/"))
            seen, clicked = seen + shopper.told.seen, clicked + shopper.told.clicked
        return clicked / seen

    assert rate(True, best=True) > rate(True, best=False) + 0.2
    # Two shares of about 380 with p near .12 differ by less than 4 standard errors of .024.
    assert abs(rate(False, best=True) - rate(False, best=False)) < 0.1


class Silent:
    """A browser that nobody answers."""

    def get(self, path: str) -> Page:
        raise AssertionError(path)

    def post(self, path: str, fields: Mapping[str, str]) -> Page:
        raise AssertionError(path)

    def tell(self, events: list[dict[str, Any]]) -> None:
        raise AssertionError(events)


def _block(urls: list[str]) -> str:
    cards = "".join(
        f'<li data-mtp-item="{url}" data-mtp-position="{place}"><a href="{url}"></a></li>'
        for place, url in enumerate(urls, 1)
    )
    return f'<main><ul data-mtp-slate="1" data-mtp-placement="home-hero">{cards}</ul></main>'


def test_a_lift_is_found_where_it_is_and_not_where_it_is_not() -> None:
    dice = np.random.default_rng(3)

    def shoppers(rate: float) -> list[Told]:
        return [Told(seen=5, clicked=int(dice.binomial(5, rate))) for _ in range(600)]

    (found, *_) = lifts(shoppers(0.2), shoppers(0.1), seed=1)
    assert found.found
    assert found.low < 1.0 < found.high
    (nothing, *_) = lifts(shoppers(0.1), shoppers(0.1), seed=1)
    assert not nothing.found
    assert nothing.low < 0.0 < nothing.high
    same = shoppers(0.2)
    assert lifts(same, same, seed=1)[0].lift == 0.0
    assert figures(same)["clicks_per_slate"] == pytest.approx(sum(one.clicked for one in same) / 3000, abs=1e-5)


def test_a_day_over_http_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole of it: shop built, three servers, nights between days, a report that says that it is simulated.

    What is kept of it is a shop in which the commands of the case study answer.
    """
    kept = tmp_path / "kept"
    traffic.main(["--shoppers", "9", "--days", "2", "--history", "60", "--json", "--keep", str(kept)])
    told = json.loads(capsys.readouterr().out)
    assert told["simulated"] is True
    assert {name: arm["shoppers"] for name, arm in told["arms"].items()} == {"personal": 3, "popular": 3, "random": 3}
    assert all(arm["seen"] > 0 for arm in told["arms"].values())
    assert set(told["lift_over"]) == {"popular", "random"}
    assert "Simulated" in traffic.report(told)
    app = create_app({"TESTING": True, "DEMO_INSTANCE": str(kept)})
    commands = [line for block in blocks("case-study.md", "sh") for line in block.splitlines()]
    asked = [shlex.split(line)[1:] for line in commands if line.startswith("flask")]
    assert len(asked) > 8
    for words in asked:
        answer = app.test_cli_runner().invoke(args=words)
        assert answer.exit_code == 0, (words, answer.output)
        assert answer.output.strip(), words
    app.extensions["mtp"].close()


@pytest.mark.parametrize("wrong", [["--shoppers", "2"], ["--days", "0"], ["--click-model", "hope"]])
def test_what_cannot_be_simulated_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        traffic.main(wrong)
    assert "error" in capsys.readouterr().err

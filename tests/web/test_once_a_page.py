"""What one block of a page shows comes in the others after what none shows; the visitor's profile is read once."""

from __future__ import annotations

import re
import time
from pathlib import Path

import msgspec
import pytest
from flask import render_template_string

from mtp_plugin.commands.replay import replay_of
from mtp_plugin.draft import Pick, unseen_first
from mtp_plugin.records import ConsentLevel

from .shop import Browser, Shop, build_shop, products

ROW = {"strategies": ["best-sellers"], "size": 6}
PAGE = '{{ mtp_block("one") }}<hr>{{ mtp_block("two") }}<hr>{{ mtp_block("three") }}<hr>{{ mtp_block("past-row") }}'
TWICE = '{{ mtp_block("one") }}<hr>{{ mtp_block("one") }}'


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    past = {"strategies": ["recently-viewed"], "size": 6}
    built = build_shop(tmp_path, placements={"one": ROW, "two": ROW, "three": ROW | {"size": 20}, "past-row": past})
    built.app.add_url_rule("/rows", "rows", view_func=lambda: render_template_string(PAGE))
    built.app.add_url_rule("/twice", "twice", view_func=lambda: render_template_string(TWICE))
    return built


def rows(browser: Browser, path: str = "/rows") -> list[list[str]]:
    """The products of each block of a page."""
    text = browser.get(path).get_data(as_text=True)
    return [re.findall(r'href="/p/([\w-]+)', block) for block in text.split("<hr>")]


@pytest.mark.parametrize("agrees", [False, True])
def test_a_page_repeats_nothing_while_there_is_something_else(shop: Shop, agrees: bool) -> None:
    browser = shop.browser()
    if agrees:
        browser.agree()
    first = rows(browser)
    one, two, three, _ = map(list, map(dict.fromkeys, first))
    assert [len(one), len(two), len(three)] == [6, 6, 20]
    assert not set(one) & set(two)
    assert not set(three[:12]) & {*one, *two}
    assert rows(browser) == first, "what is remembered of blocks is that of this page"


def test_rather_a_repetition_than_a_gap(tmp_path: Path) -> None:
    few = build_shop(tmp_path, mount=False, placements={"one": ROW, "two": ROW, "three": ROW})
    few.mtp.init_app(few.app)
    few.state.catalog_store.import_products(products()[:8], hide_missing=False)
    few.state.pipeline.live.refresh()
    few.app.add_url_rule("/rows", "rows", view_func=lambda: render_template_string(PAGE))
    one, two, three, _ = map(list, map(dict.fromkeys, rows(few.browser())))
    assert [len(one), len(two), len(three)] == [6, 6, 6]
    assert set(two[:2]) == {f"p{number:03d}" for number in range(8)} - set(one)


def test_what_is_about_the_past_stays_whole_and_the_same_block_the_same(shop: Shop) -> None:
    browser = shop.browser().agree()
    seen = list(dict.fromkeys(rows(browser)[0]))[:3]
    for product_id in seen:
        browser.view(product_id)
    *_, past = rows(browser)
    assert list(dict.fromkeys(past)) == seen[::-1]
    one, again = rows(browser, "/twice")
    assert one == again


def test_such_a_slate_is_logged_with_what_the_page_had_and_replays(shop: Shop) -> None:
    browser = shop.browser().agree()
    text = browser.get("/rows").get_data(as_text=True)
    shop.state.slates.flush()
    ids = re.findall(r'data-mtp-slate="([\w-]+)"', text)
    assert len(ids) >= 3
    second = shop.state.slates.get(ids[1])
    assert second is not None
    assert second.placement is not None
    assert second.request.consent_level is ConsentLevel.FULL
    assert set(second.request.shown_ids) == {item.product_id for item in shop.state.slates.get(ids[0]).slate.items}  # type: ignore[union-attr]
    with shop.app.app_context():
        assert replay_of(shop.state)(ids[1], time.time()).verdict == "same"
        # What it was made by counts, not what stands there by now.
        past = msgspec.structs.replace(second.placement, strategies=("recently-viewed",))
        shop.state.pipeline.placements = {**shop.state.pipeline.placements, "two": past}
        assert replay_of(shop.state)(ids[1], time.time()).verdict == "same"


def test_a_rung_stays_before_the_next() -> None:
    picks = [Pick(name, 1.0, (), "", level, "best-sellers") for name, level in (("a", 0), ("b", 0), ("c", 1), ("d", 1))]
    assert [pick.product_id for pick in unseen_first(picks, ["a", "c"])] == ["b", "a", "d", "c"]
    assert unseen_first(picks, ()) is picks


def reads(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The profiles asked for from now on."""
    asked, ask = list[tuple[str, ...]](), shop.state.pipeline.journal.profiles

    def noted(profile_ids: tuple[str, ...]) -> object:
        asked.append(profile_ids)
        return ask(profile_ids)

    monkeypatch.setattr(shop.state.pipeline.journal, "profiles", noted)
    return asked


def test_the_profile_is_read_once_a_page(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = shop.browser().agree()
    browser.view("p003")
    asked = reads(shop, monkeypatch)
    assert "p003" in rows(browser)[3]
    assert len(asked) == 1
    rows(browser)
    assert len(asked) == 2


def test_what_happens_on_the_page_is_known_to_its_later_blocks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    page = '{{ mtp_block("past-row") }}<hr>{{ look() }}{{ mtp_block("past-row") }}'

    def look() -> str:
        shop.mtp.track("Product Viewed", {"product_id": "p009"}, strict=True)
        return ""

    shop.app.add_url_rule("/looks", "looks", view_func=lambda: render_template_string(page, look=look))
    browser = shop.browser().agree()
    browser.view("p003")
    asked = reads(shop, monkeypatch)
    before, after = (list(dict.fromkeys(some)) for some in rows(browser, "/looks"))
    assert (before, after) == (["p003"], ["p009", "p003"])
    assert len(asked) == 2

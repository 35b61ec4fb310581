"""The page on placements lists the eight as they are, every strategy and every option; what it shows is run."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string

from mtp_plugin import MTP, Strategy
from mtp_plugin.block.placements import DEFAULTS, load_placements
from mtp_plugin.web.blocks import render_block
from mtp_plugin.web.queries import PageQuery

from ..core.shops import BROWSER, bare_app, watches
from .fences import ROOT, blocks, names, rows

SHORT = {"products", "product"}
"""Options that :func:`mtp_plugin.web.slates.page_of` takes beside the fields of the query."""


def test_the_eight_are_as_they_are() -> None:
    listed = [
        (names(name)[0], tuple(names(ladder)), int(size), names(layout)[0])
        for name, _, ladder, size, layout in rows("placements.md", "placement | meant for")
    ]
    assert listed == [(p.name, tuple(map(str, p.strategies)), p.size, p.layout) for p in DEFAULTS]
    assert all(placement.title == "" for placement in DEFAULTS)


def test_every_strategy_is_told() -> None:
    assert [names(cell)[0] for cell, *_ in rows("placements.md", "strategy | finds")] == [str(s) for s in Strategy]


def test_every_option_of_a_call_is_listed() -> None:
    listed = {name for cell, *_ in rows("placements.md", "option | what") for name in names(cell)}
    own = {"heading_level", "preferences_url"}
    assert own <= set(inspect.signature(render_block).parameters)
    assert listed == {*PageQuery.__struct_fields__, *SHORT, *own}


def shop(folder: Path, template: str, **config: object) -> Flask:
    app = bare_app(folder, **config)
    mtp = MTP(app)
    app.add_url_rule("/", "front", lambda: render_template_string(template, mtp=mtp))
    state = app.extensions["mtp"]
    state.catalog_store.import_products(watches(30), hide_missing=False)
    state.pipeline.live.refresh()
    return app


def test_calls_in_a_page(tmp_path: Path) -> None:
    (calls,) = blocks("placements.md", "jinja")
    told = calls.replace('"mug-1"', '"p03"').replace("Kitchen > Mugs", "Shop > Lamp")
    app = shop(tmp_path, told)
    app.debug = True  # what fails is raised
    page = app.test_client().get("/", headers=BROWSER).text
    for name, title in (
        ("home-hero", "h2"),
        ("product-similar", "h2"),
        ("category-top", "h3"),
        ("home-trending", "h2"),
    ):
        block = page.split(f'data-mtp-placement="{name}"', 1)[1].split("</section>")[0]
        assert f"<{title}" in block, name
        assert "data-mtp-item=" in block, name
    similar = page.split('data-mtp-placement="product-similar"')[1].split("</section>")[0]
    assert 0 < similar.count("data-mtp-item=") <= 8
    lamps = page.split('data-mtp-placement="category-top"')[1].split("</section>")[0]
    assert lamps.count("data-mtp-item=") == lamps.count("Desk lamp") >= 6
    with app.test_request_context(headers=BROWSER):
        mtp = MTP()
        (call,) = re.findall(
            r"`(mtp\.recommend\(.*?\))`", (ROOT / "docs" / "placements.md").read_text(encoding="utf-8")
        )
        assert len(eval(call, {"mtp": mtp}).items) == 3
    app.extensions["mtp"].close()


def test_a_place_of_the_widget() -> None:
    (html,) = blocks("placements.md", "html")
    tracker = (ROOT / "docs" / "tracker.md").read_text(encoding="utf-8")
    for attribute in ("data-mtp-block", "data-mtp-products", "data-mtp-limit"):
        assert f" {attribute}=" in html
        assert f"| `{attribute}` |" in tracker, "tests/browser fills such places in a real page"


@pytest.mark.parametrize("how", ["setting", "option", "everything"])
def test_changes_and_switches(tmp_path: Path, how: str) -> None:
    (changes,), (off,) = blocks("placements.md", "json"), blocks("placements.md", "python")
    file = tmp_path / "placements.json"
    file.write_text(changes, encoding="utf-8")
    added = load_placements(str(file))
    assert [placement for placement in added if placement not in {p.name for p in DEFAULTS}] == ["blog-footer"]
    assert (added["home-hero"].size, added["home-hero"].title) == (8, "This season")

    config = Flask("config")
    exec(compile(off, "docs", "exec"), {"app": config})
    told: dict[str, dict[str, object]] = {
        "setting": {"MTP_PLACEMENTS_OFF": config.config["MTP_PLACEMENTS_OFF"]},
        "option": {"MTP_PLACEMENTS": {"home-trending": json.loads('{"enabled": false}')}},
        "everything": {"MTP_ENABLED": False},
    }
    app = shop(tmp_path / "shop", '{{ mtp_block("home-trending") }}', **told[how])
    client = app.test_client()
    assert client.get("/", headers=BROWSER).text == ""
    assert client.get("/mtp/v1/blocks/home-trending", headers=BROWSER).text == ""
    asked = client.get("/mtp/v1/recommendations?placement=home-trending", headers=BROWSER)
    assert (asked.status_code, asked.get_json()["error"]["code"]) == (404, "switched-off")
    app.extensions["mtp"].close()

"""The page on experiments: its configuration is taken, its snippets run, its options are what there is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
from flask import render_template_string

from mtp_plugin.experiment.metrics import METRICS
from mtp_plugin.experiment.rows import GOALS, Row
from mtp_plugin.records import EventProduct
from mtp_plugin.track.imported import imported_event

from ..web.shop import build_shop
from .fences import blocks, names, rows

MADE = {"key"}


def test_what_the_page_shows_works(tmp_path: Path) -> None:
    configuration, asking = blocks("experiments.md", "python")
    (template,), (command,) = blocks("experiments.md", "jinja"), blocks("experiments.md", "sh")
    app: Any = type("App", (), {"config": {}})()
    exec(compile(configuration, "docs", "exec"), {"app": app})
    shop = build_shop(tmp_path, experiments=app.config["MTP_EXPERIMENTS"])

    @shop.app.get("/asked")
    def asked() -> str:
        told: dict[str, Any] = {"mtp": shop.mtp}
        exec(compile(asking, "docs", "exec"), told)
        shown = render_template_string(template)
        assert ("off for now" in shown) == bool(told["percent"])
        return told["variation"].name

    assert {shop.browser().agree().get("/asked").text for _ in range(16)} == {"nothing off", "5 % off"}
    line = (EventProduct(product_id="p001", quantity=1.0, price=20.0),)
    shop.state.pipeline.ingest(
        [
            imported_event(
                name, key=f"{name}{one}", timestamp=time.time() - 9e4, anonymous_id=f"v{one}", user_id="", products=line
            )
            for one in range(20)
            for name in ("Product Viewed", "Order Completed")[: 1 + one % 2]
        ]
    )
    said = shop.app.test_cli_runner().invoke(args=command.split()[1:])
    assert "visitors in each of 2 variations" in said.stdout
    shop.state.close()


def test_every_option_metric_and_verdict_is_listed() -> None:
    listed = [name for row in rows("experiments.md", "option") for name in names(row[0])]
    assert set(listed) == {field.name for field in msgspec.structs.fields(Row)} - MADE
    defaults = {names(row[0])[0]: row[1] for row in rows("experiments.md", "option")}
    fields = {field.name: field.default for field in msgspec.structs.fields(Row)}
    told = {name: said for name, said in defaults.items() if said.startswith("`")}
    assert told == {name: f"`{fields[name]}`" for name in told}
    metrics = [name for row in rows("experiments.md", "metric") for name in names(row[0])]
    assert sorted(metrics) == sorted(one.name for one in METRICS) == sorted((*GOALS, "latency"))

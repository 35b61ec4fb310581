"""The page on signals lists each of them with what it is sent with, and its receiver hears."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from blinker import NamedSignal

from mtp_plugin import signals

from ..core.shops import BROWSER, mounted, watches
from ..core.test_pipeline import seen
from .fences import blocks, names, rows

ALL = {name: value for name, value in vars(signals).items() if isinstance(value, NamedSignal)}
LISTED = {names(name)[0]: set(re.findall(r"`(\w+)`:", told)) for name, _, told in rows("signals.md", "signal")}


def test_every_signal_is_listed() -> None:
    assert set(LISTED) == set(ALL)
    assert all(when.strip() for _, when, _ in rows("signals.md", "signal"))


def test_each_is_sent_with_what_is_listed(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, watches(6))
    heard: dict[str, set[str]] = {}
    ears = []
    for name, signal in ALL.items():

        def hear(sender: object, name: str = name, **told: Any) -> None:
            heard[name] = set(told)

        ears.append(hear)
        signal.connect(hear, app)
    client = app.test_client()
    client.post("/mtp/v1/privacy/consent", json={"choice": True}, headers=BROWSER)
    body = {"event": "Product Viewed", "properties": {"product_id": "p01"}}
    client.post("/mtp/v1/track", json=body, headers=BROWSER)
    client.get("/mtp/v1/recommendations?placement=home-hero", headers=BROWSER)
    state.pipeline.ingest([seen(f"p0{n}", visitor=f"v{v}", ago=60 + n) for v in range(4) for n in range(4)])
    assert app.test_cli_runner().invoke(args=["mtp", "train"]).exit_code == 0
    state.close()
    assert heard == LISTED


def test_the_receiver_hears(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app, state = mounted(tmp_path, watches(6))
    (code,) = blocks("signals.md", "python")
    space: dict[str, Any] = {"app": app}
    exec(compile(code, "docs", "exec"), space)
    client = app.test_client()
    client.post("/mtp/v1/privacy/consent", json={"choice": True}, headers=BROWSER)
    body = {"event": "Product Viewed", "messageId": "m", "properties": {"product_id": "p01"}}
    for _ in range(2):
        client.post("/mtp/v1/track", json=body, headers=BROWSER)
    state.close()
    assert capsys.readouterr().out == "Product Viewed ['p01']\n", "a repetition is not told"

"""The page on alerts: its configuration is taken, its options and kinds are what there is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mtp_plugin.alert_targets import AlertTarget
from mtp_plugin.alerts.watch import KPIS

from ..core.shops import mounted
from .fences import blocks, names, rows


def test_the_targets_shown_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2")
    monkeypatch.setenv("SLACK_URL", "https://hooks.slack.example/x")
    (code,) = blocks("alerts.md", "python")
    config: dict[str, object] = {"os": os}
    exec(code, config)
    _, state = mounted(tmp_path, **{name: value for name, value in config.items() if name.startswith("MTP_")})
    assert list(state.told) == ["ops", "chat", "manager"]
    assert state.settings.alert_actions["conversion"] == ("rule", "model")
    state.close()


def test_every_option_is_listed() -> None:
    listed = {name for row in rows("alerts.md", "option") for name in names(row[0])}
    assert listed == set(AlertTarget.__struct_fields__) - {"kind"}


def test_every_kpi_is_listed() -> None:
    anomalies = next(row for row in rows("alerts.md", "kind") if names(row[0]) == ["anomaly"])
    assert names(anomalies[1]) == [f"{kpi.name}:" for kpi in KPIS]

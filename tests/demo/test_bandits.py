"""The shop's two bandits: shown to be simulated wherever their figures are."""

from __future__ import annotations

from flask import Flask

from demo_store.learning import BANDITS, CLICKS, NOTE


def test_figures_are_said_to_be_simulated(shop: Flask) -> None:
    client = shop.test_client()
    assert client.get("/mtp/admin/bandits/", base_url="http://localhost").text.count(NOTE) == len(BANDITS)
    for name in BANDITS:
        assert NOTE in client.get(f"/mtp/admin/bandits/{name}", base_url="http://localhost").text
        assert NOTE in shop.test_cli_runner().invoke(args=["mtp", "bandits", "show", name]).stdout


def test_every_arm_has_made_up_clicks() -> None:
    assert {arm for row in BANDITS.values() for arm in row["arms"]} == set(CLICKS)

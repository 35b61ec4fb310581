"""``mtp.track`` never takes the shop's page down, and says what became of the event."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from mtp_plugin import MTP
from mtp_plugin.errors import InputError, UnavailableError
from mtp_plugin.records import Receipt

from .shops import BROWSER, bare_app

LONG = "a" * 300


def shop(folder: Path, **track: Any) -> tuple[Flask, list[Receipt]]:
    """A shop that tracks each product page; the receipts as they come."""
    app = bare_app(folder, MTP_REGIME="opt-out")
    mtp, receipts = MTP(app), []

    @app.get("/product/<product_id>")
    def product(product_id: str) -> str:
        receipts.append(mtp.track("Product Viewed", {"product_id": product_id}, **track))
        return "the page"

    return app, receipts


def damage(app: Flask, folder: Path) -> None:
    """Take the table of events away."""
    app.extensions["mtp"].journal.count()
    with sqlite3.connect(folder / "mtp.sqlite") as connection:
        connection.execute("ALTER TABLE mtp_event RENAME TO elsewhere")
    connection.close()


def test_a_good_event_is_kept(tmp_path: Path) -> None:
    app, receipts = shop(tmp_path)
    assert app.test_client().get("/product/p1", headers=BROWSER).text == "the page"
    assert (receipts[0].accepted, receipts[0].errors) == (1, ())


def test_a_malformed_id_leaves_the_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app, receipts = shop(tmp_path)
    assert app.test_client().get(f"/product/{LONG}", headers=BROWSER).status_code == 200
    assert receipts[0].accepted == 0
    (rejected,) = receipts[0].errors
    assert (rejected.index, rejected.code) == (0, "invalid")
    assert "product_id" in rejected.field
    assert "was not kept" in caplog.text


def test_a_failing_user_loader_leaves_the_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app, receipts = shop(tmp_path)
    app.extensions["mtp"].loaders.user = lambda: {}["ada@example.com"]
    assert app.test_client().get("/product/p1", headers=BROWSER).status_code == 200
    assert (receipts[0].errors[0].code, receipts[0].errors[0].message) == ("internal", "KeyError")


def test_a_store_that_fails_leaves_the_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app, receipts = shop(tmp_path)
    damage(app, tmp_path)
    assert app.test_client().get("/product/p1", headers=BROWSER).status_code == 200
    assert receipts[0].errors[0].code == "unavailable"
    assert "was not kept" in caplog.text


@pytest.mark.parametrize("way", ["strict", "debug"])
def test_strict_and_debug_raise(tmp_path: Path, way: str) -> None:
    app, _ = shop(tmp_path, strict=way == "strict")
    app.debug = way == "debug"
    app.testing = True
    with pytest.raises(InputError, match="long"):
        app.test_client().get(f"/product/{LONG}", headers=BROWSER)
    damage(app, tmp_path)
    with pytest.raises(UnavailableError):
        app.test_client().get("/product/p1", headers=BROWSER)

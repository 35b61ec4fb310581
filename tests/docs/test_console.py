"""The guard that the page on the console shows, asked by visitors, members and an administrator."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import abort, redirect

from mtp_plugin import MTP
from mtp_plugin.web.admin.panels import PANELS
from mtp_plugin.web.admin.roles import Role

from ..core.shops import bare_app
from .fences import blocks, rows

(GUARD,) = blocks("console.md", "python")


def test_the_guard_shown(tmp_path: Path) -> None:
    app, mtp, visitor = bare_app(tmp_path), MTP(), SimpleNamespace(is_authenticated=False)
    mtp.init_app(app)
    exec(compile(GUARD, "docs", "exec"), {"mtp": mtp, "current_user": visitor, "abort": abort, "redirect": redirect})
    client = app.test_client()
    assert client.get("/mtp/admin/").headers["Location"] == "/sign-in"
    visitor.is_authenticated, visitor.console_role, visitor.email = True, None, "ada@example.com"
    assert client.get("/mtp/admin/").status_code == 403
    visitor.console_role = "merchandiser"
    page = client.get("/mtp/admin/")
    assert page.status_code == 200
    assert "ada@example.com" in page.text
    app.extensions["mtp"].close()


def test_every_panel_and_role_is_told() -> None:
    assert [cell for cell, _ in rows("console.md", "page")] == [panel.title for panel in PANELS]
    assert [cell.strip("`") for cell, _ in rows("console.md", "role")] == [role.word for role in Role]


@pytest.mark.parametrize("name", ["mtp_console", "mtp_console_notice"])
def test_cookies_are_named(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "console.md").read_text(encoding="utf-8")
    assert f"`{name}`" in page

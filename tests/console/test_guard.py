"""Nobody gets in whom the shop does not let in, and nobody does what their role may not: on every route there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import abort, redirect
from werkzeug.routing import Rule

from mtp_plugin.web.admin.panels import EXTRAS, PANELS
from mtp_plugin.web.admin.roles import Role

from ..web.shop import build_shop
from .conftest import HOME, Desk

NAMES = {"name": "home-hero", "kind": "content", "product_id": "p001", "rest": "nothing/here", "segment_id": "x"}
PUBLIC = {"mtp.admin_asset"}
ROLES = {
    f"mtp.admin_{page.name_in(panel.key or 'overview')}": page for panel in (*PANELS, *EXTRAS) for page in panel.pages
}


def routes(desk: Desk) -> list[tuple[str, str, str]]:
    """Endpoint, method and address of every route of the console, found in the application's own map."""
    found = []
    for rule in desk.shop.app.url_map.iter_rules():
        if rule.endpoint.startswith("mtp.admin_") and rule.endpoint not in PUBLIC:
            found += [
                (rule.endpoint, method, _address(rule))
                for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
            ]
    return found


def _address(rule: Rule) -> str:
    return re.sub(r"<(?:[\w()=]+:)?(\w+)>", lambda name: NAMES.get(name[1], "1"), rule.rule)


@pytest.fixture
def desk(steady: Desk) -> Desk:
    return steady.be("administrator")


def test_every_page_is_registered_and_no_other(desk: Desk) -> None:
    assert {endpoint for endpoint, _, _ in routes(desk)} == {*ROLES, "mtp.admin_missing"}


def test_without_a_guard_there_is_no_console(tmp_path: Path) -> None:
    shop = build_shop(tmp_path)
    desk = Desk(shop)
    for _, method, address in routes(desk):
        assert desk.client.open(address, method=method).status_code == 404, address
    assert desk.get("/static/console.css").status_code == 404
    shop.state.close()


def test_switched_off_there_is_none_either(tmp_path: Path) -> None:
    from .conftest import open_desk

    desk = open_desk(tmp_path, enabled=False)
    assert desk.get().status_code == 404
    desk.shop.state.close()


@pytest.mark.parametrize("answer", [None, "", "superuser", 7, ("", "Ada"), ("nobody", "Ada"), ("a", "b", "c")])
def test_whom_the_guard_refuses_gets_nowhere(desk: Desk, answer: Any) -> None:
    desk.be(answer)
    for _, method, address in routes(desk):
        response = desk.client.open(address, method=method)
        assert response.status_code == 403, address
        assert "home-hero" not in response.text


def test_a_guard_that_fails_lets_nobody_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise LookupError("no session")

    monkeypatch.setattr(desk.shop.state.loaders, "admin", broken)
    response = desk.get()
    assert response.status_code == 403
    assert "no session" not in response.text


def test_a_guard_may_answer_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.shop.state.loaders, "admin", lambda: abort(redirect("/sign-in")))
    response = desk.get()
    assert (response.status_code, response.headers["Location"]) == (302, "/sign-in")
    monkeypatch.setattr(desk.shop.state.loaders, "admin", lambda: abort(401))
    assert desk.get().status_code == 401


@pytest.mark.parametrize("role", list(Role))
def test_each_role_does_what_it_may_and_nothing_else(desk: Desk, role: Role) -> None:
    desk.be((role.word, "Ada"))
    token = desk.token()
    for endpoint, method, address in routes(desk):
        needed = ROLES[endpoint].role if endpoint in ROLES else Role.VIEWER
        if role >= needed:
            continue
        response = desk.client.open(address, method=method, data={"console_token": token})
        assert response.status_code == 403, f"{role.word} may {method} {address}"
        assert f"takes the role {needed.word}" in response.text


def test_a_viewer_changes_nothing(desk: Desk) -> None:
    posts = {endpoint for endpoint, method, _ in routes(desk) if method == "POST"}
    assert {endpoint for endpoint in posts if ROLES[endpoint].role is Role.VIEWER} == {"mtp.admin_theme_choose"}
    assert {page.method for page in ROLES.values()} == {"GET", "POST"}


def test_every_form_needs_its_token(desk: Desk) -> None:
    for _, method, address in routes(desk):
        if method != "POST":
            continue
        for token in ({}, {"console_token": ""}, {"console_token": "made.up"}):
            response = desk.client.post(address, data=token)
            assert response.status_code == 403, address
            assert "nothing was changed" in response.text


def test_a_token_is_good_for_one_browser_and_one_person(desk: Desk) -> None:
    theirs = desk.be(("administrator", "Ada")).token()
    other = Desk(desk.shop, desk.who)
    assert other.post("/theme", token=theirs, theme="dark").status_code == 403
    other.get()
    assert other.post("/theme", token=theirs, theme="dark").status_code == 403
    assert desk.be(("administrator", "Ben")).post("/theme", token=theirs, theme="dark").status_code == 403
    assert desk.be(("administrator", "Ada")).post("/theme", token=theirs, theme="dark").status_code == 303


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                                     {"Origin": "https://evil.example"}])  # fmt: skip
def test_a_form_of_another_site_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    form = {"console_token": desk.token(), "theme": "dark"}
    assert desk.client.post(f"{HOME}/theme", data=form, headers=headers).status_code == 403
    assert desk.client.post(f"{HOME}/theme", data=form, headers={"Origin": "http://localhost"}).status_code == 303


def test_pages_are_kept_by_nobody_and_framed_by_nobody(desk: Desk) -> None:
    for _, method, address in routes(desk):
        response = desk.client.open(address, method=method)
        assert response.headers["Cache-Control"] == "private, no-store", address
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Cookie" in response.headers["Vary"]


def test_nothing_is_inline(desk: Desk) -> None:
    for _, method, address in routes(desk):
        if method == "GET":
            page = desk.client.get(address).text
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page), address


def test_the_cookie_stays_with_the_console(desk: Desk) -> None:
    fresh = Desk(desk.shop, desk.who)
    (cookie,) = fresh.get().headers.getlist("Set-Cookie")
    assert "Path=/mtp/admin" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert fresh.get().headers.getlist("Set-Cookie") == []


def test_files_are_kept_for_ever_under_their_name(desk: Desk) -> None:
    address = re.search(r'href="([^"]+console\.css\?v=[^"]+)"', desk.get().text)
    assert address
    response = desk.client.get(address[1])
    assert (response.status_code, response.content_type) == (200, "text/css; charset=utf-8")
    assert "immutable" in response.headers["Cache-Control"]
    assert desk.get("/static/secret.txt").status_code == 404
